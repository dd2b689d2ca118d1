import Basics
import Raft
import ReplicaCore

/// Connections between replicas. What a connection carries may get lost, late and out of order, as
/// if it broke and was made again; Raft's messages may come twice as well.
extension Simulation {
    func transmit(
        _ packet: Packet, from: Int, _ to: Int, fromMember: UInt64, toMember: UInt64
    ) {
        guard !network.isBlocked(from, to), !chance(per10000: scenario.lossPer10000) else {
            return
        }
        var copies = 1
        if case .messages = packet, chance(per10000: scenario.duplicatePer10000) { copies = 2 }
        for _ in 0..<copies {
            queue.add(
                .deliver(
                    packet, from: from, lives: (replicas[from - 1].life, replicas[to - 1].life),
                    to: to, fromMember: fromMember, toMember: toMember),
                at: arrival(from: from, to))
        }
    }

    private func arrival(from: Int, _ to: Int) -> UInt64 {
        var time = max(now, network.clog(from, to)) + scenario.delayMin
        time += below(scenario.delayMax)
        if chance(per10000: scenario.latePer10000) { time += below(scenario.lateMax) }
        return time
    }

    func deliver(
        _ packet: Packet, _ from: Int, _ lives: (from: Int, to: Int), _ to: Int,
        _ fromMember: UInt64, _ toMember: UInt64, _ event: SimulationEvent
    ) {
        let epoch = replicas[to - 1].epoch
        guard let replica = live(to, epoch, event), !network.isBlocked(from, to),
            replica.process?.core.memberID == toMember
        else { return }
        // What was on its way to a process whose directory is lost does not come to the next one,
        // and who finds that a member has lost its directory hangs up on what went before.
        let sender = replicas[from - 1]
        let id = sender.process?.core.memberID ?? 0
        let isForgotten =
            id == fromMember || id == 0 && committed.membership.learners.contains(fromMember)
        guard replica.life == lives.to, sender.life == lives.from || !isForgotten else { return }
        switch packet {
        case .messages(let encoded):
            var messages: [Message] = []
            for bytes in encoded {
                do {
                    messages.append(try Message(decoding: bytes))
                } catch {
                    violation = .correctness("a message does not decode: \(error)")
                }
            }
            for message in messages { acknowledgements.heard(message) }
            tell(replica, .messages(messages))
        case .requests(let requests): tell(replica, .peerRequests(from: fromMember, requests, nil))
        case .answers(let answers): tell(replica, .peerAnswers(from: fromMember, answers))
        }
    }

    /// Connections that broke or came to be since the last look.
    func checkLinks(_ replica: SimulatedReplica) {
        queue.add(
            .linkCheck(replica.number, epoch: replica.epoch), at: now + 30_000 + below(60_000))
        guard let environment = replica.process?.environment else { return }
        for (position, link) in environment.links.enumerated() {
            let isUp = isReachable(link, from: replica, environment)
            guard isUp != link.isUp else { continue }
            environment.setLink(position, isUp: isUp, epoch: replicas[link.number - 1].epoch)
            trace("\(replica.number) \(isUp ? "reaches" : "lost") \(link.number)")
            tell(replica, isUp ? .peerUp(link.member.id) : .peerDown(link.member.id))
        }
    }

    private func isReachable(
        _ link: SimulatedEnvironment.Link, from replica: SimulatedReplica,
        _ environment: SimulatedEnvironment
    ) -> Bool {
        let peer = replicas[link.number - 1]
        guard let process = peer.process, !link.isUp || link.epoch == peer.epoch else {
            return false
        }
        let there = network.isBlocked(replica.number, link.number)
        let back = network.isBlocked(link.number, replica.number)
        if there || back { return link.isUp && !(there && back) }
        if peer.pausedUntil > now { return link.isUp }
        var greeter = member(replica.number)
        greeter.id = environment.ownID
        guard process.core.memberID == link.member.id else {
            invite(link, process.environment, replica, greeter)
            return false
        }
        if !link.isUp { tell(peer, .greeted(greeter)) }
        return true
    }

    /// A replica without data was dialled, or one that promised nothing under another id. What both
    /// say is on its way for a while, and what the dialler says may come to a later process.
    private func invite(
        _ link: SimulatedEnvironment.Link, _ there: SimulatedEnvironment,
        _ replica: SimulatedReplica, _ greeter: ReplicaMember
    ) {
        if link.token != 0 {
            let invitation = Invitation(memberID: link.member.id, token: link.token)
            queue.add(
                .invitation(greeter, invitation, to: link.number),
                at: arrival(from: replica.number, link.number))
        }
        guard there.joinToken != 0, there.joinToken != link.token else { return }
        queue.add(
            .found(
                link.member.id, token: there.joinToken, replica.number, epoch: replica.epoch),
            at: arrival(from: link.number, replica.number))
    }

    func deliver(
        _ invitation: Invitation, _ greeter: ReplicaMember, _ number: Int,
        _ event: SimulationEvent
    ) {
        guard let replica = live(number, replicas[number - 1].epoch, event),
            let process = replica.process, process.core.memberID != invitation.memberID
        else { return }
        // As `PeerAcceptor` has it.
        guard process.environment.joinToken == invitation.token else { return }
        tell(replica, .invited(by: greeter, invitation))
    }

    func traceMessage(_ message: Message, from replica: SimulatedReplica) {
        guard options.trace != nil else { return }
        var text = "\(message.body)"
        if case .append(let index, let term, let entries, let commit) = message.body {
            let names = entries.map { "\($0.term)/\($0.index)" }.joined(separator: " ")
            text = "append after \(term)/\(index): [\(names)] commit \(commit)"
        }
        trace("\(message.from)->\(message.to) term \(message.term) \(text)")
    }
}
