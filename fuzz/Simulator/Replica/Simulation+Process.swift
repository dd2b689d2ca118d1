import Basics
import Glibc
import Keyspace
import Raft
import ReplicaCore
import WriteAheadLog

/// Processes that begin, run their rounds, and end.
extension Simulation {
    func start(_ replica: SimulatedReplica) throws(Violation) {
        replica.epoch += 1
        let files = OneThread(replica.files)
        replica.settings.makeLogFiles = { _ in files.value }
        // An empty replica that never promised anything may begin again.
        replica.settings.isNewCluster = replica.condition == .good && replica.isBlank
        // As `martlet` does it: whoever was added since is among them.
        let isFounding = replica.settings.isNewCluster
        replica.settings.members = (1...scenario.places).filter { number in
            number <= scenario.replicas || !isFounding && replicas[number - 1].condition != .spare
        }.map(member)
        let (world, number, epoch) = (OneThread(self), replica.number, replica.epoch)
        replica.settings.notice = { world.value.trace("\(number): \($0)") }
        replica.settings.keyspace.onDamage = { world.value.damaged(number, epoch, $0) }
        // Before the opening, which may be the one read that goes wrong. What is left behind damage
        // can be rebuilt from nothing else while it lasts.
        let isDamaged = replica.isDamaged || replica.hasLostTail
        let opened: OpenedReplica
        do throws(ReplicaFailure) {
            opened = try ReplicaOpening(replica.settings).open()
        } catch {
            return ended(replica, replica.directory.noteDamage(of: error))
        }
        try checkRecovered(opened, replica, isDamaged: isDamaged)
        let environment = SimulatedEnvironment(
            self, replica, opened.log, ownID: opened.memberID)
        let core = ReplicaCore(
            replica.settings, opened, environment: environment,
            now: replica.clock.time(at: now))
        let process = SimulatedProcess(core, environment)
        replica.process = process
        trace(
            "\(replica.number) starts as member \(opened.memberID): \(replica.durable.text), "
                + "applied \(opened.initial.applied)")
        do throws(ReplicaFailure) { try core.begin() } catch { return exit(replica, error) }
        checkReach(replica)
        process.applied = opened.initial.applied
        if let keyspace = environment.keyspace, opened.memberID != 0 {
            try compareState(keyspace, replica)
        }
        scheduleRound(replica, at: now)
        queue.add(.linkCheck(replica.number, epoch: replica.epoch), at: now + below(20_000))
        scheduleScrub(replica)
    }

    private func checkRecovered(
        _ opened: OpenedReplica, _ replica: SimulatedReplica, isDamaged: Bool
    ) throws(Violation) {
        let found = LogMirror(opened.initial)
        if !isDamaged {
            try replica.durable.checkRestart(
                replica.number, finds: found, isLost: opened.initial.lost != nil,
                inFlight: replica.inFlight)
        }
        if isDamaged { replica.lostLogs.append((opened.memberID, replica.durable)) }
        replica.hasLostTail = opened.initial.lost != nil
        replica.durable = found
        replica.issued = found
        replica.inFlight = []
    }

    /// Wakes the core's thread at a time; an earlier wake-up stays.
    func scheduleRound(_ replica: SimulatedReplica, at time: UInt64) {
        guard replica.process != nil else { return }
        replica.roundAt = min(replica.roundAt, time)
    }

    func tell(_ replica: SimulatedReplica, _ input: ReplicaInput) {
        replica.process?.inbox.append(input)
        scheduleRound(replica, at: now + 5 + below(40))
    }

    func runRound(_ replica: SimulatedReplica) throws(Violation) {
        replica.roundAt = .max
        guard let process = replica.process else { return }
        guard replica.pausedUntil <= now else {
            replica.roundAt = replica.pausedUntil
            return
        }
        let inputs = process.inbox
        process.inbox = []
        do throws(ReplicaFailure) {
            try process.core.step(inputs, now: replica.clock.time(at: now))
        } catch {
            return exit(replica, error)
        }
        try look(replica)
        let next = replica.clock.world(of: process.core.nextRound)
        scheduleRound(replica, at: max(next, now + 1))
        if !process.inbox.isEmpty { scheduleRound(replica, at: now + 5) }
    }

    /// The replica cannot go on by itself.
    private func exit(_ replica: SimulatedReplica, _ failure: ReplicaFailure) {
        if failure.damage != nil {
            do throws(Violation) {
                try replica.harm.checkGivenUp(replica.number, for: .damage, "\(failure)")
            } catch {
                violation = error
            }
        }
        let failure = replica.directory.noteDamage(of: failure)
        replica.process?.core.abandon()
        if failure.isRemoval { replica.directory.markRemoved() }
        end(replica)
        ended(replica, failure)
    }

    private func ended(_ replica: SimulatedReplica, _ failure: ReplicaFailure) {
        trace("\(replica.number) ends with \(failure.exitCode): \(failure)")
        if failure.fatalExit != nil {
            // Its supervisor leaves it alone from now on.
            replica.condition = .broken
        } else {
            let time = now + 100_000 + below(1_000_000)
            queue.add(.restart(replica.number, epoch: replica.epoch), at: time)
        }
    }

    /// The process is gone, without a last word.
    func end(_ replica: SimulatedReplica) {
        guard let process = replica.process else { return }
        if process.core.memberID != 0 { replica.lastMemberID = process.core.memberID }
        process.environment.keyspace?.stop()
        replica.process = nil
        replica.roundAt = .max
        replica.epoch += 1
        replica.pausedUntil = 0
    }

    /// The power fails: what was not synced may be lost or torn, and the keyspace file is not to
    /// be trusted, which the next start sees by the boot id.
    func cutPower(_ replica: SimulatedReplica) {
        end(replica)
        replica.files.crash(&random)
        let mark = replica.directory.keyspace + "/" + BootMark.fileName
        guard FileSystem.exists(mark) else { return }
        do {
            try FileSystem.replace(mark, Array("running an-earlier-boot\n".utf8))
        } catch {
            violation = .correctness("cannot write \(mark): \(error)")
        }
    }

    // MARK: After each round

    func look(_ replica: SimulatedReplica) throws(Violation) {
        guard let process = replica.process else { return }
        try process.core.withRaft { raft throws(Violation) in
            try look(&raft, replica, process)
        }
    }

    private func look(
        _ raft: inout Raft, _ replica: SimulatedReplica, _ process: SimulatedProcess
    ) throws(Violation) {
        hash.add(UInt64(replica.number) << 56 ^ raft.term << 32 ^ raft.commitIndex)
        if raft.role != process.role {
            process.role = raft.role
            trace("\(replica.number) is \(raft.role) of term \(raft.term)")
        }
        if raft.role == .leader, process.leaderTerm != raft.term {
            process.leaderTerm = raft.term
            steadySince = now
            try invariants.elected(raft, committed)
            process.commit = raft.commitIndex
        } else if raft.role == .leader, raft.commitIndex > process.commit {
            try checkCommit(raft, process)
            process.commit = raft.commitIndex
        }
        for peer in raft.progress {
            try RaftInvariants.window(
                to: peer.id, appends: peer.appendsInFlight,
                max: replica.settings.inflightMessagesMax)
        }
        if process.membership != raft.membership { process.membership = raft.membership }
        if process.tally != raft.tally { noteTally(raft.tally, process) }
        if raft.lost == nil, process.environment.isLogIdle { replica.hasLostTail = false }
        if let state = process.environment.keyspace?.state {
            if replica.isWrong { process.monotony.forgetRevisions() }
            try process.monotony.check(
                &raft, stateIndex: state.appliedIndex, revision: state.revision,
                compactRevision: state.compactRevision)
            try checkApplied(state.appliedIndex, replica, process)
        }
    }

    private func noteTally(_ tally: Tally, _ process: SimulatedProcess) {
        let old = process.tally
        process.tally = tally
        coverage.noteReached(.leaseRead, times: tally.leaseReads - old.leaseReads)
        coverage.noteReached(
            .refusedProposal, times: tally.refusedProposals - old.refusedProposals)
        coverage.noteReached(.heldAppend, times: tally.heldAppends - old.heldAppends)
    }

    private func checkApplied(
        _ applied: UInt64, _ replica: SimulatedReplica, _ process: SimulatedProcess
    ) throws(Violation) {
        guard applied > process.applied || process.mustCompare else { return }
        var index = process.applied + 1
        while index <= applied {
            if let term = replica.issued.term(at: index), index > replica.issued.offset,
                let entry = invariants.entry(index: index, term: term)
            {
                if try committed.applied(
                    entry, by: replica.number, maxTerm: invariants.maxTerm)
                {
                    try noteFirstApplied(index)
                }
            }
            index += 1
        }
        process.applied = applied
        process.mustCompare = false
        if let keyspace = process.environment.keyspace { try compareState(keyspace, replica) }
    }

    private func noteFirstApplied(_ index: UInt64) throws(Violation) {
        position += 1
        appliedPositions.append(position)
        if case .leaseRevoke(let id) = committed.items[Int(index) - 1].command {
            try leaseOracle.ended(id, now: now)
        }
    }

    /// The whole state of a replica, against the reference.
    func compareState(
        _ keyspace: Keyspace, _ replica: SimulatedReplica
    ) throws(Violation) {
        // Not before somebody has met the damage who has to.
        guard !replica.isRotten else { return }
        let state = keyspace.state
        guard case .success(let response) = keyspace.range(RangeRequest(.all)),
            case .success(let leases) = keyspace.leases()
        else { throw .correctness("the state of replica \(replica.number) cannot be read") }
        let digest = ResultDigest.ofState(
            response.keyValues, revision: response.revision, state.compactRevision,
            leases.map(\.id))
        hash.add(digest)
        if replica.isWrong {
            guard committed.holds(digest, at: state.appliedIndex) else { return }
            // What is seen of a state may be right again when its running hash is not: a later
            // change can take the place of the wrong one. Replicas go by the hash.
            guard let hash = committed.hash(at: state.appliedIndex) else {
                replica.process?.mustCompare = true
                return
            }
            guard hash == keyspace.hash else { return }
            trace("the state of \(replica.number) is right again")
            replica.isWrong = false
        }
        try committed.agrees(digest, at: state.appliedIndex, of: replica.number)
        try committed.note(hash: keyspace.hash, at: state.appliedIndex, of: replica.number)
    }
}
