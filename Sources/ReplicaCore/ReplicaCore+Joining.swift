import Basics
import Raft

/// Somebody who was a member a moment ago.
struct Leaver {
    var member: ReplicaMember
    var untilTick: UInt64
}

extension ReplicaCore {
    private static let greetersMax = 8

    /// A peer dialled this replica, and is connected.
    ///
    /// A replica that is empty, or so far behind that its members are not those of today, is sent
    /// what it lacks by a leader that it does not know, and has to answer it: etcd's remotes.
    func greeted(by peer: ReplicaMember) {
        if !peer.clientURLs.isEmpty, announced[peer.id] != peer.clientURLs {
            announced[peer.id] = peer.clientURLs
            readdress()
        }
        guard cluster.member(peer.id) == nil else { return }
        var peer = peer
        readdress(&peer)
        greeters.removeAll { $0.name == peer.name }
        greeters.append(peer)
        if greeters.count > Self.greetersMax { greeters.removeFirst() }
        connect()
    }

    // MARK: A replica without data

    /// Whether this replica may take up an id: it has none, or promised nothing under the one that
    /// it has, which may have become nobody's since.
    private var mayJoin: Bool { raft?.mayChangeID ?? true }

    /// Chooses the token of the next invitation, or none. Whoever dials hears of it.
    func renewJoinToken() {
        idsMade += 1
        var random = SeededRandom(seed: settings.seed &+ now.nanoseconds ^ idsMade)
        joinToken = mayJoin ? max(1, random.next()) : 0
        environment.setOwnID(memberID, joinToken: joinToken)
    }

    /// A leader that dialled this replica lets it take up an id.
    func invited(by peer: ReplicaMember, _ invitation: Invitation) throws(ReplicaFailure) {
        guard invitation.token == joinToken, joinToken != 0, mayJoin else { return }
        try environment.join(as: invitation.memberID)
        memberID = invitation.memberID
        if raft == nil {
            raft = Raft(raftConfiguration(), Raft.InitialState(membership: Membership(voters: [])))
        } else {
            raft?.changeID(to: memberID)
        }
        renewJoinToken()
        greeted(by: peer)
    }

    // MARK: The leader

    /// A peer that this replica dialled has no data, and waits for an invitation with that token.
    ///
    /// A voter that lost its directory must not come back under its id: what it promised is
    /// forgotten. Only a leader knows that nobody has made a voter of a learner, and only one that
    /// a quorum confirms after the token was made: a later leader makes a voter of the learner when
    /// it has heard from it, hence from a process that knows the token, or from one after that.
    func found(_ peer: UInt64, waitingWith token: UInt64) {
        let invitation = Invitation(memberID: peer, token: token)
        guard isLearner(peer), !invitations.contains(where: { $0.invitation == invitation })
        else { return }
        raft?.memberBegins(peer)
        let question = reads.ask([])
        invitations.removeAll { $0.invitation.memberID == peer }
        invitations.append(PendingInvitation(invitation: invitation, question: question))
        raft?.readIndex(question)
    }

    /// A read index came, or will not come.
    func settleInvitations(_ question: UInt64, isConfirmed: Bool) {
        guard let position = invitations.firstIndex(where: { $0.question == question }) else {
            return
        }
        if isConfirmed {
            invitations[position].question = nil
        } else {
            invitations.remove(at: position)
        }
    }

    /// The invitations that go out with the next connections.
    var openInvitations: [Invitation] {
        invitations.filter { $0.question == nil }.map(\.invitation)
            .filter { isLearner($0.memberID) }
    }

    private func isLearner(_ id: UInt64) -> Bool {
        guard let raft, raft.role == .leader else { return false }
        return cluster.membership.learners.contains(id) && raft.membership.learners.contains(id)
            && !raft.membership.isVoter(id)
    }

    // MARK: Connections

    private static let farewellTicks: UInt64 = 4

    /// A change is about to take members out. Connections to them, and this replica if it is one of
    /// them, go on for some ticks, so that what is said last arrives: who is out, and what became
    /// of what they asked for.
    func noteRemovals(after next: Membership) {
        for member in addressed.members where !next.contains(member.id) {
            leavers.append(Leaver(member: member, untilTick: ticks + Self.farewellTicks))
        }
    }

    /// Everybody to be connected with. None of the greeters is a voter here: only connections are
    /// made of them.
    func connect() {
        greeters.removeAll { cluster.member($0.id) != nil }
        let parting = leavers.map(\.member)
        let others =
            parting
            + greeters.filter { greeter in
                !parting.contains { $0.id == greeter.id }
            }
        invited = openInvitations
        environment.setMembers(addressed.members + others, invitations: invited)
    }

    func dismissLeavers() throws(ReplicaFailure) {
        guard leavers.contains(where: { $0.untilTick <= ticks }) else { return }
        if leavers.contains(where: { $0.member.id == memberID && $0.untilTick <= ticks }) {
            throw .removed(settings.directory)
        }
        leavers.removeAll { $0.untilTick <= ticks }
        connect()
    }
}
