import Basics
import ReplicaCore

/// Frames between peers, and what stands in those that have no target of their own. The first byte
/// chooses.
enum PeerFrameProperty {
    static func check(_ input: Bytes) {
        guard let choice = input.first else { return }
        let rest = Bytes(input.dropFirst())
        switch choice % 5 {
        case 0: frame(rest, isMended: false)
        case 1: frame(rest, isMended: true)
        case 2: hello(rest)
        case 3:
            guard let point = try? SnapshotResumePoint(decoding: rest) else { return }
            precondition(point.encoded() == rest)
        default: CodecProperties.roundTrip(rest, { try PeerAnswer(decoding: $0) }, encoded)
        }
    }

    private static func encoded(_ answer: PeerAnswer) -> Bytes {
        var writer = ByteWriter()
        answer.encode(to: &writer)
        return writer.bytes
    }

    private static func hello(_ input: Bytes) {
        guard let hello = try? PeerHello(decoding: input) else { return }
        precondition((try? PeerHello(decoding: hello.encoded())) == hello)
    }

    /// One frame, perhaps with bytes behind it.
    ///
    /// - Parameter isMended: the checksum is put right.
    private static func frame(_ input: Bytes, isMended: Bool) {
        guard input.count >= PeerFrame.headerBytes else { return }
        let length = number(input, at: 0)
        let end = PeerFrame.headerBytes + Int(length)
        let isWhole = end <= input.count
        let sum = isMended && isWhole ? CRC32C.checksum(input[8..<end]) : number(input, at: 4)
        do throws(PeerProtocolError) {
            let header = try PeerFrame.Header(
                bodyBytes: length, checksum: sum, kind: number(input, at: 8),
                bodyBytesMax: PeerFrame.bodyBytesMax)
            guard isWhole else { return }
            let frame = try header.frame(Bytes(input[PeerFrame.headerBytes..<end]))
            let bytes = PeerFrame.encoded(frame.kind, frame.body)
            precondition(bytes[..<4] == input[..<4] && bytes[8...] == input[8..<end])
            precondition(number(bytes, at: 4) == sum)
        } catch {
            precondition(!error.description.isEmpty)
        }
    }

    static func number(_ bytes: Bytes, at offset: Int) -> UInt32 {
        var value: UInt32 = 0
        for byte in bytes[offset..<(offset + 4)].reversed() { value = value << 8 | UInt32(byte) }
        return value
    }
}
