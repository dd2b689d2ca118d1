import Basics
import Keyspace
import TestSupport
import Testing

/// Ranges that come in pieces. The measure makes every key large.
@Suite struct RangePiecesTests {
    let fixture: Fixture
    private let held = HeldKeys { max(1 << 20, $0 + $1) }

    init() throws {
        fixture = try Fixture()
    }

    private func fill(_ keys: Int, valueBytes: Int = 3) throws {
        for number in 0..<keys {
            try fixture.put("k\(1000 + number)", String(repeating: "v", count: valueBytes))
        }
    }

    private func pieces(
        _ request: RangeRequest, as encoding: HeldKeys? = nil
    ) throws -> any RangePieces {
        let answer = fixture.keyspace.range(request, as: encoding ?? held)
        guard case .pieces(let pieces) = try answer.get() else {
            throw StoreError(.invalid, "the answer is whole")
        }
        return pieces
    }

    /// The keys of a piece; none at the end.
    private func next(
        _ pieces: any RangePieces, bytesMax: Int = 1
    ) throws -> [KeyValue] {
        let heard = Locked<Result<Bytes, StoreError>?>(nil)
        pieces.next(bytesMax: bytesMax, located: {}, { result in heard.withLock { $0 = result } })
        let bytes = try #require(heard.withLock { $0 }).get()
        let keyValues = held.take()
        #expect(bytes == keyValues.flatMap(\.value))
        return keyValues
    }

    private func all(_ pieces: any RangePieces, bytesMax: Int = 1) throws -> [KeyValue] {
        var found: [KeyValue] = []
        while true {
            let piece = try next(pieces, bytesMax: bytesMax)
            if piece.isEmpty { return found }
            #expect(piece.count <= max(1, bytesMax >> 20))
            found += piece
        }
    }

    @Test func `Pieces together are the whole answer, whatever is asked for`() throws {
        try fill(40)
        for number in stride(from: 0, to: 40, by: 3) { try fixture.put("k\(1000 + number)", "w") }
        try fixture.delete("k1007")
        let long = String(repeating: "k2", count: 300)
        for number in 0..<5 { try fixture.put("\(long)\(number)", "\(number)") }
        var requests: [RangeRequest] = [RangeRequest(.all), RangeRequest(.prefix("k10"))]
        requests.append(RangeRequest(.all, limit: 7))
        requests.append(RangeRequest(.all, limit: 3, revision: 20))
        for target: RangeRequest.SortTarget in [.key, .version, .create, .mod, .value] {
            for order: RangeRequest.SortOrder in [.ascending, .descending] {
                var request = RangeRequest(.all, limit: target == .mod ? 9 : 0)
                (request.sortTarget, request.sortOrder) = (target, order)
                requests.append(request)
            }
        }
        var filtered = RangeRequest(.all, limit: 10)
        (filtered.minModRevision, filtered.maxCreateRevision) = (30, 35)
        filtered.keysOnly = true
        requests.append(filtered)
        for request in requests {
            let whole = try fixture.keyspace.range(request).get()
            for bytesMax in [1, 3 << 20, 1 << 30] {
                let pieces = try pieces(request)
                #expect(pieces.summary.revision == whole.revision)
                #expect(pieces.summary.count == whole.count)
                #expect(pieces.summary.more == whole.more)
                #expect(pieces.summary.bytes == whole.keyValues.count << 20)
                #expect(try all(pieces, bytesMax: bytesMax) == whole.keyValues)
            }
        }
    }

    /// At the newest revision, and then at one that has to be looked for in history.
    @Test(arguments: [RangeRequest.SortOrder.none, .descending], [false, true])
    func `A piece is read while the one before it is`(
        order: RangeRequest.SortOrder, isOld: Bool
    ) throws {
        try fill(10)
        var request = RangeRequest(.all)
        request.sortOrder = order
        let whole = try fixture.keyspace.range(request).get().keyValues
        let pieces = try pieces(request)
        if isOld { try fill(10, valueBytes: 4) }
        let held = self.held
        let heard = Locked<[[KeyValue]]>([])
        let note: @Sendable (Result<Bytes, StoreError>) -> Void = { _ in
            heard.withLock { $0.append(held.take()) }
        }
        let located: @Sendable () -> Void = { pieces.next(bytesMax: 1, located: {}, note) }
        pieces.next(bytesMax: 1, located: located, note)
        #expect(heard.withLock { $0 } == [[whole[1]], [whole[0]]])
        #expect(try all(pieces) == Array(whole[2...]))
    }

    /// A stream says the count last, and is spared the pass before its first key.
    @Test func `Totals that are not wanted first are those of what was located`() throws {
        try fill(10)
        let held = HeldKeys(wantsTotalsFirst: false) { _, _ in 1 << 20 }
        for request in [RangeRequest(.all), RangeRequest(.all, revision: 8)] {
            let whole = try fixture.keyspace.range(request).get()
            let pieces = try pieces(request, as: held)
            let found = Locked<[KeyValue]>([])
            for number in 1...whole.keyValues.count {
                pieces.next(bytesMax: 1, located: {}, { _ in found.withLock { $0 += held.take() } })
                #expect(found.withLock { $0.count } == number)
                #expect(pieces.summary.count == Int64(number))
                #expect(pieces.summary.bytes == number << 20)
            }
            pieces.next(bytesMax: 1, located: {}, { end in #expect(end == .success([])) })
            #expect(found.withLock { $0 } == whole.keyValues)
            #expect(pieces.summary.revision == whole.revision)
            #expect(pieces.summary.count == whole.count)
            #expect(!pieces.summary.more)
        }
        var filtered = RangeRequest(.all)
        filtered.minModRevision = 5
        for request in [RangeRequest(.all, limit: 5), filtered] {
            let whole = try fixture.keyspace.range(request).get()
            let summary = try pieces(request, as: held).summary
            #expect(summary.count == whole.count)
            #expect(summary.more == whole.more)
            #expect(summary.bytes == whole.keyValues.count << 20)
        }
    }

    @Test func `At the end and after an error nothing more is located`() throws {
        try fill(3)
        let pieces = try pieces(RangeRequest(.all, limit: 3))
        #expect(try next(pieces, bytesMax: 1 << 30).count == 3)
        let count = Locked(0)
        let located: @Sendable () -> Void = { count.withLock { $0 += 1 } }
        pieces.next(bytesMax: 1, located: located, { end in #expect(end == .success([])) })
        let others = try self.pieces(RangeRequest(.all))
        fixture.keyspace.stop()
        others.next(bytesMax: 1, located: located, { end in #expect(end == .failure(.stopped)) })
        #expect(count.withLock { $0 } == 0)
    }

    @Test func `Writes between two pieces do not show`() throws {
        try fill(10)
        let whole = try fixture.keyspace.range(RangeRequest(.all)).get()
        let pieces = try pieces(RangeRequest(.all))
        var found = try next(pieces)
        try fixture.delete("k1005")
        try fixture.put("k1006", "other")
        try fixture.put("k10065", "new")
        found += try all(pieces)
        #expect(found == whole.keyValues)
    }

    @Test func `A revision inside a commit is read as the commit's end`() throws {
        let mutations = (0..<5).map { CommitRequest.Mutation.put("c\($0)", "1") }
        _ = try fixture.commit(CommitRequest(mutations: mutations))
        try fixture.put("c2", "2")
        let request = RangeRequest(.all, revision: 3)
        let whole = try fixture.keyspace.range(request).get()
        #expect(whole.keyValues.count == 5)
        #expect(try all(try pieces(request)) == whole.keyValues)
    }

    @Test(arguments: [RangeRequest.SortOrder.none, .descending])
    func `A compaction that overtakes the reader ends it`(order: RangeRequest.SortOrder) throws {
        try fill(10)
        var request = RangeRequest(.all)
        request.sortOrder = order
        let pieces = try pieces(request)
        #expect(try next(pieces).count == 1)
        let revision = try fixture.put("k1003", "other")
        // Up to where it is read: nothing that it needs is gone.
        _ = try fixture.compact(pieces.summary.revision).get()
        #expect(try next(pieces).count == 1)
        _ = try fixture.compact(revision).get()
        #expect(throws: StoreError.compacted(at: revision)) { try next(pieces) }
    }

    @Test func `The state's end is the reader's`() throws {
        try fill(10)
        let pieces = try pieces(RangeRequest(.all))
        fixture.keyspace.stop()
        #expect(throws: StoreError.stopped) { try next(pieces) }
    }

    @Test func `Small answers and single keys are whole`() throws {
        try fixture.put("large", String(repeating: "v", count: 1_500_000))
        for request in [RangeRequest(.key("large")), RangeRequest(.all, limit: 1)] {
            let held = HeldKeys { $0 + $1 }
            guard
                case .whole(let summary, _) = try fixture.keyspace.range(request, as: held).get()
            else {
                Issue.record("in pieces")
                continue
            }
            #expect(summary.bytes == 1_500_005)
            #expect(held.take().map(\.value.count) == [1_500_000])
        }
    }

    /// What the limit lets through is sorted with one key more, which may be larger than the one
    /// that is cut off.
    @Test(arguments: [RangeRequest.SortOrder.none, .ascending, .descending])
    func `An answer is measured after it was sorted and cut`(order: RangeRequest.SortOrder) throws {
        for (key, bytes) in [("c", 900), ("b", 20), ("a", 3)] {
            try fixture.put(key, String(repeating: "v", count: bytes))
        }
        for target: RangeRequest.SortTarget in [.key, .version, .create, .mod, .value] {
            for limit: Int64 in 0...3 {
                var request = RangeRequest(.all, limit: limit)
                (request.sortTarget, request.sortOrder) = (target, order)
                let expected = try fixture.keyspace.range(request).get().keyValues
                let held = HeldKeys { $0 + $1 }
                let answer = try fixture.keyspace.range(request, as: held).get()
                guard case .whole(let summary, let bytes) = answer else {
                    Issue.record("in pieces")
                    continue
                }
                #expect(held.take() == expected)
                #expect(bytes == expected.flatMap(\.value))
                #expect(summary.bytes == bytes.count + expected.count)
            }
        }
    }

    /// Everything that is sorted has to be held: there is a limit; one of the request helps.
    @Test func `What is too much to sort is refused`() throws {
        let value = String(repeating: "v", count: 1_500_000)
        for number in 0..<48 { try fixture.put("k\(number)", value) }
        var request = RangeRequest(.all)
        request.sortOrder = .descending
        request.sortTarget = .value
        #expect(throws: StoreError.sortTooLarge) {
            try fixture.keyspace.range(request, as: held).get()
        }
        request.sortTarget = .mod
        let pieces = try pieces(request)
        #expect(try next(pieces).map(\.key) == [Bytes("k47".utf8)])
    }
}
