import Basics
import Raft

/// A protocol story: commands, each followed by `----` and the trace it must leave.
///
/// Lines before the first command of a block that begin with `#` are comments. Run the tests with
/// `MARTLET_REWRITE=1` to write the traces of the code as it is, then read the difference.
struct Script {
    struct Step {
        /// Comment lines and the command line, as they stand in the file.
        var head: [String]
        var expected: [String]

        var command: String { head.last ?? "" }
    }

    var steps: [Step] = []

    init(_ text: String) {
        var head: [String] = []
        var expected: [String]?
        for line in text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) {
            if line.isEmpty {
                if let lines = expected { steps.append(Step(head: head, expected: lines)) }
                if expected != nil { head = [] }
                expected = nil
            } else if line == "----" {
                expected = []
            } else if expected != nil {
                expected?.append(line)
            } else {
                head.append(line)
            }
        }
        if let lines = expected { steps.append(Step(head: head, expected: lines)) }
    }

    /// Runs every command on one cluster. Returns the traces in the order of the steps.
    func run() -> [[String]] {
        var cluster = TestCluster(voters: 3)
        return steps.map { step in
            let words = step.command.split(separator: " ").map(String.init)
            execute(words, on: &cluster)
            return cluster.takeTrace()
        }
    }

    func rewritten(with traces: [[String]]) -> String {
        zip(steps, traces).map { step, trace in
            (step.head + ["----"] + trace).joined(separator: "\n") + "\n"
        }.joined(separator: "\n")
    }

    private func execute(_ words: [String], on cluster: inout TestCluster) {
        let numbers = words.dropFirst().compactMap { UInt64($0) }
        let id = numbers.first ?? 1
        switch words[0] {
        case "cluster": cluster = make(words)
        case "quietly":
            execute(Array(words.dropFirst()), on: &cluster)
            _ = cluster.takeTrace()
        case "elect":
            cluster[id].raft.campaign()
            cluster.stabilize()
            _ = cluster.takeTrace()
            cluster.note("\(id) is \(cluster[id].raft.role) of term \(cluster[id].raft.term)")
        case "campaign": cluster[id].raft.campaign()
        case "tick": for _ in 0..<(numbers.dropFirst().first ?? 1) { cluster[id].raft.tick() }
        case "run":
            for _ in 0..<numbers[1] {
                cluster[id].raft.tick()
                cluster.stabilize()
            }
            _ = cluster.takeTrace()
        case "stabilize": cluster.stabilize()
        case "ready": for id in numbers { _ = cluster.handleReady(id) }
        case "deliver":
            let sender = words.count > 3 && words[2] == "from" ? numbers[1] : nil
            cluster.deliver(to: sender == nil ? numbers : [id], from: sender)
        case "lose": cluster.lose(to: id)
        case "propose":
            let payloads = words.dropFirst(2).map { Array($0.utf8) }
            report(cluster[id].raft.propose(payloads), to: &cluster)
        case "change": change(words, id, &cluster)
        case "read": cluster[id].raft.readIndex(numbers[1])
        case "cut": cluster.cutLink(numbers[0], numbers[1])
        case "isolate": cluster.isolate(id)
        case "heal": cluster.heal()
        case "disk": cluster[id].isDiskManual = words[2] == "manual"
        case "persist": cluster.persist(id, count: Int(numbers.dropFirst().first ?? 1))
        case "compact": cluster[id].compact(to: numbers[1])
        case "restart": cluster[id].restart()
        case "unreachable": cluster[id].raft.unreachable(numbers[1])
        case "transfer":
            if !cluster[id].raft.transferLeadership(to: numbers[1]) { cluster.note("refused") }
        case "forget-leader": cluster[id].raft.forgetLeader()
        case "request-snapshot":
            if !cluster[id].raft.requestSnapshot() { cluster.note("refused") }
        case "clock":
            for id in cluster.ids { cluster[id].raft.setClock(numbers[0]) }
        case "seed": seed(words, id, &cluster)
        case "add": cluster.add(id, membership: Membership(voters: []))
        case "status": status(&cluster)
        default: cluster.note("no such command: \(words[0])")
        }
    }

    /// `cluster VOTERS [LEARNERS] [inflight=N] [inflight-bytes=N] [bytes=N] [uncommitted=N]
    /// [lease=N]`
    private func make(_ words: [String]) -> TestCluster {
        var options = TestCluster.Options()
        for word in words {
            let parts = word.split(separator: "=")
            guard parts.count == 2, let value = Int(parts[1]) else { continue }
            switch parts[0] {
            case "inflight": options.inflight = value
            case "bytes": options.messageBytes = value
            case "uncommitted": options.uncommittedBytes = value
            case "inflight-bytes": options.inflightBytes = value
            case "lease": options.leaseNanoseconds = UInt64(value)
            default: break
            }
        }
        let counts = words.dropFirst().compactMap { Int($0) }
        return TestCluster(
            voters: counts[0], learners: counts.count > 1 ? counts[1] : 0, options: options)
    }

    /// `seed ID TERM TERM …`: restarts a replica with a log whose entries have these terms.
    private func seed(_ words: [String], _ id: UInt64, _ cluster: inout TestCluster) {
        let terms = words.dropFirst(2).compactMap { UInt64($0) }
        cluster[id].entries = terms.enumerated().map { offset, term in
            Entry(term: term, index: UInt64(offset + 1), payload: Array("t\(term)".utf8))
        }
        cluster[id].hardState = HardState(term: terms.last ?? 0)
        cluster[id].restart()
    }

    /// `change ID ACTION MEMBER …`, with several actions for one change; `change ID to VOTERS
    /// [LEARNERS]`, comma-separated, for any set.
    private func change(_ words: [String], _ id: UInt64, _ cluster: inout TestCluster) {
        if words[2] == "to" {
            let lists = words.dropFirst(3).map {
                $0.split(separator: ",").compactMap { UInt64($0) }
            }
            let target = Membership(voters: lists[0], learners: lists.count > 1 ? lists[1] : [])
            guard let change = cluster[id].raft.membership.change(to: target) else {
                return cluster.note("nothing to change")
            }
            return report(cluster[id].raft.proposeMembership(change), to: &cluster)
        }
        var steps: [MembershipChange.Step] = []
        for (verb, member) in zip(words.dropFirst(2), words.dropFirst(3)) {
            guard let member = UInt64(member) else { continue }
            let action: MembershipChange.Action
            switch verb {
            case "addVoter": action = .addVoter
            case "addLearner": action = .addLearner
            case "join": action = .join
            default: action = .remove
            }
            steps.append(MembershipChange.Step(action, member))
        }
        report(cluster[id].raft.proposeMembership(MembershipChange(steps)), to: &cluster)
    }

    private func report(_ proposal: Proposal, to cluster: inout TestCluster) {
        switch proposal {
        case .accepted(let index, let term): cluster.note("accepted \(term)/\(index)")
        case .notLeader(let leader): cluster.note("not leader, ask \(leader)")
        case .transferring: cluster.note("held, a transfer is under way")
        case .refused: cluster.note("refused")
        }
    }

    private func status(_ cluster: inout TestCluster) {
        for replica in cluster.replicas {
            let raft = replica.raft
            cluster.note(
                "\(raft.id) \(raft.role) term=\(raft.term) leader=\(raft.leader)"
                    + " commit=\(raft.commitIndex) last=\(raft.lastTerm)/\(raft.lastIndex)"
                    + " durable=\(raft.persistedIndex)"
                    + " " + Trace.describe(raft.membership))
            for peer in raft.progress {
                cluster.note("  \(peer.id) \(peer.state) match=\(peer.match) next=\(peer.next)")
            }
        }
    }
}
