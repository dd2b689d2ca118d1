import Basics
import ReplicaCore

/// The frames of a connection, which brings its bytes in pieces of any size: they are the same
/// however the stream is cut, and what is read of an edited stream stands there, with its checksum.
///
/// An input is parts that begin with their length: the sizes of the pieces, a script of edits, and
/// bodies of frames, each behind a byte for its kind.
enum PeerStreamProperty {
    private struct Outcome: Hashable {
        /// As they are written.
        var frames: [Bytes] = []
        var error: String?
    }

    private struct Buffer: ReceivedBytes {
        var bytes: Bytes = []

        var count: Int { bytes.count }

        func number(at offset: Int) -> UInt32? {
            offset + 4 <= bytes.count ? PeerFrameProperty.number(bytes, at: offset) : nil
        }

        mutating func append(_ more: Buffer) { bytes += more.bytes }

        mutating func skip(_ count: Int) { bytes.removeFirst(count) }

        mutating func take(_ count: Int) -> Bytes {
            let taken = Bytes(bytes[..<count])
            skip(count)
            return taken
        }
    }

    static func check(_ input: Bytes) {
        var rest = input[...]
        let sizes = part(&rest)
        let script = part(&rest)
        var frames: [Bytes] = []
        while let choice = rest.popFirst() {
            let kind = PeerFrame.Kind(rawValue: choice % 11 + 1) ?? .hello
            frames.append(PeerFrame.encoded(kind, part(&rest)))
        }
        let stream = Bytes(frames.joined())
        precondition(read(stream, sizes) == Outcome(frames: frames), "not what was sent")
        let edited = EditScript.apply(script, to: stream)
        let whole = read(edited, [])
        precondition(read(edited, sizes) == whole, "other frames in other pieces")
        checkPlaces(of: whole, in: edited)
    }

    private static func part(_ rest: inout ArraySlice<UInt8>) -> Bytes {
        let count = Int(rest.popFirst() ?? 0)
        let part = Bytes(rest.prefix(count))
        rest = rest.dropFirst(count)
        return part
    }

    /// - Parameter sizes: of the pieces, less one, over and over; one piece if there are none.
    private static func read(_ stream: Bytes, _ sizes: Bytes) -> Outcome {
        var cutter = PeerFrameCutter<Buffer>()
        var outcome = Outcome()
        var (start, piece) = (0, 0)
        while start < stream.count {
            let size = sizes.isEmpty ? stream.count : Int(sizes[piece % sizes.count]) + 1
            let end = min(stream.count, start + size)
            cutter.append(Buffer(bytes: Bytes(stream[start..<end])))
            (start, piece) = (end, piece + 1)
            do throws(PeerProtocolError) {
                while let frame = try cutter.next() {
                    outcome.frames.append(PeerFrame.encoded(frame.kind, frame.body))
                }
            } catch {
                // The connection ends.
                outcome.error = error.description
                return outcome
            }
        }
        return outcome
    }

    /// One stands behind the other, up to an error or to one that is not all there.
    private static func checkPlaces(of outcome: Outcome, in stream: Bytes) {
        let read = Bytes(outcome.frames.joined())
        precondition(stream.hasPrefix(read), "a frame that does not stand there")
        let left = stream.count - read.count
        guard outcome.error == nil, left >= PeerFrame.headerBytes else { return }
        let body = Int(PeerFrameProperty.number(stream, at: read.count))
        precondition(left < PeerFrame.headerBytes + body, "a whole frame was not read")
    }
}
