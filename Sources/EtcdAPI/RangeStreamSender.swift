import Basics
import EtcdMessages
import HTTP
import Keyspace

/// Sends the messages of `RangeStream`: the keys in pieces, then header, `more` and `count`. The
/// pieces merged are the answer that `Range` would have given.
final class RangeStreamSender: PieceFlow.Sink {
    private let pieces: any RangePieces
    private let headers: HeaderSource
    private let stream: GRPCServerStream

    static func send(
        _ answer: RangeAnswer, _ headers: HeaderSource, _ stream: GRPCServerStream
    ) {
        switch answer {
        case .whole(let summary, let keys): finish(keys, summary, headers, stream)
        case .pieces(let pieces):
            PieceFlow.start(pieces, into: RangeStreamSender(pieces, headers, stream))
        }
    }

    private init(
        _ pieces: any RangePieces, _ headers: HeaderSource, _ stream: GRPCServerStream
    ) {
        self.pieces = pieces
        self.headers = headers
        self.stream = stream
    }

    /// What stands before a `RangeResponse`, the one field of a `RangeStreamResponse`.
    private static func head(_ responseBytes: Int) -> Bytes {
        var head = ProtobufWriter(reserving: 8)
        head.beginElement(1, count: responseBytes)
        return head.bytes
    }

    /// The last message, with the last keys.
    private static func finish(
        _ keys: Bytes, _ summary: RangeSummary, _ headers: HeaderSource, _ stream: GRPCServerStream
    ) {
        let (head, tail) = summary.around(header: headers.header(revision: summary.revision))
        let response = head + keys + tail
        stream.answer(Self.head(response.count) + response)
    }

    var budget: MemoryBudget? { stream.budget }

    func whenWritable(_ callback: @escaping @Sendable () -> Void) {
        stream.whenWritable(callback)
    }

    func take(_ piece: PieceFlow.Piece) -> Bool {
        switch piece {
        case .failure(let error): stream.finish(GRPCStatus(error))
        case .success(let part) where part.isEmpty:
            Self.finish([], pieces.summary, headers, stream)
        case .success(let part):
            stream.send(Self.head(part.count), part)
            return true
        }
        return false
    }
}
