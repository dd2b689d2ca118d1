/// Why a connection or a request over it failed.
package struct HTTPError: Error, Sendable, Hashable, CustomStringConvertible {
    package enum Code: Sendable, Hashable {
        case connect, tls, closed, reset, refused, timeout, cancelled, tooLarge, protocolViolation
    }

    package var code: Code
    package var message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { message }

    static let connectionClosed = HTTPError(.closed, "connection closed")

    /// - Parameter place: the other side's address.
    static func connectionClosed(_ place: String, _ reason: String = "") -> HTTPError {
        HTTPError(.closed, "\(place): connection closed\(reason)")
    }

    static let cancelled = HTTPError(.cancelled, "request cancelled")
}
