import Basics
import Keyspace
import ReplicaCore

/// Takes a snapshot that a peer streams.
final class SnapshotReceiver: @unchecked Sendable {
    // Sendable because it is used on its event loop until the end of the stream, and by one
    // checking thread afterwards.

    /// What the last frame says.
    struct End: Sendable {
        var term: UInt64
    }

    let from: UInt64
    private let name: String
    private let intake: SnapshotIntake
    private let notice: @Sendable (String) -> Void

    /// nil if the file cannot be made.
    init?(
        _ directory: ReplicaDirectory, from: UInt64, _ name: String,
        _ notice: @escaping @Sendable (String) -> Void
    ) {
        guard let intake = try? SnapshotIntake(directory, from: from) else { return nil }
        self.from = from
        self.name = name
        self.notice = notice
        self.intake = intake
    }

    var resumePoint: SnapshotResumePoint { intake.resumePoint }

    /// Takes a frame; not nil after the last.
    func take(_ frame: PeerFrame) throws(PeerProtocolError) -> End? {
        do {
            switch frame.kind {
            case .snapshotBegin:
                let point = try SnapshotResumePoint(decoding: frame.body)
                try intake.begin(point)
                notice(
                    "\(name) sends a snapshot of entry \(point.identity.index), from byte"
                        + " \(point.offset) on")
            case .snapshotChunk: try intake.append(frame.body)
            case .snapshotEnd:
                var reader = ByteReader(frame.body)
                return End(term: try reader.readLittleEndian("term"))
            default: throw PeerProtocolError("unexpected \(frame.kind)")
            }
            return nil
        } catch {
            throw PeerProtocolError("\(error)")
        }
    }

    /// The stream ended too early.
    func interrupted() {
        intake.interrupt()
        notice("the snapshot of \(name) is cut off")
    }

    /// Checks the whole and prepares a keyspace of it.
    func check(_ end: End) -> Result<(path: String, header: SnapshotHeader), ReplicaFailure> {
        do throws(ReplicaFailure) {
            return .success(try intake.finish())
        } catch {
            notice("the snapshot of \(name) is refused: \(error)")
            return .failure(error)
        }
    }
}
