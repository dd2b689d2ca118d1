package import Basics

/// One input format, and the property that every input has to keep: it is refused with an error
/// or read, but never brings the process down, and what is read says the same when written again.
package enum FuzzTarget: String, CaseIterable, Sendable {
    /// Edits of a good log segment: what opens holds nothing but what was written.
    case logSegment = "log-segment"
    /// Edits of a good snapshot file: it is refused, or nothing was changed.
    case snapshotFile = "snapshot-file"
    case command
    case peerMessage = "peer-message"
    case peerRequest = "peer-request"
    case etcdRequest = "etcd-request"

    /// Ends the process when the property does not hold.
    package func run(_ input: Bytes) {
        switch self {
        case .logSegment: SegmentProperty.check(input)
        case .snapshotFile: SnapshotProperty.check(input)
        case .command: CodecProperties.command(input)
        case .peerMessage: CodecProperties.peerMessage(input)
        case .peerRequest: CodecProperties.peerRequest(input)
        case .etcdRequest: CodecProperties.etcdRequest(input)
        }
    }
}
