import Basics
import EtcdMessages
import HTTP
import Keyspace

/// Sends the messages of `RangeStream`: the keys in pieces, then header, `more` and `count`. The
/// pieces merged are the answer that `Range` would have given.
final class RangeStreamSender: Sendable {
    private static let pieceBytes = 256 * 1024

    private let pieces: any RangePieces
    private let stream: GRPCServerStream
    private let header: ResponseHeader

    static func send(
        _ answer: RangeAnswer, _ headers: HeaderSource, _ stream: GRPCServerStream
    ) {
        switch answer {
        case .whole(let response):
            var message = ProtobufWriter(reserving: 256)
            response.encode(to: &message, header: headers.header(revision: response.revision))
            stream.answer(wrapped(message.bytes))
        case .pieces(let pieces):
            let header = headers.header(revision: pieces.summary.revision)
            RangeStreamSender(pieces, stream, header).sendOn()
        }
    }

    private init(
        _ pieces: any RangePieces, _ stream: GRPCServerStream, _ header: ResponseHeader
    ) {
        self.pieces = pieces
        self.stream = stream
        self.header = header
    }

    /// `RangeStreamResponse` has the `RangeResponse` as its one field.
    private static func wrapped(_ response: Bytes) -> Bytes {
        var message = ProtobufWriter(reserving: response.count + 8)
        message.writeElement(1, response)
        return message.bytes
    }

    /// Whoever waits for the client holds this object; it goes when the client does.
    private func sendOn() {
        pieces.next(bytesMax: Self.pieceBytes) { result in
            switch result {
            case .failure(let error): self.stream.finish(GRPCStatus(error))
            case .success(let keyValues) where keyValues.isEmpty: self.finish()
            case .success(let keyValues):
                var message = ProtobufWriter(reserving: Self.pieceBytes + Self.pieceBytes / 4)
                RangeResponse.encode(keyValues, to: &message)
                self.stream.send(Self.wrapped(message.bytes))
                self.stream.whenWritable { self.sendOn() }
            }
        }
    }

    private func finish() {
        let summary = pieces.summary
        let outline = RangeResponse(
            revision: summary.revision, keyValues: [], more: summary.more, count: summary.count)
        let (head, tail) = outline.encodeAround(header: header)
        stream.answer(Self.wrapped(head + tail))
    }
}
