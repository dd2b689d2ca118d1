import Basics

extension Raft {
    /// One unit of time has passed.
    package mutating func tick() {
        electionElapsed += 1
        ticksSinceHeard += 1
        if role == .leader {
            tickLeader()
        } else {
            ageForwardedReads()
            if electionElapsed >= electionTicks { campaign() }
        }
    }

    private mutating func tickLeader() {
        for slot in peers.indices {
            peers[slot].tick(
                lastIndex: log.lastIndex, electionTicks: configuration.electionTicksMin)
        }
        if electionElapsed >= configuration.electionTicksMin {
            electionElapsed = 0
            transferee = 0
            checkQuorum()
            guard role == .leader else { return }
        }
        watchDisk()
        guard role == .leader else { return }
        advanceMembership()
        heartbeatElapsed += 1
        if heartbeatElapsed >= configuration.heartbeatTicks {
            startLeaseRound()
            sendHeartbeats()
        }
    }

    /// A leader that a quorum has been silent to for an election timeout gives up: its clients must
    /// look elsewhere, and it must not defend itself against candidates.
    private mutating func checkQuorum() {
        let isSupported = membership.isQuorum { voter in
            voter == id || peers.contains { $0.id == voter && $0.isActive }
        }
        for slot in peers.indices { peers[slot].startCheck() }
        if !isSupported { becomeFollower(term: term, leader: 0) }
    }

    /// Stands for election, asking for pre-votes first. Does nothing where that is not allowed: at
    /// a leader, at a member that is no voter, or while a snapshot is installed.
    package mutating func campaign() {
        guard mayCampaign else { return }
        role = .preCandidate
        setLeader(0)
        startBallots()
        let body = Message.Body.preVote(lastIndex: log.lastIndex, lastTerm: log.lastTerm)
        for voter in membership.allVoters where voter != id {
            output.messages.append(Message(from: id, to: voter, term: term + 1, body: body))
        }
        countBallot(of: id, isGranted: true)
    }

    var mayCampaign: Bool {
        // A voter whose removal is not known to be committed may be needed to commit it, though its
        // own vote does not count.
        role != .leader && installing == nil && !wantsSnapshot && lost == nil
            && (isVoter || appliedMembership.isVoter(id)) && !isBlank
    }

    /// The real election. The requests wait for the write of our own vote: a candidate that
    /// forgot its candidacy could otherwise stand again in the same term, with another log, and be
    /// elected by answers to its first requests.
    mutating func stand(isTransfer: Bool) {
        role = .candidate
        setLeader(0)
        term += 1
        vote = id
        ballotNumber = nil
        startBallots()
        let body = Message.Body.vote(
            lastIndex: log.lastIndex, lastTerm: log.lastTerm, isTransfer: isTransfer)
        for voter in membership.allVoters where voter != id {
            if Mutant.isOn(.asksForVotesUnsynced) {
                send(body, to: voter)
            } else {
                sendAfterPersist(body, to: voter)
            }
        }
    }

    private mutating func startBallots() {
        ballots = []
        resetElectionTimer()
    }

    mutating func countBallot(of member: UInt64, isGranted: Bool) {
        guard !ballots.contains(where: { $0.member == member }) else { return }
        ballots.append(Ballot(member: member, isGranted: isGranted))
        let ballots = ballots
        let outcome = membership.outcome { voter in
            ballots.first { $0.member == voter }?.isGranted
        }
        switch outcome {
        case .won where role == .preCandidate: stand(isTransfer: false)
        case .won: becomeLeader()
        case .lost: becomeFollower(term: term, leader: 0)
        case .pending: break
        }
    }

    mutating func becomeFollower(term newTerm: UInt64, leader newLeader: UInt64) {
        precondition(newTerm >= term, "term \(newTerm) is older than \(term)")
        if role == .leader { resignLeadership() }
        if newTerm > term {
            term = newTerm
            vote = 0
        }
        role = .follower
        ballots = []
        setLeader(newLeader)
        resetElectionTimer()
    }

    private mutating func becomeLeader() {
        precondition(role == .candidate && vote == id)
        role = .leader
        setLeader(id)
        ballots = []
        electionElapsed = 0
        heartbeatElapsed = 0
        transferee = 0
        disk = DiskWatch()
        reads = ReadBatches()
        lease = ReadLease()
        uncommittedBytes = log.uncommittedBytes
        let agreed = Mutant.isOn(.appendCommitsAll) ? log.commit : log.lastIndex
        peers = membership.all.filter { $0 != id }.map { Progress(id: $0, next: agreed + 1) }
        appendOwn([Entry(term: term, index: log.lastIndex + 1, payload: [])])
        membershipBarrier = log.lastIndex
    }

    private mutating func resignLeadership() {
        output.abandonedReads += reads.tokens(of: id)
        reads = ReadBatches()
        peers = []
        transferee = 0
    }

    /// The shell is sure that the leader is gone: candidates are no longer ignored because of it.
    /// Does nothing where leaders have leases, which rest on that.
    package mutating func forgetLeader() {
        guard role == .follower, configuration.leaseNanoseconds == 0 else { return }
        setLeader(0)
    }

    /// Reads that the leader before was asked about get no answer any more.
    private mutating func setLeader(_ newLeader: UInt64) {
        guard newLeader != leader else { return }
        leader = newLeader
        output.abandonedReads += forwarded.map(\.token)
        forwarded = []
    }

    mutating func resetElectionTimer() {
        electionElapsed = 0
        electionTicks =
            configuration.electionTicksMin + random.below(configuration.electionTicksMin + 1)
    }

    /// Whether a leader was heard of so recently that candidates are to be ignored.
    var isInLease: Bool {
        (leader != 0 && electionElapsed < configuration.electionTicksMin) || keepsVote
    }

    /// Where leaders have leases: whether one may count on it that this replica votes for nobody
    /// yet. A restart does not end that, and neither does word of a newer term: who stood for
    /// election in it may have asked for the votes before the lease began.
    var keepsVote: Bool {
        configuration.leaseNanoseconds > 0 && ticksSinceHeard < configuration.electionTicksMin
    }
}
