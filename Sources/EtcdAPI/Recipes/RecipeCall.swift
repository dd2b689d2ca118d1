import Basics
import HTTP

/// A call that takes one message, may wait for long, and minds when its client goes away.
final class RecipeCall: GRPCMessageReceiver {
    /// Begins with the message; answers what to do when the client leaves before the end.
    typealias Body = (Bytes) -> (() -> Void)?

    private let stream: GRPCServerStream
    private let body: Body
    private var whenCancelled: (() -> Void)?
    private var hasBegun = false

    init(_ stream: GRPCServerStream, _ body: @escaping Body) {
        self.stream = stream
        self.body = body
    }

    func receive(_ message: Bytes) {
        guard !hasBegun else { return }
        hasBegun = true
        whenCancelled = body(message)
    }

    /// Who has asked nothing and will not ask any more would wait for good.
    func receiveEnd() {
        guard !hasBegun else { return }
        hasBegun = true
        stream.finish(.requestWithoutMessage)
    }

    func cancelled() {
        hasBegun = true
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
