import Basics
import EtcdMessages
import HTTP
import Keyspace

/// Sends a `RangeResponse` that nobody holds: its length first, then its keys as the client takes
/// them.
final class RangeSender: Sendable {
    private static let pieceBytes = 256 * 1024

    private let pieces: any RangePieces
    private let sender: GRPCMessageSender
    /// Bytes of the message that are still to be sent.
    private let left: Locked<Int>
    private let tail: Bytes

    static func send(_ pieces: any RangePieces, _ header: ResponseHeader, _ reply: GRPCReply) {
        let summary = pieces.summary
        let outline = RangeResponse(
            revision: summary.revision, keyValues: [], more: summary.more, count: summary.count)
        let (head, tail) = outline.encodeAround(header: header)
        guard let total = UInt32(exactly: head.count + summary.bytes + tail.count) else {
            let text = "martlet: the answer is larger than a message can be: ask for pages"
            return reply(GRPCStatus(.resourceExhausted, text))
        }
        let sender = reply.begin(messageBytes: total)
        sender.send(head)
        RangeSender(pieces, sender, tail).sendOn()
    }

    private init(_ pieces: any RangePieces, _ sender: GRPCMessageSender, _ tail: Bytes) {
        self.pieces = pieces
        self.sender = sender
        self.tail = tail
        left = Locked(pieces.summary.bytes)
    }

    /// Whoever waits for the client holds this object; it goes when the client does.
    private func sendOn() {
        pieces.next(bytesMax: Self.pieceBytes) { result in
            switch result {
            case .failure(let error): self.sender.finish(GRPCStatus(error))
            case .success(let keyValues):
                if keyValues.isEmpty { return self.finish() }
                var writer = ProtobufWriter(reserving: Self.pieceBytes + Self.pieceBytes / 4)
                RangeResponse.encode(keyValues, to: &writer)
                let count = writer.count
                let left = self.left.withLock { left in
                    left -= count
                    return left
                }
                guard left >= 0 else { return self.failedToMatch() }
                self.sender.send(writer.bytes)
                self.sender.whenWritable { self.sendOn() }
            }
        }
    }

    private func finish() {
        guard left.withLock({ $0 }) == 0 else { return failedToMatch() }
        sender.send(tail)
        sender.finish(.ok)
    }

    /// What was announced and what was found differ: only damage does that.
    private func failedToMatch() {
        sender.finish(GRPCStatus(.dataLoss, "martlet: a range differs from its survey"))
    }
}
