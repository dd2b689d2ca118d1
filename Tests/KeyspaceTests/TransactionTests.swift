import Basics
import Keyspace
import TestSupport
import Testing

@Suite struct TransactionTests {
    let fixture: Fixture

    init() throws { fixture = try Fixture() }

    @Test func aNewStoreIsAtRevisionOneAndEveryWriteTakesTheNext() throws {
        #expect(fixture.keyspace.revision == 1)
        #expect(try fixture.put("a", "1") == 2)
        #expect(try fixture.put("a", "2") == 3)
        #expect(try fixture.delete("absent") == 3)
        let found = try fixture.keyspace.range(RangeRequest(.key("a"))).get()
        #expect(
            found.keyValues == [
                KeyValue(
                    key: Bytes("a".utf8), value: Bytes("2".utf8), createRevision: 2,
                    modRevision: 3, version: 2)
            ])
        #expect(try fixture.delete("a") == 4)
        #expect(try fixture.put("a", "3") == 5)
        let again = try fixture.keyspace.range(RangeRequest(.key("a"))).get().keyValues[0]
        #expect(again.createRevision == 5 && again.version == 1)
    }

    @Test func writesOfATransactionShareARevisionAndReadsInItSeeThem() throws {
        try fixture.put("a", "0")
        let response = try fixture.transaction(
            TransactionRequest(success: [
                .put("b", "1"), .range(RangeRequest(.all)),
                .range(RangeRequest(.all, revision: 2)), .put("c", "2"),
            ]))
        #expect(response.revision == 3)
        guard case .range(let inside) = response.responses[1],
            case .range(let before) = response.responses[2]
        else {
            Issue.record("another kind of response")
            return
        }
        #expect(inside.keyValues.map { string($0.key) } == ["a", "b"])
        #expect(inside.revision == 3)
        #expect(before.keyValues.map { string($0.key) } == ["a"])
        let all = try fixture.keyspace.range(RangeRequest(.all)).get().keyValues
        #expect(all.map(\.modRevision) == [2, 3, 3])
    }

    @Test(arguments: [
        (Compare(.key("a"), .equal, .version(1)), true),
        (Compare(.key("absent"), .equal, .version(0)), true),
        (Compare(.key("absent"), .equal, .value([])), false),
        (Compare(.key("absent"), .notEqual, .value([1])), false),
        (Compare(.key("a"), .less, .modRevision(3)), true),
        (Compare(.key("a"), .greater, .createRevision(2)), false),
        (Compare(.prefix(""), .equal, .version(1)), true),
        (Compare(.prefix(""), .equal, .modRevision(2)), false),
        (Compare(.key("a"), .equal, .value(Bytes("1".utf8))), true),
        (Compare(.key("a"), .equal, .lease(0)), true),
    ])
    func comparesHoldAsInEtcd(compare: Compare, holds: Bool) throws {
        try fixture.put("a", "1")
        try fixture.put("b", "1")
        let response = try fixture.transaction(
            TransactionRequest(compares: [compare], success: [], failure: []))
        #expect(response.succeeded == holds)
    }

    @Test func refusalsHaveEtcdsTexts() throws {
        try fixture.put("a", "1")
        let key = Bytes("k".utf8)
        func check(_ operations: [Operation], _ message: String) throws {
            let request = TransactionRequest(success: operations)
            #expect(try fixture.refusal(request)?.message == message)
        }
        let nestedDelete = Operation.transaction(
            TransactionRequest(success: [.deleteRange(DeleteRangeRequest(.key("k")))]))
        try check([.put("", "1")], "etcdserver: key is not provided")
        try check(
            [.put("k", "1"), .put("k", "2")], "etcdserver: duplicate key given in txn request")
        try check(
            [.put("k", "1"), .deleteRange(DeleteRangeRequest(.prefix("")))],
            "etcdserver: duplicate key given in txn request")
        try check(
            [.put("k", "1"), nestedDelete], "etcdserver: duplicate key given in txn request")
        // A transaction alone in another one counts like any.
        let twice = TransactionRequest(success: [.put("k", "1"), .put("k", "2")])
        try check([.transaction(twice)], "etcdserver: duplicate key given in txn request")
        // More keys than are compared with each other.
        let many = (0..<40).map { Operation.put("k-\($0)", "1") }
        try check(many + [.put("k-7", "2")], "etcdserver: duplicate key given in txn request")
        try check(
            [.put(PutRequest(key: key, value: [1], ignoresValue: true))],
            "etcdserver: value is provided")
        try check(
            [.put(PutRequest(key: key, value: [1], lease: 4, ignoresLease: true))],
            "etcdserver: lease is provided")
        try check(
            [.put(PutRequest(key: key, value: [], ignoresValue: true))],
            "etcdserver: key not found")
        try check([.put("k", "1", lease: 9)], "etcdserver: requested lease not found")
        try check(
            [.range(RangeRequest(.key("a"), revision: 99))],
            "etcdserver: mvcc: required revision is a future revision")
        try check(
            Array(repeating: .range(RangeRequest(.key("a"))), count: 129),
            "etcdserver: too many operations in txn request")
        try check(
            [.put(PutRequest(key: Bytes(repeating: 1, count: 4097), value: []))],
            StoreError.keyTooLong.message)
        #expect(fixture.keyspace.revision == 2)
    }

    @Test func aRefusedTransactionWritesNothingEvenIfItsFirstOperationsCould() throws {
        let request = TransactionRequest(success: [.put("a", "1"), .put("b", "1", lease: 5)])
        #expect(try fixture.refusal(request) == .leaseNotFound)
        #expect(try fixture.text(.all).isEmpty)
    }

    @Test func commitsTakeConsecutiveRevisionsAndReadsInsideSeeTheWhole() throws {
        try fixture.put("x", "0")
        let commit = CommitRequest(mutations: [
            .put("a", "1"), .delete(key: Bytes("absent".utf8)), .put("b", "2"),
            .delete(key: Bytes("x".utf8)),
        ])
        #expect(try fixture.commit(commit) == .committed(first: 3, last: 5))
        for revision in Int64(3)...5 {
            #expect(try fixture.text(.all, at: revision) == ["a=1", "b=2"])
        }
        #expect(try fixture.text(.all, at: 2) == ["x=0"])
        try fixture.put("c", "3")
        #expect(try fixture.text(.all, at: 3) == ["a=1", "b=2"])
        #expect(try fixture.commit(CommitRequest(mutations: [])) == .committed(first: 7, last: 6))
    }

    @Test func guardsStopACommitAndSayWhich() throws {
        try fixture.put("pods/a", "1")
        try fixture.put("nodes/n", "1")
        func attempt(_ guards: [CommitRequest.Guard]) throws -> CommitResponse {
            try fixture.commit(CommitRequest(guards: guards, mutations: [.put("out", "1")]))
        }
        let pods = KeyRange.prefix("pods/")
        #expect(try attempt([.unchanged(pods, since: 2)]) == .committed(first: 4, last: 4))
        #expect(
            try attempt([.unchanged(pods, since: 2), .unchanged(pods, since: 1)])
                == .guardFailed(index: 1, revision: 4))
        try fixture.delete("pods/a")
        #expect(
            try attempt([.unchanged(pods, since: 4)]) == .guardFailed(index: 0, revision: 5))
        #expect(
            try attempt([.unchanged(.key("pods/a"), since: 4)])
                == .guardFailed(index: 0, revision: 5))
        let node = Bytes("nodes/n".utf8)
        #expect(
            try attempt([
                .modRevision(key: node, equals: 3), .createRevision(key: node, equals: 3),
                .modRevision(key: Bytes("pods/a".utf8), equals: 0),
            ]) == .committed(first: 6, last: 6))
        #expect(
            try attempt([.modRevision(key: node, equals: 2)])
                == .guardFailed(index: 0, revision: 6))
    }

    @Test func entriesThatWereAppliedBeforeAreSkipped() throws {
        let entries = (1...3).map { index in
            AppliedEntry(
                index: index, term: 1,
                command: .transaction(TransactionRequest(success: [.put("a", "\(index)")])))
        }
        _ = try fixture.keyspace.apply(Array(entries[..<2]))
        try fixture.reopen()
        #expect(fixture.keyspace.appliedIndex == 2)
        let results = try fixture.keyspace.apply(entries)
        guard case .none = results[1], case .transaction = results[2] else {
            Issue.record("\(results)")
            return
        }
        #expect(fixture.keyspace.revision == 4)
        #expect(try fixture.text(.all) == ["a=3"])
    }
}
