/// What a seed broke.
package struct Violation: Error, Sendable, CustomStringConvertible {
    package enum Kind: String, Sendable {
        /// The healed cluster did not come to serve again.
        case liveness
        /// Something happened that must never happen.
        case correctness
    }

    package var kind: Kind
    package var message: String

    package static func correctness(_ message: String) -> Violation {
        Violation(kind: .correctness, message: message)
    }

    static func liveness(_ message: String) -> Violation {
        Violation(kind: .liveness, message: message)
    }

    package var description: String { "\(kind.rawValue): \(message)" }
}
