import Keyspace
import Raft
import Simulator
import Testing

/// What clients heard against the log, made by hand: who is given which place in the order.
@Suite struct ClientHistoryTests {
    private let noOrder = "strict serializability: no order explains the answers"

    /// The log and the clients' operations, in the order of positions.
    private struct Run {
        private(set) var log = CommittedLog()
        private var positions: [Int] = []
        private var operations: [ClientOperation] = []

        /// The entry of a command is first applied. Returns what the client is to be told.
        mutating func apply(_ command: Command, at position: Int) throws -> UInt64 {
            var model = log.model
            let answer = ResultDigest.of(model.apply(command))
            let entry = Entry(term: 1, index: log.lastIndex + 1, payload: command.encode())
            _ = try log.applied(entry, by: 1, maxTerm: 1)
            positions.append(position)
            return answer
        }

        /// A command that is applied, and whose client hears of it at `answered`, if at all.
        mutating func serve(
            _ command: Command, called: Int, applied: Int, answered: Int?
        ) throws {
            let answer = try apply(command, at: applied)
            ask(command, called: called, answered.map { (answer: answer, at: $0) })
        }

        mutating func ask(_ command: Command, called: Int, _ heard: (answer: UInt64, at: Int)?) {
            var operation = ClientOperation(
                client: 0, request: .command(command), called: called, calledAt: 0)
            operation.payload = command.encode()
            add(&operation, heard)
        }

        /// A command that is said to have been refused.
        mutating func refuse(_ command: Command, called: Int) {
            var operation = ClientOperation(
                client: 0, request: .command(command), called: called, calledAt: 0)
            operation.payload = command.encode()
            operation.isRefused = true
            add(&operation, nil)
        }

        /// A read that finds what is in `model`.
        mutating func read(_ model: ModelKeyspace, called: Int, returned: Int) {
            let request = RangeRequest(.all)
            var operation = ClientOperation(
                client: 1, request: .range(request), called: called, calledAt: 0)
            add(&operation, (ResultDigest.of(model.range(request)), returned))
        }

        private mutating func add(
            _ operation: inout ClientOperation, _ heard: (answer: UInt64, at: Int)?
        ) {
            operation.answer = heard?.answer
            if let heard { operation.returned = heard.at }
            operations.append(operation)
        }

        func check() throws -> Bool {
            var history = ClientHistory(log, positions: positions)
            for (number, operation) in operations.enumerated() {
                try history.add(operation, number)
            }
            return try history.check()
        }
    }

    private let write = transaction(put("a", "1"))

    /// Called at 1, applied at 4, answered at 7.
    @Test func whatIsAppliedIsSeen() throws {
        let reads = [(2, 3, false), (2, 5, false), (2, 3, true), (5, 6, true)]
        for (called, returned, isSeen) in reads {
            var run = Run()
            let before = run.log.model
            try run.serve(write, called: 1, applied: 4, answered: 7)
            run.read(isSeen ? run.log.model : before, called: called, returned: returned)
            #expect(try run.check())
        }
        var run = Run()
        let before = run.log.model
        try run.serve(write, called: 1, applied: 4, answered: 7)
        run.read(before, called: 5, returned: 6)
        expectViolation(noOrder) { _ = try run.check() }
    }

    /// Who gave up does not know the answer, but the log does know when it took effect.
    @Test func withoutAnAnswer() throws {
        for isStale in [false, true] {
            var run = Run()
            let before = run.log.model
            try run.serve(write, called: 1, applied: 4, answered: nil)
            run.read(isStale ? before : run.log.model, called: 5, returned: 6)
            if isStale {
                expectViolation(noOrder) { _ = try run.check() }
            } else {
                #expect(try run.check())
            }
        }
    }

    /// What never came into the log took no effect, and nobody was told that it did.
    @Test func whatTheLogNeverHad() throws {
        let before = ModelKeyspace()
        var after = before
        let answer = ResultDigest.of(after.apply(write))
        var run = Run()
        run.ask(write, called: 1, nil)
        run.read(before, called: 2, returned: 3)
        #expect(try run.check())
        run.read(after, called: 4, returned: 5)
        expectViolation(noOrder) { _ = try run.check() }
        var lost = Run()
        lost.ask(write, called: 1, (answer, 2))
        expectViolation("lease 0 was acknowledged and is not in the log") {
            _ = try lost.check()
        }
    }

    /// Of other failures a client cannot tell; of this one it can.
    @Test func whatWasRefusedIsNotInTheLog() throws {
        var run = Run()
        let before = run.log.model
        run.refuse(write, called: 1)
        run.read(before, called: 2, returned: 3)
        #expect(try run.check())
        _ = try run.apply(write, at: 4)
        expectViolation("was refused and is entry 1 of the log") { _ = try run.check() }
    }

    @Test func answerOfAnotherState() throws {
        var run = Run()
        try run.serve(write, called: 1, applied: 2, answered: 3)
        let second = transaction(put("b", "1"))
        _ = try run.apply(second, at: 5)
        var alone = ModelKeyspace()
        run.ask(second, called: 4, (ResultDigest.of(alone.apply(second)), 6))
        expectViolation(noOrder) { _ = try run.check() }
    }

    /// Lease 5 has a key from position 5 on, and its end is applied at 9: by itself, or because a
    /// client asked for it, who may be told of either end.
    @Test func endOfALease() throws {
        for isRevoked in [false, true] {
            var run = Run()
            let grant = Command.leaseGrant(id: 5, ttlSeconds: 3)
            try run.serve(grant, called: 1, applied: 2, answered: 3)
            let keep = transaction(put("a", "1", lease: 5))
            try run.serve(keep, called: 4, applied: 5, answered: 6)
            let kept = run.log.model
            let end = Command.leaseRevoke(id: 5)
            _ = try run.apply(end, at: 9)
            if isRevoked { run.ask(end, called: 7, (0, 10)) }
            run.read(kept, called: 7, returned: 8)
            run.read(run.log.model, called: 11, returned: 12)
            #expect(try run.check())
            run.read(kept, called: 13, returned: 14)
            expectViolation(noOrder) { _ = try run.check() }
        }
    }
}
