import Basics
import NIOCore

/// Collects the body and runs one task per request: for floors where a hop costs less than the
/// work. The task is cancelled when the client goes away.
package struct AsyncHTTPHandler: HTTPHandler {
    package typealias Respond = @Sendable (HTTPRequest, HTTPResponseWriter) async -> Void

    private let bodyBytesMax: Int
    private let respond: Respond

    /// A body over `bodyBytesMax` is dropped as it comes and shown as `isTooLarge`.
    package init(bodyBytesMax: Int, respond: @escaping Respond) {
        self.bodyBytesMax = bodyBytesMax
        self.respond = respond
    }

    package func handle(
        _ head: HTTPRequestHead, _ stream: any HTTPServerStream
    ) -> any HTTPRequestReceiver {
        Collector(head, stream, bodyBytesMax, respond)
    }

    private final class Collector: HTTPRequestReceiver {
        private let head: HTTPRequestHead
        private let stream: any HTTPServerStream
        private let bodyBytesMax: Int
        private let respond: Respond
        private let writer: HTTPResponseWriter
        private var body = Bytes()
        private var hasBegun = false
        private var task: Task<Void, Never>?

        init(
            _ head: HTTPRequestHead, _ stream: any HTTPServerStream, _ bodyBytesMax: Int,
            _ respond: @escaping Respond
        ) {
            self.head = head
            self.stream = stream
            self.bodyBytesMax = bodyBytesMax
            self.respond = respond
            writer = HTTPResponseWriter(stream)
            if let text = head.headers.first("content-length"), let length = Int(text),
                length > bodyBytesMax
            {
                begin(isTooLarge: true)
            }
        }

        func receive(_ bytes: ByteBuffer) {
            stream.consumed(bytes.readableBytes)
            guard !hasBegun else { return }
            guard body.count + bytes.readableBytes <= bodyBytesMax else {
                return begin(isTooLarge: true)
            }
            body.append(contentsOf: bytes.readableBytesView)
        }

        func receiveEnd() {
            if !hasBegun { begin(isTooLarge: false) }
        }

        func cancelled() {
            writer.cancel()
            task?.cancel()
        }

        private func begin(isTooLarge: Bool) {
            hasBegun = true
            let request = HTTPRequest(
                head: head, body: isTooLarge ? [] : body, isTooLarge: isTooLarge)
            body = []
            let (respond, writer) = (respond, writer)
            task = Task {
                await respond(request, writer)
                if writer.hasStarted {
                    writer.finish()
                } else {
                    writer.respond(status: 500)
                }
            }
        }
    }
}
