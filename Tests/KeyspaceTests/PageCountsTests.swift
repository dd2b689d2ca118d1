import Basics
import Keyspace
import TestSupport
import Testing

/// The counts that come with the pages of a list.
@Suite struct PageCountsTests {
    @Test func aPageKnowsWhatTheOneBeforeLeft() {
        let counts = PageCounts()
        let rest = KeyRange(start: Bytes("b".utf8), end: .before(Bytes("c".utf8)))
        counts.note(7, of: rest, at: 5)
        #expect(counts.count(of: rest, at: 5) == 7)
        #expect(counts.count(of: rest, at: 6) == nil)
        #expect(counts.count(of: KeyRange(start: rest.start, end: .unbounded), at: 5) == nil)
        #expect(counts.count(of: KeyRange(start: Bytes("ba".utf8), end: rest.end), at: 5) == nil)
    }

    @Test func theOldestListIsForgottenFirst() {
        let counts = PageCounts()
        let ranges = (0...PageCounts.listsMax).map { KeyRange.key(Bytes("\($0)".utf8)) }
        for (number, range) in ranges.enumerated() {
            counts.note(Int64(number), of: range, at: 1)
            // Asking for a page twice takes no second place.
            counts.note(Int64(number), of: range, at: 1)
        }
        let known = ranges.map { counts.count(of: $0, at: 1) }
        #expect(known == [nil] + (1...PageCounts.listsMax).map(Int64.init))
    }

    /// At every revision, while keys come and go between the pages.
    @Test(arguments: [1, 3, 7]) func everyPageCountsAsIfItWereTheFirst(limit: Int64) throws {
        let fixture = try Fixture()
        for number in 0..<40 { try fixture.put("k\(100 + number)", "v") }
        let long = String(repeating: "k2", count: 300)
        for number in 0..<3 { try fixture.put("\(long)\(number)", "v") }
        let pinned = fixture.keyspace.state.revision
        for isPinned in [false, true] {
            for revision in isPinned ? [pinned - 9, pinned] : [0] {
                var page = RangeRequest(.prefix(Bytes("k".utf8)), limit: limit)
                page.revision = revision
                var number = 0
                var isLast = false
                while !isLast {
                    let answer = try fixture.keyspace.range(page).get()
                    var all = page
                    (all.limit, all.countOnly) = (0, true)
                    #expect(answer.count == (try fixture.keyspace.range(all).get().count))
                    #expect(answer.more == (answer.count > limit))
                    if let last = answer.keyValues.last { page.range.start = last.key + [0] }
                    isLast = !answer.more
                    if isPinned || number % 3 == 2 {
                        try fixture.put("k\(100 + number)x", "new")
                        try fixture.delete("k\(100 + number + 2)")
                    }
                    number += 1
                }
            }
        }
    }

    /// Filters and other orders do not go on where the page before ended.
    @Test func onlyPagesInTheOrderOfKeysAreCountedSo() throws {
        let fixture = try Fixture()
        for number in 0..<20 { try fixture.put("k\(100 + number)", "v") }
        var page = RangeRequest(.prefix(Bytes("k".utf8)), limit: 4)
        let plain = try fixture.keyspace.range(page).get()
        page.range.start = try #require(plain.keyValues.last).key + [0]
        #expect(try fixture.keyspace.range(page).get().count == 16)
        page.minModRevision = 15
        let filtered = try fixture.keyspace.range(page).get()
        #expect(filtered.count == 16 && filtered.keyValues.count == 4)
        page.minModRevision = 0
        page.sortOrder = .descending
        let descending = try fixture.keyspace.range(page).get()
        #expect(descending.count == 16 && descending.more)
        #expect(descending.keyValues.first?.key == Bytes("k119".utf8))
    }
}
