import Basics
import Keyspace
import LMDB
import TestSupport
import Testing

/// Damage in what LMDB finds its way by: keys, and the pointers from page to page. No checksum of
/// an entry covers the way to it, so that the entry would not be found.
///
/// The file is a compacted copy: it has no older copies of pages, to which a pointer could lead.
/// Such a copy is in order; what it holds is told from the newest by the scrubber and by hashes.
@Suite struct PageDamageTests {
    enum Part: CaseIterable, Sendable { case keys, innerKeys, pointers }

    private struct Flip {
        var offset: Int
        var mask: UInt8
    }

    private static let pageBytes = 4096
    private static let keys = 240
    private static let flipsMax = 300

    private static func name(_ number: Int) -> String {
        "/registry/pods/namespace-\(number / 40)/pod-\(1000 + number)"
    }

    // MARK: The file

    /// Keys that were put, some of them updated and some deleted after the revision `middle`.
    private static func filled() throws -> (fixture: Fixture, middle: Int64) {
        let fixture = try Fixture()
        for id in Int64(7)...9 { try fixture.apply(.leaseGrant(id: id, ttlSeconds: 60)) }
        for batch in 0..<24 {
            let operations = (0..<10).map { index -> Operation in
                let number = (batch * 10 + index) * 7 % keys
                return Operation.put(
                    name(number), "first \(number)", lease: number % 12 == 0 ? 8 : 0)
            }
            try fixture.transaction(TransactionRequest(success: operations))
        }
        let middle = fixture.keyspace.revision
        for batch in 0..<24 {
            let operations = (0..<5).map { index -> Operation in
                let number = (batch * 5 + index) * 2
                return number % 20 == 6
                    ? Operation.deleteRange(DeleteRangeRequest(.key(name(number))))
                    : Operation.put(
                        name(number), "second \(number)", lease: number % 12 == 0 ? 8 : 0)
            }
            try fixture.transaction(TransactionRequest(success: operations))
        }
        fixture.keyspace.stop()
        return (fixture, middle)
    }

    private static func compacted(_ fixture: Fixture) throws -> Bytes {
        var options = Environment.Options()
        options.mapBytes = 1 << 30
        let environment = try Environment(path: fixture.path, options: options)
        try fixture.directory.makeDirectory("copy")
        try environment.copy(to: fixture.directory.path + "/copy")
        return try fixture.directory.read("copy/data.mdb")
    }

    private static func number(_ file: Bytes, _ offset: Int, _ count: Int) -> Int {
        (0..<count).reversed().reduce(0) { $0 << 8 | Int(file[offset + $1]) }
    }

    /// What kind of page it is: 1 an inner one, 2 a leaf.
    private static func kind(_ file: Bytes, _ page: Int) -> Int {
        number(file, page * pageBytes + 10, 2) & 0x17
    }

    /// Where the nodes of the pages of a kind stand in the file.
    private static func nodes(_ file: Bytes, kind wanted: Int) -> [Int] {
        var nodes: [Int] = []
        for page in 2..<(file.count / pageBytes) where kind(file, page) == wanted {
            let start = page * pageBytes
            for slot in stride(from: 16, to: number(file, start + 12, 2), by: 2) {
                nodes.append(start + number(file, start + slot, 2))
            }
        }
        return nodes
    }

    private static func key(_ file: Bytes, at node: Int) -> Range<Int> {
        (node + 8)..<(node + 8 + number(file, node + 6, 2))
    }

    /// Bits of a part, spread over all of it. Only those with which LMDB goes on: a pointer to a
    /// page that is no leaf may end the process.
    private static func flips(_ part: Part, _ file: Bytes) -> [Flip] {
        var flips: [Flip] = []
        for node in nodes(file, kind: part == .keys ? 2 : 1) {
            switch part {
            case .keys, .innerKeys:
                for byte in key(file, at: node) {
                    flips.append(Flip(offset: byte, mask: 1 << UInt8((byte + node / 8) % 8)))
                }
            case .pointers:
                for bit in 0..<10 {
                    let page = number(file, node, 4) ^ 1 << bit
                    let isBeyond = page >= file.count / pageBytes
                    guard isBeyond || (page > 1 && kind(file, page) == 2) else { continue }
                    flips.append(Flip(offset: node + bit / 8, mask: 1 << UInt8(bit % 8)))
                }
            }
        }
        let step = flips.count / flipsMax | 1
        return stride(from: 0, to: flips.count, by: step).map { flips[$0] }
    }

    // MARK: Reading it

    private static func requests(_ middle: Int64) -> [RangeRequest] {
        var requests = [
            RangeRequest(.all, limit: 50), RangeRequest(.key("/registry/pods/none")),
            RangeRequest(.prefix("/registry/pods/none")),
        ]
        for revision in [0, middle] {
            requests.append(RangeRequest(.all, revision: revision))
            for number in 0..<keys {
                requests.append(RangeRequest(.key(name(number)), revision: revision))
            }
            for number in stride(from: 3, to: keys, by: 17) {
                let end = KeyRange.End.before(Bytes(name(number + 11).utf8))
                let range = KeyRange(start: Bytes(name(number).utf8), end: end)
                requests.append(RangeRequest(range, revision: revision))
                var count = RangeRequest(range, revision: revision)
                count.countOnly = true
                requests.append(count)
            }
        }
        return requests
    }

    private struct Answers: Equatable {
        var ranges: [Result<RangeResponse, StoreError>]
        var leases: [Result<LeaseStatus, StoreError>]

        init(_ keyspace: Keyspace, _ requests: [RangeRequest]) {
            ranges = requests.map { request in
                keyspace.range(request).map { response in
                    var response = response
                    // Of those behind the limit only the order is looked at.
                    if request.limit > 0 { response.count = 0 }
                    return response
                }
            }
            leases = (7...9).map { keyspace.lease($0, keys: true) }
        }
    }

    private static func isDamage<Value>(_ answer: Result<Value, StoreError>) -> Bool {
        guard case .failure(let error) = answer else { return false }
        return error.code == .unavailable
    }

    /// Whether the damage was met. Every answer has to be right or to say that there is damage.
    private static func meets(
        _ flip: Flip, _ fixture: Fixture, _ requests: [RangeRequest], _ right: Answers
    ) throws -> Bool {
        let keyspace: Keyspace
        do throws(KeyspaceError) {
            keyspace = try Keyspace.open(directory: fixture.path, options: fixture.options)
        } catch {
            #expect(error.code == .corrupt)
            return true
        }
        defer { keyspace.stop() }
        let answers = Answers(keyspace, requests)
        if answers == right { return false }
        for (index, answer) in answers.ranges.enumerated()
        where answer != right.ranges[index] && !isDamage(answer) {
            Issue.record("byte \(flip.offset), mask \(flip.mask): \(requests[index]) is wrong")
        }
        for (index, answer) in answers.leases.enumerated()
        where answer != right.leases[index] && !isDamage(answer) {
            Issue.record("byte \(flip.offset), mask \(flip.mask): lease \(7 + index) is wrong")
        }
        #expect(keyspace.damage?.code == .corrupt)
        return true
    }

    @Test(arguments: Part.allCases)
    func aFlippedBitHidesNothing(part: Part) throws {
        let (fixture, middle) = try Self.filled()
        let whole = try Self.compacted(fixture)
        let requests = Self.requests(middle)
        try fixture.directory.write("keyspace/data.mdb", whole)
        try fixture.reopen()
        let right = Answers(fixture.keyspace, requests)
        #expect(fixture.keyspace.damage == nil)
        #expect(try right.ranges[3].get().count == Int64(Self.keys - 12))
        #expect(try right.leases[1].get().keys.count == 20)
        fixture.keyspace.stop()
        let flips = Self.flips(part, whole)
        #expect(flips.count > 50)
        var met = 0
        for flip in flips {
            var bytes = whole
            bytes[flip.offset] ^= flip.mask
            try fixture.directory.write("keyspace/data.mdb", bytes)
            if try Self.meets(flip, fixture, requests, right) { met += 1 }
        }
        #expect(met > flips.count / 8)
    }

    // MARK: Writing to it

    /// It would begin with version 1 again.
    @Test func aHiddenKeyIsNotMadeAnew() throws {
        let (fixture, _) = try Self.filled()
        let whole = try Self.compacted(fixture)
        let key = Bytes(Self.name(101).utf8)
        // In `history` more stands behind the name.
        let node = try #require(
            Self.nodes(whole, kind: 2).first { whole[Self.key(whole, at: $0)].elementsEqual(key) })
        var bytes = whole
        bytes[node + 8 + 9] ^= 4
        try fixture.directory.write("keyspace/data.mdb", bytes)
        try fixture.reopen()
        let applied = fixture.keyspace.appliedIndex
        let put = TransactionRequest(success: [.put(Self.name(101), "anew")])
        let compare = TransactionRequest(
            compares: [Compare(.key(key), .equal, .version(0))], success: [])
        let commit = CommitRequest(mutations: [.put(Self.name(101), "anew")])
        let delete = TransactionRequest(success: [.deleteRange(DeleteRangeRequest(.key(key)))])
        for command in [
            Command.transaction(put), .transaction(compare), .commit(commit), .transaction(delete),
        ] {
            let error = #expect(throws: KeyspaceError.self) { try fixture.apply(command) }
            #expect(error?.code == .corrupt)
        }
        #expect(fixture.keyspace.appliedIndex == applied)
        #expect(fixture.keyspace.damage != nil)
    }
}
