import Basics
import Keyspace
import Raft
import ReplicaCore
import WriteAheadLog

/// What goes wrong, until the cluster is healed.
///
/// The atlas: any number of replicas may crash, lose power or be paused, because what they
/// acknowledged is synced. What destroys synced data (damage, a lost directory) or makes a disk
/// untrustworthy happens to one replica at a time, only where a quorum remains without it, and not
/// again before that replica votes anew: so one good copy of everything committed is left.
extension Simulation {
    func injectFault() throws(Violation) {
        guard !isHealed else { return }
        queue.add(.fault, at: now + scenario.faultInterval / 2 + below(scenario.faultInterval))
        if random.chance(1, in: 3) {
            network.heal()
            network.unclog()
            return trace("the network heals")
        }
        let choices = scenario.faults.filter { $0 != .snapshotCut }
        guard !choices.isEmpty else { return }
        let fault = choices[random.below(choices.count)]
        let victim = drawVictim(of: fault)
        guard isAllowed(fault, victim) else { return }
        trace("fault: \(fault.rawValue) at \(victim.number)")
        coverage.note(fault, victim.process?.core.raft?.role)
        try inject(fault, victim)
    }

    func isAllowed(_ fault: FaultKind, _ victim: SimulatedReplica) -> Bool {
        switch fault {
        case .syncError, .bitRot, .spareRot, .misdirectedWrite, .misread, .keyspaceRot,
            .wrongState, .lostDirectory, .churn:
            // After members were changed, the quorum may need everybody for a while.
            (scenario.replicas >= 3 && canSpareOne || fault == .keyspaceRot || fault == .churn)
                && (lastChurn == 0 || now > lastChurn + 10_000_000)
                && replicas.allSatisfy { $0.isSettled && !$0.isDamaged && !$0.isRotten }
                && replicas.allSatisfy { !$0.files.isHarmedWhereUnused && !$0.isWrong }
                && replicas.allSatisfy { !$0.hasLostTail && $0.files.syncsUntilFailure == nil }
        case .learner:
            lastChurn == 0 || now > lastChurn + 10_000_000
        case .lostLearner: isPlainLearner(victim)
        case .removedJoiner: victim.condition == .beingReplaced
        default: true
        }
    }

    /// Whether nobody's majority has counted or may count on what it has.
    func isPlainLearner(_ replica: SimulatedReplica) -> Bool {
        let id = replica.process.map { $0.core.memberID } ?? replica.lastMemberID
        guard replica.condition == .learning, id != 0 else { return false }
        return !committed.membership.isVoter(id)
            && replicas.allSatisfy { other in
                let raft = other.process?.core.raft
                return raft.map { !$0.membership.isVoter(id) } ?? true
                    && !hasOpenChange(other.durable)
            }
    }

    /// Without any one voter the others are a majority, also once a change of the members that is
    /// in somebody's log counts.
    private var canSpareOne: Bool {
        committed.membership.voters.count >= 3 && !committed.membership.isJoint
            && replicas.allSatisfy { replica in
                let raft = replica.process?.core.raft
                return raft.map { $0.membership == $0.appliedMembership } ?? true
                    && !hasOpenChange(replica.durable)
            }
    }

    private func hasOpenChange(_ log: LogMirror) -> Bool {
        guard log.lastIndex > committed.lastIndex else { return false }
        return (committed.lastIndex + 1...log.lastIndex).contains { index in
            let entry = log.term(at: index).flatMap { invariants.entry(index: index, term: $0) }
            return entry?.kind == .membership
        }
    }

    private func inject(_ fault: FaultKind, _ victim: SimulatedReplica) throws(Violation) {
        switch fault {
        case .partition: network.split(&random)
        case .oneWay: network.cutOneWay(&random)
        case .isolate: network.isolate(victim.number)
        case .clog: clog(victim)
        case .kill: crash(victim, losesPower: false)
        case .powerCut: crash(victim, losesPower: true)
        case .blackout: for replica in replicas { crash(replica, losesPower: true) }
        case .pause:
            // Also for longer than many leases have.
            let longest = [2_000_000, 2_000_000, 8_000_000][random.below(3)] as UInt64
            if victim.process != nil { victim.pausedUntil = now + 50_000 + below(longest) }
        case .slowDisk: victim.diskSlowness = victim.diskSlowness == 1 ? 10 + below(50) : 1
        case .clockJump:
            let milliseconds = [200, 1_000, 10_000][random.below(3)] as UInt64
            victim.clock.jump(milliseconds: milliseconds)
            leaseOracle.clockJumped(by: milliseconds * 1_000)
            scheduleRound(victim, at: now + 1)
        case .syncError: victim.files.syncsUntilFailure = random.below(4)
        case .fullDisk:
            victim.files.capacityBytes = 0
            queue.add(.spaceFreed(victim.number), at: now + 100_000 + below(3_000_000))
        case .lowDisk:
            victim.hasLowDisk = true
            lastLowDisk = now
            queue.add(.spaceFreed(victim.number), at: now + 1_000_000 + below(5_000_000))
        case .bitRot, .misdirectedWrite, .misread: try damage(fault, victim)
        case .spareRot: try damageUnused(victim)
        case .keyspaceRot: rot(victim)
        case .wrongState: try makeWrong(victim)
        case .lostDirectory:
            end(victim)
            victim.condition = .broken
        case .transfer:
            askLeader(
                .transferLeadership(
                    to: random.chance(1, in: 2) ? 0 : victim.process?.core.memberID ?? 0))
        case .learner: try takeInLearner()
        case .lostLearner: loseLearner(victim)
        case .removedJoiner: removeJoiner(victim)
        case .churn: if random.chance(1, in: 2) { try grow() } else { shrink(victim) }
        case .snapshotCut: break
        }
    }

    private func clog(_ victim: SimulatedReplica) {
        for other in replicas where other.number != victim.number {
            let until = now + below(2_000_000)
            if random.chance(2, in: 3) { network.clog(victim.number, other.number, until: until) }
            if random.chance(1, in: 3) { network.clog(other.number, victim.number, until: until) }
        }
    }

    /// Often the leader, or a replica that waits for its disk: there a fault does most.
    private func drawVictim(of fault: FaultKind) -> SimulatedReplica {
        let any = drawReplica()
        switch fault {
        case .lostLearner: return replicas.first(where: isPlainLearner) ?? any
        case .removedJoiner: return replicas.first { $0.condition == .beingReplaced } ?? any
        default: break
        }
        switch random.below(4) {
        case 0: return currentLeader ?? any
        case 1: return replicas.first { $0.process?.environment.batch != nil } ?? any
        default: return any
        }
    }

    private func crash(_ replica: SimulatedReplica, losesPower: Bool) {
        guard replica.process != nil else { return }
        if losesPower { cutPower(replica) } else { end(replica) }
        restartLater(replica)
    }

    func restartLater(_ replica: SimulatedReplica) {
        // Some come back before anybody noticed, some after elections and compactions.
        let rest = 500 + below([3_000, 30_000, 500_000, 4_000_000][random.below(4)])
        queue.add(.restart(replica.number, epoch: replica.epoch), at: now + rest)
    }

    /// A segment changes under the log, or is read wrongly once; the log reads it when it starts
    /// next, or when it is scrubbed.
    ///
    /// Not the end of the newest segment: its last frame proves nothing about itself, so that a log
    /// cannot tell damage there from a torn write.
    private func damage(_ fault: FaultKind, _ victim: SimulatedReplica) throws(Violation) {
        do throws(LogError) {
            guard let (name, count) = try drawSegment(victim.files), count >= 1024 else { return }
            let flip = (offset: random.below(count), mask: UInt8(1 << random.below(8)))
            switch fault {
            case .bitRot: try victim.files.flip(name, at: flip.offset, mask: flip.mask)
            case .misread:
                try victim.files.misread(name, at: flip.offset, mask: flip.mask)
            default:
                let sectors = count / 512
                try victim.files.misdirect(
                    name, from: random.below(sectors), to: random.below(sectors))
            }
        } catch {
            throw .correctness("cannot damage the log: \(error)")
        }
        if random.chance(2, in: 3) { crash(victim, losesPower: false) }
    }

    /// A spare, or the sectors of a segment that hold nothing yet: the log must not mind.
    ///
    /// Not the sector behind the last frame, which the log writes with it.
    private func damageUnused(_ victim: SimulatedReplica) throws(Violation) {
        guard victim.process?.environment.isLogIdle ?? false else { return }
        do throws(LogError) {
            var places: [(name: String, from: Int)] = []
            for name in try victim.files.names() where name.hasSuffix(".spare") {
                places.append((name, 0))
            }
            let scan = try LogScan.scan(victim.files, clusterID: Self.clusterID) { _, _, _ in nil }
            if let newest = scan.segments.last {
                places.append((newest.name, Int(newest.usedBytes) + 512))
            }
            guard !places.isEmpty else { return }
            let (name, from) = places[random.below(places.count)]
            let count = try victim.files.content(of: name).count
            guard from < count else { return }
            try victim.files.flip(
                name, at: from + random.below(count - from), mask: UInt8(1 << random.below(8)),
                isUnused: true)
        } catch {
            throw .correctness("cannot damage the log: \(error)")
        }
        if random.chance(1, in: 3) { crash(victim, losesPower: random.chance(1, in: 2)) }
    }

    /// A segment, and how many of its bytes may be damaged.
    private func drawSegment(
        _ files: MemoryLogFiles
    ) throws(LogError) -> (name: String, count: Int)? {
        var frames: [(file: String, offset: UInt64)] = []
        let scan = try LogScan.scan(files, clusterID: Self.clusterID) { _, file, offset in
            frames.append((file, offset))
            return nil
        }
        guard let newest = scan.segments.last else { return nil }
        let name = scan.segments[random.below(scan.segments.count)].name
        guard name == newest.name else { return (name, try files.content(of: name).count) }
        return (name, Int(frames.last { $0.file == name }?.offset ?? 0))
    }

    private func rot(_ victim: SimulatedReplica) {
        guard let table = KeyspaceRot.strike(victim.keyspaceFile, &random) else { return }
        trace("the table \(table) of \(victim.number) is damaged")
        victim.rottenFile = KeyspaceRot.identity(of: victim.keyspaceFile)
        victim.isRotInUse = true
        victim.process?.scrubber = Scrubber()
    }

    /// The running leader of the newest term.
    var currentLeader: SimulatedReplica? {
        replicas.filter { $0.process?.core.raft?.role == .leader && $0.pausedUntil <= now }
            .max { term($0) < term($1) }
    }

    func term(_ replica: SimulatedReplica) -> UInt64 {
        replica.process?.core.raft?.term ?? 0
    }
}
