import Basics
import Keyspace
import Raft
import ReplicaCore
import WriteAheadLog

/// The liveness phase: the faults end, and a core of the replicas, drawn at random, must come to
/// serve and agree, the others being gone for good.
extension Simulation {
    private static let patience: UInt64 = 120_000_000
    private static let operationsWanted = 5

    func converge() throws(Violation) {
        isHealed = true
        network.heal()
        network.unclog()
        chooseCore()
        for replica in replicas where !replica.isGone {
            replica.diskSlowness = 1
            replica.pausedUntil = 0
            replica.files.capacityBytes = nil
            if replica.files.syncsUntilFailure != nil { replica.files.syncsUntilFailure = nil }
            if replica.process == nil, replica.condition == .good { try start(replica) }
        }
        trace("healed; gone: \(replicas.filter(\.isGone).map(\.number))")
        let before = clients.map(\.successes)
        try go("all clients are served") {
            zip(self.clients, before).allSatisfy { client, before in
                client.successes >= before + Self.operationsWanted
            }
        }
        try go("lost replicas are replaced") {
            self.replicas.allSatisfy { $0.isGone || $0.condition == .good }
        }
        areClientsStopped = true
        try go("the replicas agree") { self.agree }
        try go("leases end") { self.committed.model.leases.isEmpty }
        try go("the replicas agree again") { self.agree }
        for replica in replicas {
            if let keyspace = replica.process?.environment.keyspace {
                try compareState(keyspace, replica)
            }
        }
    }

    /// Who is left: everybody while a replica is being replaced, because its learner counts on
    /// all the others; else any quorum.
    private func chooseCore() {
        guard random.chance(1, in: 2), replicas.allSatisfy({ $0.condition == .good }),
            replicas.allSatisfy({ !$0.isDamaged && !$0.hasLostTail }),
            replicas.allSatisfy({ $0.files.syncsUntilFailure == nil }),
            // A removal under way may need everybody else.
            knownMembers?.voters.count == scenario.replicas, now > lastChurn + 10_000_000
        else { return }
        var spare = random.below((scenario.replicas - 1) / 2 + 1)
        while spare > 0 {
            let replica = replicas[random.below(replicas.count)]
            if replica.isGone { continue }
            end(replica)
            replica.isGone = true
            spare -= 1
        }
    }

    private var agree: Bool {
        let states = replicas.filter { !$0.isGone }.map { replica in
            replica.process?.environment.keyspace?.appliedIndex
        }
        return states.allSatisfy { $0 == committed.lastIndex }
            && currentLeader?.process?.core.raft?.lastIndex == committed.lastIndex
    }

    private func go(_ what: String, until isDone: () -> Bool) throws(Violation) {
        let end = now + Self.patience
        while !isDone() {
            guard now < end else { throw .liveness("not within two minutes: \(what)") }
            try step()
        }
        trace(what)
    }
}
