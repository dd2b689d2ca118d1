import Basics
import Keyspace
import Raft
import ReplicaCore
import WriteAheadLog

/// One replica: its directory and its log's files, which survive its processes, and the process
/// that runs, if any.
final class SimulatedReplica {
    enum Condition: Sendable {
        /// Not a member of the cluster yet.
        case spare
        case good
        /// Taken in as a learner, which it stays until the operator promotes it.
        case learning
        /// Ended with a code that a restart does not mend, or lost its directory.
        case broken
        /// Emptied by the operator, who waits until it votes again.
        case beingReplaced
    }

    let number: Int
    var settings: ReplicaSettings
    let files = MemoryLogFiles()
    var clock: SimulatedClock
    var condition = Condition.good

    // The process
    var process: SimulatedProcess? {
        didSet { if let process { lastMemberID = process.core.memberID } }
    }
    /// The member whose log the files hold.
    var lastMemberID: UInt64 = 0
    /// Rises whenever its directory is emptied.
    var life = 0
    /// Rises with every start and end; events meant for an earlier process find nobody.
    var epoch = 0
    var pausedUntil: UInt64 = 0
    /// When the core's thread runs next; never without a process.
    var roundAt = UInt64.max
    /// Times how long a sync takes.
    var diskSlowness: UInt64 = 1
    /// Its file system says that little is left.
    var hasLowDisk = false
    /// It loses its directory as soon as it votes.
    var isDoomed = false
    /// Left out of the core that has to serve in the end.
    var isGone = false

    // What the checks know
    /// What Raft handed to the log, and what of it is durable.
    var issued = LogMirror()
    var durable = LogMirror()
    /// Handed to the files, not synced yet.
    var inFlight: [LogWork] = []
    /// When the sync under way, or the last one, ends.
    var syncEnd: UInt64 = 0
    /// Logs that were lost, or lost a part, and the member whose they were. What it acknowledged
    /// goes on counting: it has no vote before it has all of it again.
    var lostLogs: [(member: UInt64, log: LogMirror)] = []
    /// Damage cost its log something: it has no vote before it durably has all of it again.
    var hasLostTail = false

    /// What a restart finds need not be what was written. Damage that costs nothing at one start,
    /// because the keyspace has all of it, may cost something at the next, when the keyspace has to
    /// be made again: so it counts until it is overwritten, in another life of its segment too.
    var isDamaged: Bool { files.isHarmed }

    /// The keyspace file that was damaged. What a rebuild puts in its place is another one.
    var rottenFile: UInt64?
    /// The damage may be met by whoever reads the newest state.
    var isRotInUse = false
    var isRotten: Bool {
        isRotInUse && rottenFile == KeyspaceRot.identity(of: keyspaceFile)
    }
    /// Its state is another than the cluster's, though every checksum is right; until it is seen to
    /// be what it has to be again.
    var isWrong = false
    /// Of its wrong state, that reached nobody.
    var snapshotsHeldBack = 0
    /// What it may say is wrong with what it has.
    var harm: KnownHarm {
        KnownHarm(log: isDamaged || hasLostTail, keyspace: rottenFile != nil, state: isWrong)
    }
    var keyspaceFile: String { directory.keyspace + "/" + Keyspace.fileName }

    init(_ number: Int, _ settings: ReplicaSettings, _ clock: SimulatedClock) {
        self.number = number
        self.settings = settings
        self.clock = clock
    }

    /// Nobody has to see to it.
    var isSettled: Bool { isGone || condition != .broken && condition != .beingReplaced }

    var directory: ReplicaDirectory { ReplicaDirectory(settings.directory) }

    /// It never promised anything.
    var isBlank: Bool { durable == LogMirror() }
}

/// A running replica: the production core and what surrounds it.
final class SimulatedProcess {
    let core: ReplicaCore
    let environment: SimulatedEnvironment
    var inbox: [ReplicaInput] = []

    // As of the last look
    var monotony = Monotony()
    var applied: UInt64 = 0
    var leaderTerm: UInt64 = 0
    var commit: UInt64 = 0
    var membership: Membership?
    var role = Role.follower
    var tally = Tally()
    /// The pass that is under way.
    var scrubber = Scrubber()
    /// The keyspace was new to us: its whole state is compared.
    var mustCompare = true

    init(_ core: ReplicaCore, _ environment: SimulatedEnvironment) {
        self.core = core
        self.environment = environment
    }
}

/// For closures that the production code wants to be sendable: all of a simulation is one thread.
struct OneThread<Value>: @unchecked Sendable {
    // Sendable because nothing leaves the thread of its simulation.
    let value: Value

    init(_ value: Value) {
        self.value = value
    }
}
