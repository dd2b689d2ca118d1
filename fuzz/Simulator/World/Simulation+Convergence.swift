import Basics
import Keyspace
import Raft
import ReplicaCore
import WriteAheadLog

/// The liveness phase: the faults end, and a core of the replicas, drawn at random, must come to
/// serve and agree, the others being gone for good.
extension Simulation {
    private static let operationsWanted = 5
    private static let calmMicroseconds: UInt64 = 20_000_000

    func converge() throws(Violation) {
        isHealed = true
        let healed = now
        steadySince = now
        network.heal()
        network.unclog()
        chooseCore()
        for replica in replicas where !replica.isGone {
            heldUpUntil = max(heldUpUntil, replica.syncEnd, replica.pausedUntil)
            replica.diskSlowness = 1
            replica.pausedUntil = 0
            replica.files.capacityBytes = nil
            replica.hasLowDisk = false
            if replica.files.syncsUntilFailure != nil { replica.files.syncsUntilFailure = nil }
            if replica.process == nil, replica.condition == .good { try start(replica) }
        }
        trace("healed; gone: \(replicas.filter(\.isGone).map(\.number))")
        for client in clients.indices {
            clients[client].successesWanted = clients[client].successes + Self.operationsWanted
        }
        try go("all clients are served") {
            self.clients.allSatisfy { $0.successes >= $0.successesWanted }
        }
        try go("lost replicas are replaced") {
            self.replicas.allSatisfy(\.isSettled)
        }
        try go("alarms are cleared") {
            self.currentLeader?.process?.environment.status.alarms.isEmpty ?? false
        }
        try go("damage is found") { self.replicas.allSatisfy { $0.isGone || !$0.isRotten } }
        try go("wrong states are found") { self.replicas.allSatisfy { $0.isGone || !$0.isWrong } }
        isDamageFound = true
        if scenario.hasDefaultTimeouts { try rest(notBefore: healed + scenario.latestDelivery) }
        areClientsStopped = true
        try go("the replicas agree") { self.agree }
        try go("leases end") { self.committed.model.leases.isEmpty }
        try go("the replicas agree again") { self.agree }
        for watcher in watchers { watcher.stream?.requestProgress() }
        try go("watchers have everything") { self.areWatchersUpToDate }
        for replica in replicas {
            if let keyspace = replica.process?.environment.keyspace {
                try compareState(keyspace, replica)
            }
        }
    }

    /// A calm stretch, as most clusters have it most of the time: hardly a request, and nothing
    /// that would be a reason for an election.
    private func rest(notBefore start: UInt64) throws(Violation) {
        // What was sent before, as to hand leadership over, has arrived.
        while now < start { try step() }
        try go("there is a leader") { self.currentLeader != nil }
        let term = currentLeader.map(self.term)
        options.onCalm?(true)
        isCalm = true
        let begun = now
        while now < begun + Self.calmMicroseconds { try step() }
        calmMilliseconds = (now - begun) / 1000
        isCalm = false
        options.onCalm?(false)
        try RaftInvariants.rested(before: term, after: currentLeader.map(self.term))
        trace("rested")
    }

    /// Who is left: everybody while a replica is being replaced, because its learner counts on
    /// all the others; else any quorum.
    private func chooseCore() {
        guard random.chance(1, in: 2), replicas.allSatisfy(\.isSettled),
            replicas.allSatisfy({ !$0.isDamaged && !$0.hasLostTail && !$0.isRotten }),
            !wasSomebodyWrong,
            replicas.allSatisfy({ $0.files.syncsUntilFailure == nil }),
            // Who is gone clears no alarm.
            lastLowDisk == 0 || now > lastLowDisk + 10_000_000,
            // A change under way may need everybody else.
            let members = knownMembers, members.all.count == activeReplicas.count,
            members.joining.isEmpty, now > lastChurn + 10_000_000
        else { return }
        var spare = random.below((members.voters.count - 1) / 2 + 1)
        while spare > 0 {
            let replica = drawReplica()
            if replica.isGone { continue }
            end(replica)
            replica.isGone = true
            spare -= 1
        }
    }

    private var agree: Bool {
        let states = activeReplicas.filter { !$0.isGone }.map { replica in
            replica.process?.environment.keyspace?.appliedIndex
        }
        return Liveness.agree(
            applied: states, leader: currentLeader?.process?.core.raft?.lastIndex,
            committed: committed.lastIndex)
    }

    func checkLeases() throws(Violation) {
        guard currentLeader != nil else { return }
        try leaseOracle.checkEnds(
            now: now, since: max(steadySince, heldUpUntil),
            electionMilliseconds: scenario.electionMilliseconds, standing: committed.model.leases)
    }

    private func go(_ what: String, until isDone: () -> Bool) throws(Violation) {
        let begun = now
        while !isDone() {
            try Liveness.check(what, since: begun, now: now)
            try step()
        }
        trace(what)
    }
}
