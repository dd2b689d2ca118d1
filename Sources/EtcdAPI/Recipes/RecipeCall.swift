import Basics
import HTTP

/// A call that takes one message, may wait for long, and minds when its client goes away.
final class RecipeCall: GRPCMessageReceiver {
    /// Begins with the message; answers what to do when the client leaves before the end.
    typealias Body = (Bytes) -> (() -> Void)?

    private let body: Body
    private var whenCancelled: (() -> Void)?
    private var hasBegun = false

    init(_ body: @escaping Body) {
        self.body = body
    }

    func receive(_ message: Bytes) {
        guard !hasBegun else { return }
        hasBegun = true
        whenCancelled = body(message)
    }

    func receiveEnd() {}

    func cancelled() {
        whenCancelled?()
        whenCancelled = nil
    }
}

extension GRPCServerStream {
    /// The one message of an answer, and its end.
    func answer(_ message: Bytes) {
        send(message)
        finish(.ok)
    }
}
