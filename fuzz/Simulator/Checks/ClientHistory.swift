import Basics
import Keyspace
import Raft

/// What the clients saw of the whole run, and what the log says of it: operations that must have
/// an order.
package struct ClientHistory {
    private var operations: [HistoryOperation] = []
    /// Commands of clients.
    private var payloads: Set<Bytes> = []
    private let log: CommittedLog
    /// When entries were first applied, by index - 1.
    private let positions: [Int]

    package init(_ log: CommittedLog, positions: [Int]) {
        self.log = log
        self.positions = positions
    }

    /// - Parameter number: names the operation.
    package mutating func add(_ operation: ClientOperation, _ number: Int) throws(Violation) {
        @Sendable func name() -> String { "\(number): \(operation.request.text)" }
        switch operation.request {
        case .keepAlive: break
        case .range(let request):
            guard let answer = operation.answer else { return }
            operations.append(
                HistoryOperation(
                    named: name, .range(request), .answer(answer), called: operation.called,
                    returned: operation.returned))
        case .command(let command):
            guard let payload = operation.payload else { return }
            // A lease may end twice, by a client and by itself: the entries speak for both.
            if case .leaseRevoke = command, !log.indexes(of: payload).isEmpty { return }
            payloads.insert(payload)
            if operation.isRefused { try log.checkRefused(payload, name: name) }
            let found = try log.index(
                of: payload, isAcknowledged: operation.answer != nil, name: name)
            guard let index = found else { return }
            let applied = positions[Int(index) - 1]
            // Who heard an error does not know when it took effect, or whether.
            let returned = operation.answer == nil ? applied : operation.returned
            operations.append(
                HistoryOperation(
                    named: name, .command(command),
                    operation.answer.map { .answer($0) } ?? .unknown, called: operation.called,
                    returned: min(returned, applied)))
        }
    }

    /// Whether all of it has an order; false if that was too involved to decide.
    package func check() throws(Violation) -> Bool {
        let all = (operations + ownCommands).sorted { $0.called < $1.called }
        switch StrictSerializability.check(all) {
        case .serializable: return true
        case .undecided: return false
        case .violation(let text): throw .correctness(text)
        }
    }

    /// Commands that the replicas proposed by themselves: ends of leases.
    private var ownCommands: [HistoryOperation] {
        var commands: [HistoryOperation] = []
        for (slot, item) in log.items.enumerated() where !payloads.contains(item.entry.payload) {
            guard case .leaseRevoke(let id) = item.command else { continue }
            commands.append(
                HistoryOperation(
                    "end of lease \(id)", .command(item.command), .unknown,
                    called: slot > 0 ? positions[slot - 1] : 0, returned: positions[slot]))
        }
        return commands
    }
}
