import Basics
import EtcdMessages
import HTTP
import Keyspace

/// Sends the messages of `RangeStream`: the keys in pieces, then header, `more` and `count`. The
/// pieces merged are the answer that `Range` would have given.
final class RangeStreamSender: PieceFlow.Sink {
    private let summary: RangeSummary
    private let stream: GRPCServerStream
    private let header: ResponseHeader

    static func send(
        _ answer: RangeAnswer, _ headers: HeaderSource, _ stream: GRPCServerStream
    ) {
        switch answer {
        case .whole(let summary, let keys):
            RangeStreamSender(summary, stream, headers).finish(keys)
        case .pieces(let pieces):
            let sink = RangeStreamSender(pieces.summary, stream, headers)
            PieceFlow.start(pieces, into: sink)
        }
    }

    private init(_ summary: RangeSummary, _ stream: GRPCServerStream, _ headers: HeaderSource) {
        self.summary = summary
        self.stream = stream
        header = headers.header(revision: summary.revision)
    }

    /// What stands before a `RangeResponse`, the one field of a `RangeStreamResponse`.
    private static func head(_ responseBytes: Int) -> Bytes {
        var head = ProtobufWriter(reserving: 8)
        head.beginElement(1, count: responseBytes)
        return head.bytes
    }

    var budget: MemoryBudget? { stream.budget }

    func whenWritable(_ callback: @escaping @Sendable () -> Void) {
        stream.whenWritable(callback)
    }

    func take(_ piece: PieceFlow.Piece) -> Bool {
        switch piece {
        case .failure(let error): stream.finish(GRPCStatus(error))
        case .success(let part) where part.isEmpty: finish([])
        case .success(let part):
            stream.send(Self.head(part.count), part)
            return true
        }
        return false
    }

    /// The last message, with the last keys.
    private func finish(_ keys: Bytes) {
        let (head, tail) = summary.around(header: header)
        let response = head + keys + tail
        stream.answer(Self.head(response.count) + response)
    }
}
