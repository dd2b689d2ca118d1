package import Basics
package import Keyspace
import NIOCore
package import ReplicaCore

/// A replica of the store in this process: Raft, log, keyspace and the connections to its peers.
///
/// Calls answer exactly once, on a thread of the replica's; completions must not block.
package final class Replica: Sendable {
    package typealias Completion<Value> = @Sendable (Result<Value, StoreError>) -> Void

    let configuration: ReplicaConfiguration
    private let shared: ReplicaShared
    private let thread: OSThread
    private let logWriter: LogWriter
    let transport: PeerTransport
    private let readers: WorkerPool
    private let scrubber: ScrubService
    private let lock: DirectoryLock

    private init(
        _ configuration: ReplicaConfiguration, _ shared: ReplicaShared, _ thread: OSThread,
        _ logWriter: LogWriter, _ transport: PeerTransport, _ readers: WorkerPool,
        _ scrubber: ScrubService, _ lock: DirectoryLock
    ) {
        self.transport = transport
        self.configuration = configuration
        self.shared = shared
        self.thread = thread
        self.logWriter = logWriter
        self.readers = readers
        self.lock = lock
        self.scrubber = scrubber
    }

    /// Opens or makes the replica in its directory, binds the peer port and begins to take part.
    package static func start(
        _ configuration: ReplicaConfiguration
    ) throws(ReplicaFailure) -> Replica {
        let shared = ReplicaShared()
        let directory = ReplicaDirectory(configuration.directory)
        let lock = try DirectoryLock(directory)
        var configuration = configuration
        configuration.settings.keyspace.countsCrashes = true
        let inbox = shared.inbox
        configuration.settings.keyspace.onDamage = { inbox.sendAlways(.damaged($0)) }
        let opened: OpenedReplica
        do throws(ReplicaFailure) {
            opened = try ReplicaOpening(configuration.settings).open()
        } catch {
            throw directory.noteDamage(of: error)
        }
        let logWriter = LogWriter(
            log: opened.log, inbox: shared.inbox, metrics: configuration.settings.metrics)
        let transport = try PeerTransport.start(
            configuration, identity: opened.memberID, directory: opened.directory,
            inbox: shared.inbox)
        logWriter.start(sending: transport)
        let readers = WorkerPool(name: "reader", threads: 2, limit: 100_000)
        let shell = ReplicaShell(
            configuration, directory: opened.directory, shared: shared, logWriter: logWriter,
            transport: transport, readers: readers)
        let core = ReplicaCore(
            configuration.settings, opened, environment: shell, now: MonotonicTime.now())
        let onFailure = configuration.onFailure
        let runner = CoreRunner(core, opened.directory, shared.inbox) { failure in
            let failure = directory.noteDamage(of: failure)
            directory.noteFailure(failure)
            onFailure(failure)
        }
        let thread = OSThread.start("replica") { runner.run() }
        let scrubber = ScrubService(configuration.settings, directory, shared)
        scrubber.start()
        return Replica(
            configuration, shared, thread, logWriter, transport, readers, scrubber, lock)
    }

    /// Stops cleanly: what is applied is synced and marked, so that the next start trusts it.
    /// Blocks until everything has ended.
    package func stop() {
        guard shared.beginStop() else { return }
        scrubber.stop()
        shared.inbox.sendAlways(.stop)
        thread.join()
        readers.stop()
    }

    package var status: ReplicaStatus { shared.status.withLock { $0 } }
    package var clusterID: UInt64 { configuration.clusterID }
    package var electionMilliseconds: UInt64 { configuration.settings.electionMilliseconds }
    package var quotaBytes: UInt64 { configuration.settings.quotaBytes }

    package func peerURL(of member: ReplicaMember) -> String {
        (configuration.tls == nil ? "http://" : "https://") + member.peerAddress
    }

    /// The newest applied state; nil while the replica waits for its replacement. A snapshot from a
    /// peer replaces the object, so do not keep it.
    package var keyspace: Keyspace? { shared.keyspace.withLock { $0 } }

    /// Proposes a command; answers with what applying it here answered.
    /// A command whose encoding is larger than `bytesMax` is refused.
    package func propose(
        _ command: Command, bytesMax: Int, _ done: @escaping Completion<CommandResult>
    ) {
        let payload = command.encode()
        guard payload.count <= bytesMax else { return done(.failure(.requestTooLarge)) }
        let write = PendingWrite(
            payload: payload, deadline: deadline(), metrics: configuration.settings.metrics,
            done: done)
        if !shared.inbox.send(.write(write)) { write.done(.failure(.tooManyRequests)) }
    }

    /// Calls `done` on a reading thread once this replica has applied everything that was
    /// committed in the cluster when the call was made.
    ///
    /// - Parameter queue: where a read of one key is served instead, if that is good enough.
    package func readBarrier(
        on queue: (any WorkQueue)? = nil, _ done: @escaping Completion<Keyspace>
    ) {
        let read = PendingRead(deadline: deadline(), queue: queue, done: done)
        if !shared.inbox.send(.read(read)) { done(.failure(.tooManyRequests)) }
    }

    /// Calls `done` on a reading thread, with the state as it is.
    ///
    /// - Parameter queue: the caller's, if it has one and reads one key: then `done` may be called
    ///   before this returns.
    package func readLocally(
        on queue: (any WorkQueue)? = nil, _ done: @escaping Completion<Keyspace>
    ) {
        if queue != nil, shared.servesInPlace { return shared.read(done) }
        let shared = shared
        if !readers.run({ shared.read(done) }) { done(.failure(.tooManyRequests)) }
    }

    /// Starts a lease's time anew, at the leader; answers the seconds.
    package func leaseKeepAlive(_ id: Int64, _ done: @escaping Completion<Int64>) {
        ask(.leaseKeepAlive(id), done)
    }

    /// Seconds left of a lease, from the leader's clock.
    package func leaseRemaining(_ id: Int64, _ done: @escaping Completion<Int64>) {
        ask(.leaseRemaining(id), done)
    }

    /// Changes the members, through the leader. Answers the id of the member that was asked for, 0
    /// for several, when this replica knows of the change. Takes as long as that takes, a minute at
    /// most.
    package func changeMembers(
        _ request: MemberRequest, _ done: @escaping Completion<UInt64>
    ) {
        ask(.changeMembers(request), milliseconds: 60_000) { result in
            // A replica that was removed hears no more of the others; the change holds all the
            // same.
            self.readBarrier { _ in done(result.map { UInt64(bitPattern: $0) }) }
        }
    }

    /// Hands leadership to a voter; member 0 stands for the fittest. Answers the new leader.
    package func transferLeadership(to member: UInt64, _ done: @escaping Completion<UInt64>) {
        ask(.transferLeadership(to: member)) { result in
            done(result.map { UInt64(bitPattern: $0) })
        }
    }

    /// Raises or clears an alarm for the whole cluster.
    package func changeAlarm(_ change: AlarmChange, _ done: @escaping Completion<Void>) {
        propose(.alarm(change), bytesMax: .max) { result in done(result.map { _ in }) }
    }

    /// Hashes all keys as they stand here at a revision, 0 for the newest.
    package func hash(
        revision: Int64, _ done: @escaping @Sendable (Result<RevisionHash, StoreError>) -> Void
    ) {
        guard let keyspace else { return done(.failure(.noLeader)) }
        // Seconds for millions of keys: not on a thread that others wait for.
        _ = OSThread.start("hash", .background) { done(keyspace.hash(atRevision: revision)) }
    }

    /// Reads everything that this replica has on disk, and checks it.
    package func scrub(_ done: @escaping @Sendable (Result<ScrubReport, StoreError>) -> Void) {
        scrubber.scrubNow(done)
    }

    private func ask(
        _ question: PeerQuestion, milliseconds: UInt64? = nil, _ done: @escaping Completion<Int64>
    ) {
        let asked = PendingQuestion(
            question: question, deadline: deadline(milliseconds: milliseconds), done: done)
        if !shared.inbox.send(.question(asked)) { done(.failure(.tooManyRequests)) }
    }

    private func deadline(milliseconds: UInt64? = nil) -> MonotonicTime {
        MonotonicTime.now().advanced(
            milliseconds: milliseconds ?? configuration.requestMilliseconds)
    }
}

/// The replica's thread: round after round of its core, the only one that touches it.
private final class CoreRunner: @unchecked Sendable {
    // Sendable because it is handed to its thread once.
    private let core: ReplicaCore
    private let directory: ReplicaDirectory
    private let inbox: Mailbox<ReplicaInput>
    private let onFailure: @Sendable (ReplicaFailure) -> Void

    init(
        _ core: ReplicaCore, _ directory: ReplicaDirectory, _ inbox: Mailbox<ReplicaInput>,
        _ onFailure: @escaping @Sendable (ReplicaFailure) -> Void
    ) {
        self.core = core
        self.directory = directory
        self.inbox = inbox
        self.onFailure = onFailure
    }

    func run() {
        var batch: [ReplicaInput] = []
        do throws(ReplicaFailure) {
            try core.begin()
            while !core.isStopping {
                inbox.take(into: &batch, until: core.nextRound)
                try core.step(batch, now: .now())
            }
            try core.stop()
        } catch {
            core.abandon()
            if error.isRemoval { directory.markRemoved() }
            onFailure(error)
        }
    }
}
