import Basics
import Raft

/// What goes wrong, until the cluster is healed.
///
/// The contract: any number of replicas may crash and lose power, because what they acknowledged is
/// synced; at most one replica at a time loses its disk, and it comes back only as a new member; a
/// disk returns what was synced to it; processes do not lie.
extension Simulation {
    private enum Fault {
        case partition, oneWay, isolate, heal, kill, powerCut, blackout, slowDisk, pause, transfer
        case replace
    }

    func injectFault() throws(Violation) {
        guard !isHealed else { return }
        queue.add(.fault, at: now + scenario.faultInterval / 2 + below(scenario.faultInterval))
        var choices: [Fault] = []
        if scenario.partitions { choices += [.partition, .isolate, .heal, .heal] }
        if scenario.oneWayPartitions { choices += [.oneWay, .heal] }
        if scenario.kills { choices += [.kill, .kill] }
        if scenario.powerCuts { choices += [.powerCut, .powerCut, .blackout] }
        if scenario.slowDisks { choices += [.slowDisk] }
        if scenario.pauses { choices += [.pause] }
        if scenario.transfers { choices += [.transfer] }
        if scenario.replacements { choices += [.replace] }
        guard !choices.isEmpty else { return }
        try inject(choices[random.below(choices.count)])
    }

    private func inject(_ fault: Fault) throws(Violation) {
        let members = nodes.filter { !$0.isRetired }.map(\.id)
        let victim = drawVictim(members)
        trace("fault: \(fault)")
        switch fault {
        case .partition: network.split(members, &random)
        case .oneWay: network.cutOneWay(members, &random)
        case .isolate:
            for other in members where other != victim.id {
                network.block(from: victim.id, to: other)
                network.block(from: other, to: victim.id)
            }
        case .heal: network.heal()
        case .kill: try crash(victim, losesPower: false)
        case .powerCut: try crash(victim, losesPower: true)
        case .blackout:
            for id in members { try crash(node(id), losesPower: true) }
        case .slowDisk:
            victim.diskSlowness = victim.diskSlowness == 1 ? 10 + below(50) : 1
        case .pause:
            if victim.isRunning { victim.pausedUntil = now + 50_000 + below(2_000_000) }
        case .transfer:
            guard let leader = currentLeader else { return }
            _ = leader.raft.transferLeadership(to: victim.id)
            try pump(leader)
        case .replace:
            if replacement == nil, nodes.count < 12 { try replace(victim) }
        }
    }

    /// Often the leader, or a replica that waits for its disk: there a fault does most.
    private func drawVictim(_ members: [UInt64]) -> Node {
        let any = node(members[random.below(members.count)])
        switch random.below(4) {
        case 0: return currentLeader ?? any
        case 1: return nodes.first { $0.isRunning && $0.underWay != nil } ?? any
        default: return any
        }
    }

    private func crash(_ node: Node, losesPower: Bool) throws(Violation) {
        guard node.isRunning else { return }
        try stop(node, losesPower: losesPower)
        // Some come back before anybody noticed, some after elections and compactions.
        let rest = 500 + below([3_000, 30_000, 500_000, 4_000_000][random.below(4)])
        queue.add(.restart(node: node.id, epoch: node.epoch), at: now + rest)
    }

    /// The running leader of the newest term.
    var currentLeader: Node? {
        nodes.filter { $0.isRunning && $0.raft.role == .leader && $0.pausedUntil <= now }
            .max { $0.raft.term < $1.raft.term }
    }

    func healEverything() throws(Violation) {
        trace("healed")
        isHealed = true
        network.heal()
        for node in nodes where !node.isRetired {
            node.diskSlowness = 1
            node.pausedUntil = 0
            if !node.isRunning { try start(node) }
        }
    }
}
