import Basics
import EtcdMessages
import HTTP
import Keyspace

/// Sends a `RangeResponse` that nobody holds: its length first, then its keys as the client takes
/// them.
final class RangeSender: PieceFlow.Sink {
    private let sender: GRPCMessageSender
    /// Bytes of the message that are still to be sent.
    private let left: Locked<Int>
    private let tail: Bytes

    static func send(_ pieces: any RangePieces, _ header: ResponseHeader, _ reply: GRPCReply) {
        let summary = pieces.summary
        let (head, tail) = summary.around(header: header)
        guard let total = UInt32(exactly: head.count + summary.bytes + tail.count) else {
            let text = "martlet: the answer is larger than a message can be: ask for pages"
            return reply(GRPCStatus(.resourceExhausted, text))
        }
        let sender = reply.begin(messageBytes: total)
        sender.send(head)
        PieceFlow.start(pieces, into: RangeSender(sender, left: summary.bytes, tail))
    }

    private init(_ sender: GRPCMessageSender, left: Int, _ tail: Bytes) {
        self.sender = sender
        self.left = Locked(left)
        self.tail = tail
    }

    var budget: MemoryBudget? { sender.budget }

    func whenWritable(_ callback: @escaping @Sendable () -> Void) {
        sender.whenWritable(callback)
    }

    func take(_ piece: PieceFlow.Piece) -> Bool {
        switch piece {
        case .failure(let error): sender.finish(GRPCStatus(error))
        case .success(let part) where part.isEmpty: finish()
        case .success(let part):
            let left = left.withLock { left in
                left -= part.count
                return left
            }
            if left >= 0 {
                sender.send(part)
                return true
            }
            failedToMatch()
        }
        return false
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
