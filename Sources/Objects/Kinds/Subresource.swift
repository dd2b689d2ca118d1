/// A part of an object with a path of its own.
package enum Subresource: String, Sendable, Hashable {
    /// The object itself.
    case none = ""
    case status
    case scale
    case binding
    case log
    case finalize
    case eviction
    case ephemeralContainers = "ephemeralcontainers"
    case resize
}
