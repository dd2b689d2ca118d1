import Basics
import Keyspace
import Raft
import ReplicaCore
import TestSupport
import Testing

/// Member 1 of a cluster: the production core with its log and keyspace. The test is its clock and
/// the other members.
final class CoreFixture {
    let environment: RecordingEnvironment
    let core: ReplicaCore
    var now = MonotonicTime(nanoseconds: 5_000_000_000)
    private let scratch: TemporaryDirectory

    init(
        voters: UInt64 = 3, in scratch: TemporaryDirectory = TemporaryDirectory(),
        _ adjust: (inout ReplicaSettings) -> Void = { _ in }
    ) throws {
        self.scratch = scratch
        let members = (1...voters).map { id in
            ReplicaMember(id: id, name: "replica-\(id)", peerHost: "", peerPort: Int(id))
        }
        var settings = ReplicaSettings(
            directory: scratch.path + "/replica-1", clusterID: 7, name: "replica-1",
            members: members, seed: 1)
        settings.isNewCluster = true
        settings.hashCheckMilliseconds = 0
        adjust(&settings)
        let opened = try ReplicaOpening(settings).open()
        environment = RecordingEnvironment(opened.log)
        core = ReplicaCore(
            settings, opened, environment: environment,
            now: MonotonicTime(nanoseconds: 5_000_000_000))
        try core.begin()
    }

    /// As after a killed process: another fixture may take the directory.
    func end() {
        core.abandon()
        environment.closeLog()
    }

    /// A round, and further ones until the log has written everything.
    func step(_ inputs: [ReplicaInput] = []) throws {
        try core.step(inputs, now: now)
        while !environment.works.isEmpty {
            try core.step(try environment.finishLog(), now: now)
        }
    }

    func message(
        from peer: UInt64 = 2, term: UInt64 = 1, _ body: Message.Body
    ) -> ReplicaInput {
        .messages([Message(from: peer, to: 1, term: term, body: body)])
    }

    func write(_ command: Command) -> ReplicaInput {
        .write(
            PendingWrite(
                payload: command.encode(), deadline: now.advanced(milliseconds: 60_000)
            ) { _ in })
    }

    // MARK: As leader

    /// Member 2 elects this one, which campaigns at once, in term 1.
    ///
    /// - Parameter inputs: what comes in the same round as the last vote.
    func elect(_ inputs: [ReplicaInput] = []) throws {
        try step([message(.preVoteResponse(granted: true))])
        try step([message(.voteResponse(granted: true))] + inputs)
        try #require(environment.status.role == .leader)
    }

    /// Member 2 has everything.
    func acknowledge() throws {
        let last = try #require(core.raft).lastIndex
        try step([message(.appended(index: last))])
    }

    /// Member 2 answers the newest heartbeat that asks whether this replica leads.
    func confirm() throws {
        try step([message(.heartbeatResponse(read: environment.lastRead(askedOf: 2)))])
    }

    /// What is answered comes into the box, which is empty until then.
    func ask(_ question: PeerQuestion) throws -> Locked<Result<Int64, StoreError>?> {
        let answer = Locked<Result<Int64, StoreError>?>(nil)
        let asked = PendingQuestion(
            question: question, deadline: now.advanced(milliseconds: 60_000)
        ) { result in
            answer.withLock { $0 = result }
        }
        try step([.question(asked)])
        return answer
    }

    /// A linearizable read. The revision that it sees comes into the box, which is empty until
    /// then.
    func read() throws -> Locked<Result<Int64, StoreError>?> {
        let answer = Locked<Result<Int64, StoreError>?>(nil)
        let read = PendingRead(deadline: now.advanced(milliseconds: 60_000)) { result in
            answer.withLock { $0 = result.map(\.revision) }
        }
        try step([.read(read)])
        return answer
    }

    // MARK: As follower

    /// Member 2, leader of term 1, sends entries, which are committed.
    func follow(_ commands: [Command]) throws {
        let last = try #require(core.raft).lastIndex
        let entries = commands.enumerated().map { offset, command in
            Entry(term: 1, index: last + 1 + UInt64(offset), payload: command.encode())
        }
        try step([
            message(
                .append(
                    prevIndex: last, prevTerm: last == 0 ? 0 : 1, entries: entries,
                    commit: last + UInt64(entries.count)))
        ])
    }
}
