import Basics
import Keyspace
import Raft

/// Somebody waits for another leader.
struct PendingTransfer {
    let deadline: MonotonicTime
    let done: @Sendable (Result<Int64, StoreError>) -> Void
}

extension ReplicaCore {
    /// As leader: hands over to a voter, to the fittest if `id` is 0. Answers the new leader.
    func beginTransfer(
        to id: UInt64, deadline: MonotonicTime,
        _ done: @escaping @Sendable (Result<Int64, StoreError>) -> Void
    ) {
        if id == memberID { return done(.success(Int64(bitPattern: id))) }
        guard let heir = id == 0 ? raft?.heir : id,
            raft?.transferLeadership(to: heir) ?? false
        else { return done(.failure(.badTransferee)) }
        transfers.append(PendingTransfer(deadline: deadline, done: done))
    }

    /// A leader is known, or none; perhaps the one that transfers wait for.
    func settleTransfers(_ leader: UInt64) {
        guard leader != 0, leader != memberID else { return }
        for transfer in transfers { transfer.done(.success(Int64(bitPattern: leader))) }
        transfers = []
    }

    /// Raft gives a transfer up after an election timeout.
    func expireTransfers() {
        if raft?.role == .leader, raft?.transferee != 0 { return }
        let isGivenUp = raft?.role == .leader
        for transfer in transfers where isGivenUp || transfer.deadline <= now {
            transfer.done(.failure(.timeout))
        }
        transfers.removeAll { isGivenUp || $0.deadline <= now }
        // Writes were held meanwhile.
        if isGivenUp, !waiting.held.isEmpty { newWrites = waiting.takeHeld() + newWrites }
    }

    /// A leader hands over before it stops, and sees the writes through that it holds. That takes
    /// an election timeout at most.
    func beginStop() {
        guard let heir = raft?.heir, raft?.transferLeadership(to: heir) ?? false else {
            isStopping = true
            return
        }
        stopDeadline = now.advanced(milliseconds: settings.electionMilliseconds)
    }

    func stopIfHandedOver() {
        guard let stopDeadline, let raft else { return }
        let isHandedOver = raft.role != .leader && raft.leader != 0 && waiting.isEmpty
        if isHandedOver || stopDeadline <= now { isStopping = true }
    }
}
