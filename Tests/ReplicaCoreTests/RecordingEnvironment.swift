import Keyspace
import Raft
import ReplicaCore
import WriteAheadLog

/// Writes down what a core asks for; peers are always within reach. The log does its work when it
/// is told to.
final class RecordingEnvironment: ReplicaEnvironment, @unchecked Sendable {
    // Sendable because each test uses its core from one thread.
    private let wal: WriteAheadLog
    private(set) var works: [LogWork] = []
    private(set) var messages: [Message] = []
    private(set) var requests: [PeerRequest] = []
    private(set) var status = ReplicaStatus()
    /// Entries whose snapshot files were removed, each for itself.
    private(set) var removedSnapshots: [UInt64] = []

    init(_ log: WriteAheadLog) {
        wal = log
    }

    /// What waits is written and synced. Returns what the core hears of it.
    func finishLog() throws(LogError) -> [ReplicaInput] {
        var batch = LogBatch()
        for work in works { try batch.write(work, to: wal) }
        works = []
        try wal.sync()
        messages += batch.messages
        return batch.reports(wal)
    }

    func closeLog() { wal.close() }

    /// The newest batch of reads that a member was asked to confirm.
    func lastRead(askedOf member: UInt64) -> UInt64 {
        for message in messages.reversed() where message.to == member {
            if case .heartbeat(_, let read) = message.body, read > 0 { return read }
        }
        return 0
    }

    // MARK: What is written down

    func log(_ work: LogWork) { works.append(work) }

    func send(_ messages: [Message]) { self.messages += messages }

    func send(_ requests: [PeerRequest], to peer: UInt64) -> Bool {
        self.requests += requests
        return true
    }

    func removeSnapshot(ofEntry index: UInt64) throws(ReplicaFailure) {
        removedSnapshots.append(index)
    }

    func publish(_ status: ReplicaStatus) { self.status = status }

    // MARK: What is done at once

    func serve(_ reads: [PendingRead], _ keyspace: Keyspace) {
        for read in reads { read.done(.success(keyspace)) }
    }

    // MARK: What is of no interest

    func send(_ answers: [PeerAnswer], to peer: UInt64) {}
    func isUp(_ peer: UInt64) -> Bool { true }
    func setMembers(_ members: [ReplicaMember], invitations: [Invitation]) {}
    func setOwnID(_ id: UInt64, joinToken: UInt64) {}
    func saveSnapshot(of keyspace: Keyspace) {}
    func sendSnapshot(of keyspace: Keyspace, to member: ReplicaMember, term: UInt64) {}
    func replaceKeyspace(
        bySnapshot path: String, memberID: UInt64
    ) throws(ReplicaFailure) -> Keyspace {
        preconditionFailure("nobody sends a snapshot here")
    }
    func removeSnapshot(_ path: String) throws(ReplicaFailure) {}
    func removeSnapshots(before index: UInt64) throws(ReplicaFailure) {}
    func hasDirectory() -> Bool { true }
    func join(as memberID: UInt64) throws(ReplicaFailure) {}
    func noteDivergence(_ reason: String) throws(ReplicaFailure) {}
    func closeCleanly(_ keyspace: Keyspace) throws(ReplicaFailure) {}
    func publish(_ keyspace: Keyspace?) {}
    func stop() {}
    func refuseInputs(_ error: StoreError) {}
}
