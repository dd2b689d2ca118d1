import Basics
import Keyspace
import Simulator
import Testing

/// Histories made by hand. Each true one is made by running commands on the model in an order; the
/// bad ones differ in one thing.
@Suite struct StrictSerializabilityTests {
    private func command(
        _ command: Command, on model: inout ModelKeyspace, _ called: Int, _ returned: Int
    ) -> HistoryOperation {
        let answer = ResultDigest.of(model.apply(command))
        return HistoryOperation(
            "\(command)", .command(command), .answer(answer), called: called, returned: returned)
    }

    private func read(
        _ range: KeyRange, of model: ModelKeyspace, _ called: Int, _ returned: Int
    ) -> HistoryOperation {
        let answer = ResultDigest.of(model.range(RangeRequest(range)))
        return HistoryOperation(
            "range", .range(RangeRequest(range)), .answer(answer), called: called,
            returned: returned)
    }

    private func isBad(_ history: [HistoryOperation]) -> Bool {
        if case .violation = StrictSerializability.check(history) { true } else { false }
    }

    @Test func inOrder() {
        var model = ModelKeyspace()
        var history = [command(transaction(put("a", "1")), on: &model, 1, 2)]
        history.append(read(.all, of: model, 3, 4))
        history.append(command(transaction(put("a", "2"), put("b", "2")), on: &model, 5, 6))
        history.append(read(.all, of: model, 7, 8))
        #expect(StrictSerializability.check(history) == .serializable)
    }

    @Test func staleRead() {
        var model = ModelKeyspace()
        let before = model
        let history = [
            command(transaction(put("a", "1")), on: &model, 1, 2), read(.all, of: before, 3, 4),
        ]
        #expect(isBad(history))
        // Overlapping the write it is fine.
        var other = history
        other[1].called = 2
        #expect(StrictSerializability.check(other) == .serializable)
    }

    @Test func acknowledgedWriteIsLost() {
        var model = ModelKeyspace()
        let first = command(transaction(put("a", "1")), on: &model, 1, 2)
        var without = ModelKeyspace()
        let second = command(transaction(put("b", "1")), on: &without, 3, 4)
        #expect(isBad([first, second]))
    }

    @Test func writeHappensTwice() {
        var model = ModelKeyspace()
        let first = command(transaction(put("a", "1")), on: &model, 1, 2)
        _ = model.apply(transaction(put("a", "1")))
        #expect(isBad([first, read(.all, of: model, 3, 4)]))
    }

    @Test func halfOfATransactionIsSeen() {
        var model = ModelKeyspace()
        var half = model
        let whole = command(transaction(put("a", "1"), put("b", "1")), on: &model, 1, 4)
        _ = half.apply(transaction(put("a", "1")))
        #expect(isBad([whole, read(.all, of: half, 2, 3)]))
    }

    @Test func readsGoBack() {
        var model = ModelKeyspace()
        let before = model
        let write = command(transaction(put("a", "1")), on: &model, 1, 8)
        let new = read(.all, of: model, 2, 3)
        let old = read(.all, of: before, 4, 5)
        #expect(isBad([write, new, old]))
        #expect(!isBad([write, old, read(.all, of: model, 6, 7)]))
    }

    @Test func bothCreateTheSameKey() {
        let compare = Compare(.key(bytes("a")), .equal, .createRevision(0))
        let create = Command.transaction(
            TransactionRequest(compares: [compare], success: [put("a", "1")]))
        var one = ModelKeyspace()
        var two = ModelKeyspace()
        #expect(isBad([command(create, on: &one, 1, 3), command(create, on: &two, 2, 4)]))
    }

    @Test func unknownOutcome() {
        var model = ModelKeyspace()
        let write = HistoryOperation(
            "put", .command(transaction(put("a", "1"))), .unknown, called: 1)
        #expect(!isBad([write, read(.all, of: model, 2, 3)]))
        let before = model
        _ = model.apply(transaction(put("a", "1")))
        #expect(!isBad([write, read(.all, of: model, 2, 3)]))
        // It may happen late, but only once, and not be undone.
        let seen = read(.all, of: model, 2, 3)
        let unseen = read(.all, of: before, 4, 5)
        #expect(isBad([write, seen, unseen]))
    }

    @Test func leaseEndsAndKeepsItsKey() {
        var model = ModelKeyspace()
        var history = [
            command(.leaseGrant(id: 5, ttlSeconds: 3), on: &model, 1, 2),
            command(transaction(put("a", "1", lease: 5)), on: &model, 3, 4),
        ]
        let kept = model
        history.append(command(.leaseRevoke(id: 5), on: &model, 5, 6))
        #expect(isBad(history + [read(.all, of: kept, 7, 8)]))
        #expect(!isBad(history + [read(.all, of: model, 7, 8)]))
    }

    /// What was not searched to the end is neither good nor bad.
    @Test func tooInvolved() {
        var model = ModelKeyspace()
        let history = (0..<4).map { index in
            command(transaction(put("a", "\(index)")), on: &model, 2 * index, 2 * index + 1)
        }
        #expect(StrictSerializability.check(history, configurationsMax: 4) == .serializable)
        #expect(StrictSerializability.check(history, configurationsMax: 2) == .undecided)
    }

    @Test func commitIgnoresItsGuard() {
        var model = ModelKeyspace()
        let first = command(transaction(put("a", "1")), on: &model, 1, 2)
        let request = CommitRequest(
            guards: [.modRevision(key: bytes("a"), equals: 0)],
            mutations: [.put(key: bytes("b"), value: bytes("1"), lease: 0)])
        var blind = model
        let unguarded = CommitRequest(guards: [], mutations: request.mutations)
        let answer = ResultDigest.of(blind.apply(.commit(unguarded)))
        let commit = HistoryOperation(
            "commit", .command(.commit(request)), .answer(answer), called: 3, returned: 4)
        #expect(isBad([first, commit]))
    }
}
