import Basics
import Raft
import WriteAheadLog

/// One simulated replica: the production Raft and log, a state machine, and what a process and its
/// disk would hold.
final class Node {
    let id: UInt64
    /// The members that the cluster began with; none for a replica added later.
    let initialMembership: Membership
    /// Length of a tick on this replica's clock.
    let tickPeriod: UInt64

    // The disk
    let files = MemoryLogFiles()
    var state: any SimulatedState
    /// The newest synced snapshot file.
    var newestImage: StateImage?

    // The process
    var raft: Raft
    var log: WriteAheadLog?
    /// Rises with every stop; events meant for an earlier process find nobody.
    var epoch = 0
    var isRunning = false
    /// Gone for good.
    var isRetired = false
    /// Stopped by SIGSTOP until then.
    var pausedUntil: UInt64 = 0
    /// Times how long a sync takes.
    var diskSlowness: UInt64 = 1

    var tasks: [LogTask] = []
    /// What the log works on; nil when it is idle.
    var underWay: LogTask?
    /// Readys whose sync is under way.
    var syncing: [Ready] = []
    /// Snapshots that arrived complete.
    var arrived: [StateImage] = []
    var lastImageIndex: UInt64 = 0
    var isImageDue = false

    var proposals: [PendingProposal] = []
    var reads: [PendingRead] = []
    /// The highest term and commit index this process has had.
    var termSeen: UInt64 = 0
    var commitSeen: UInt64 = 0

    init(
        id: UInt64, initialMembership: Membership, tickPeriod: UInt64, state: any SimulatedState
    ) {
        self.id = id
        self.initialMembership = initialMembership
        self.tickPeriod = tickPeriod
        self.state = state
        raft = Raft(
            Raft.Configuration(id: id, seed: 0),
            Raft.InitialState(membership: initialMembership))
    }
}

/// What passes through a replica's log thread, in order.
enum LogTask {
    /// All Readys that wait are written and synced together.
    case write([Ready])
    /// The snapshot file is synced; next the state machine is replaced, then the log is marked.
    case install(StateImage)
    case markInstalled(StateImage)
    /// A snapshot of our own is being synced; then the log is marked and shortened.
    case save(StateImage)
    case markSaved(StateImage)
}

/// A client's command in a leader's log.
struct PendingProposal {
    var index: UInt64
    var term: UInt64
    var operation: Int
}

/// A client's read whose index is confirmed and perhaps not applied yet.
struct PendingRead {
    var index: UInt64
    var operation: Int
}
