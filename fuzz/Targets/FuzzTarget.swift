package import Basics

/// One input format, and the property that every input has to keep: it is refused with an error
/// or read, but never brings the process down, and what is read says the same when written again.
package enum FuzzTarget: String, CaseIterable, Sendable {
    /// Edits of a good log segment: what opens holds nothing but what was written.
    case logSegment = "log-segment"
    /// Edits of a good snapshot file: it is refused, or nothing was changed.
    case snapshotFile = "snapshot-file"
    /// Edits of a log segment whose checksums are put right: it opens or is refused.
    case logSegmentMended = "log-segment-mended"
    /// Edits of a snapshot under its checksums and compression: it is restored or refused.
    case snapshotContent = "snapshot-content"
    /// Edits of a good archive of the log: as of a snapshot file, and under its checksums.
    case archiveFile = "archive-file"
    /// Edits of a good keyspace file: what is found intact on its pages was written.
    case pageFile = "page-file"
    /// Edits of a good bbolt file, most of which has no checksum.
    case boltFile = "bolt-file"
    case keyspaceEntry = "keyspace-entry"
    case command
    case peerMessage = "peer-message"
    case peerRequest = "peer-request"
    case peerFrame = "peer-frame"
    /// Frames in pieces: they are the same however the stream is cut, also once it is edited.
    case peerStream = "peer-stream"
    case etcdRequest = "etcd-request"

    /// Ends the process when the property does not hold.
    package func run(_ input: Bytes) {
        switch self {
        case .logSegment: SegmentProperty.check(input)
        case .snapshotFile: SnapshotProperty.check(input)
        case .logSegmentMended: SegmentProperty.checkMended(input)
        case .snapshotContent: SnapshotProperty.checkContent(input)
        case .archiveFile: ArchiveProperty.check(input)
        case .pageFile: PageFileProperty.check(input)
        case .boltFile: BoltProperty.check(input)
        case .keyspaceEntry: EntryProperty.check(input)
        case .command: CodecProperties.command(input)
        case .peerMessage: CodecProperties.peerMessage(input)
        case .peerRequest: CodecProperties.peerRequest(input)
        case .peerFrame: PeerFrameProperty.check(input)
        case .peerStream: PeerStreamProperty.check(input)
        case .etcdRequest: CodecProperties.etcdRequest(input)
        }
    }
}
