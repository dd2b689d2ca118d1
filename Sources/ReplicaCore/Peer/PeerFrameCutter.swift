/// Cuts a stream into frames and checks them; apart from the network's buffers, so that it can be
/// fuzzed.
package struct PeerFrameCutter<Buffer: ReceivedBytes> {
    private var buffer = Buffer()
    /// Larger frames are refused before they are buffered.
    package var bodyBytesMax = PeerFrame.helloBytesMax

    package init() {}

    package mutating func append(_ more: Buffer) {
        if buffer.count == 0 {
            buffer = more
        } else {
            buffer.append(more)
        }
    }

    /// nil until the next frame is all there.
    package mutating func next() throws(PeerProtocolError) -> PeerFrame? {
        guard buffer.count >= PeerFrame.headerBytes, let length = buffer.number(at: 0),
            let sum = buffer.number(at: 4), let kind = buffer.number(at: 8)
        else { return nil }
        let header = try PeerFrame.Header(
            bodyBytes: length, checksum: sum, kind: kind, bodyBytesMax: bodyBytesMax)
        guard buffer.count >= PeerFrame.headerBytes + header.bodyBytes else { return nil }
        buffer.skip(PeerFrame.headerBytes)
        return try header.frame(buffer.take(header.bodyBytes))
    }
}
