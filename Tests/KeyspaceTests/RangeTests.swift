import Basics
import Keyspace
import TestSupport
import Testing

@Suite struct RangeTests {
    let fixture: Fixture

    /// b@2 c@3 a@4 b@5: versions 2, 1, 1.
    init() throws {
        fixture = try Fixture()
        for (key, value) in [("b", "1"), ("c", "3"), ("a", "2"), ("b", "0")] {
            try fixture.put(key, value)
        }
    }

    private func keys(_ adjust: (inout RangeRequest) -> Void) throws -> String {
        var request = RangeRequest(.all)
        adjust(&request)
        let response = try fixture.keyspace.range(request).get()
        let keys = response.keyValues.map { string($0.key) }.joined()
        return "\(keys) \(response.count)\(response.more ? " more" : "")"
    }

    @Test func limitsAndCountsAreEtcds() throws {
        #expect(try keys { $0.limit = 2 } == "ab 3 more")
        #expect(try keys { $0.limit = 3 } == "abc 3")
        #expect(try keys { $0.countOnly = true } == " 3")
        #expect(try keys { $0.minModRevision = 4 } == "ab 3")
        #expect(try keys { $0.maxModRevision = 4 } == "ac 3")
        #expect(try keys { $0.minCreateRevision = 3 } == "ac 3")
        #expect(try keys { ($0.maxCreateRevision, $0.limit) = (3, 1) } == "b 3 more")
    }

    @Test func sortingComesBeforeTheLimit() throws {
        func sorted(_ target: RangeRequest.SortTarget, _ order: RangeRequest.SortOrder) throws
            -> String
        {
            try keys {
                $0.sortTarget = target
                $0.sortOrder = order
                $0.limit = 2
            }
        }
        #expect(try sorted(.key, .descending) == "cb 3 more")
        #expect(try sorted(.version, .descending) == "ba 3 more")
        #expect(try sorted(.create, .ascending) == "bc 3 more")
        #expect(try sorted(.mod, .descending) == "ba 3 more")
        #expect(try sorted(.value, .ascending) == "ba 3 more")
        #expect(try sorted(.value, .descending) == "ca 3 more")
    }

    @Test func keysOnlyLeavesTheValuesOut() throws {
        var request = RangeRequest(.all)
        request.keysOnly = true
        let response = try fixture.keyspace.range(request).get()
        #expect(response.keyValues.map(\.value) == [[], [], []])
        #expect(response.keyValues.map(\.version) == [1, 2, 1])
    }

    @Test func pagesOfAnOldRevisionAreThatRevisions() throws {
        try fixture.delete("c")
        try fixture.put("d", "9")
        var found: [String] = []
        var start = Bytes()
        while true {
            let range = KeyRange(start: start, end: .unbounded)
            let request = RangeRequest(range, limit: 1, revision: 5)
            let response = try fixture.keyspace.range(request).get()
            found += response.keyValues.map { string($0.key) + string($0.value) }
            guard response.more, let last = response.keyValues.last else { break }
            start = last.key + [0]
        }
        #expect(found == ["a2", "b0", "c3"])
    }

    @Test func revisionsOutOfReachAreRefused() throws {
        #expect(throws: StoreError.futureRevision) {
            try fixture.keyspace.range(RangeRequest(.all, revision: 6)).get()
        }
        #expect(try fixture.compact(4) == .success(5))
        #expect(try fixture.text(.all, at: 4) == ["a=2", "b=1", "c=3"])
        #expect(throws: StoreError.compacted(at: 4)) {
            try fixture.keyspace.range(RangeRequest(.all, revision: 3)).get()
        }
        #expect(try fixture.compact(4) == .failure(.compacted(at: 4)))
        #expect(try fixture.compact(6) == .failure(.futureRevision))
    }

    @Test func largeValuesComeBackWhole() throws {
        for count in [1940, 1943, 1944, 2000, 3939, 3940, 100_000, 1_500_000] {
            let value = Bytes((0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) })
            let put = PutRequest(key: Bytes("big".utf8), value: value)
            try fixture.transaction(TransactionRequest(success: [.put(put)]))
            let found = try fixture.keyspace.range(RangeRequest(.key("big"))).get()
            #expect(found.keyValues.first?.value == value)
        }
        #expect(try fixture.compact(fixture.keyspace.revision) == .success(13))
        while try fixture.keyspace.compactStep(records: 100) {}
        let found = try fixture.keyspace.range(RangeRequest(.key("big"))).get()
        #expect(found.keyValues.first?.value.count == 1_500_000)
    }
}
