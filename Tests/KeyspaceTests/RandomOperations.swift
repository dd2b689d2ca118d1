import Basics
import Keyspace

/// Random requests over few keys, so that they meet.
struct RandomOperations {
    var random: SeededRandom

    private static let keys: [Bytes] = [
        Bytes("a".utf8), Bytes("a\0".utf8), Bytes("a\0\0b".utf8), Bytes("aa".utf8),
        Bytes("ab".utf8), Bytes("b".utf8), Bytes("b/1".utf8), Bytes("b/2".utf8),
        Bytes("b/20".utf8), [0], [0, 0xff], [0xff], [0xff, 0xff, 0],
        long(439, []), long(440, []), long(440, [1]), long(440, [0]), long(439, [0, 5]),
        long(439, [0]), long(1000, []), long(1000, [0xff, 3]), long(4095, [9]),
        Bytes(repeating: 0, count: 300),
    ]

    /// Keys round the length at which names end, and many that begin alike.
    private static func long(_ count: Int, _ end: Bytes) -> Bytes {
        Bytes(repeating: 0x62, count: count) + end
    }

    mutating func key() -> Bytes { Self.keys[random.below(Self.keys.count)] }

    mutating func value() -> Bytes {
        let lengths = [0, 1, 3, 100, 1900, 1943, 1944, 1945, 4000, 9000]
        let count = lengths[random.below(lengths.count)]
        return Bytes(repeating: UInt8(random.below(256)), count: count)
    }

    mutating func range() -> KeyRange {
        switch random.below(6) {
        case 0, 1: return .key(key())
        case 2: return .all
        case 3: return KeyRange(start: key(), end: .unbounded)
        case 4: return .prefix(Bytes(key().prefix(1)))
        default: return KeyRange(start: key(), end: .before(key()))
        }
    }

    /// Mostly a revision that was or is; now and then one that is not yet or compacted.
    mutating func revision(_ model: Model) -> Int64 {
        let width = Int(model.revision - model.compactRevision) + 3
        return max(0, model.compactRevision - 1 + Int64(random.below(width)))
    }

    mutating func lease() -> Int64 { random.chance(2, in: 3) ? 0 : Int64(1 + random.below(4)) }

    mutating func rangeRequest(_ model: Model) -> RangeRequest {
        var request = RangeRequest(range())
        if random.chance(1, in: 2) { request.revision = revision(model) }
        if random.chance(1, in: 3) { request.limit = Int64(random.below(5)) }
        if random.chance(1, in: 3) {
            request.sortOrder = random.chance(1, in: 2) ? .ascending : .descending
            request.sortTarget = RangeRequest.SortTarget(rawValue: UInt8(random.below(5))) ?? .key
        }
        if random.chance(1, in: 6) { request.minModRevision = revision(model) }
        if random.chance(1, in: 6) { request.maxModRevision = revision(model) }
        if random.chance(1, in: 6) { request.minCreateRevision = revision(model) }
        if random.chance(1, in: 6) { request.maxCreateRevision = revision(model) }
        request.keysOnly = random.chance(1, in: 5)
        request.countOnly = random.chance(1, in: 8)
        return request
    }

    mutating func compare(_ model: Model) -> Compare {
        let relation = Compare.Relation(rawValue: UInt8(random.below(4))) ?? .equal
        switch random.below(5) {
        case 0: return Compare(range(), relation, .version(Int64(random.below(4))))
        case 1: return Compare(range(), relation, .createRevision(revision(model)))
        case 2: return Compare(range(), relation, .modRevision(revision(model)))
        case 3: return Compare(range(), relation, .value(value()))
        default: return Compare(range(), relation, .lease(lease()))
        }
    }

    mutating func operation(_ model: Model, depth: Int) -> Operation {
        switch random.below(depth > 0 ? 8 : 7) {
        case 0, 1, 2, 3:
            let ignoresValue = random.chance(1, in: 8)
            let ignoresLease = random.chance(1, in: 8)
            return .put(
                PutRequest(
                    key: key(), value: ignoresValue ? [] : value(),
                    lease: ignoresLease ? 0 : lease(), wantsPrevious: random.chance(1, in: 3),
                    ignoresValue: ignoresValue, ignoresLease: ignoresLease))
        case 4, 5:
            return .deleteRange(
                DeleteRangeRequest(
                    random.chance(2, in: 3) ? .key(key()) : range(),
                    wantsPrevious: random.chance(1, in: 3)))
        case 6: return .range(rangeRequest(model))
        default: return .transaction(transaction(model, depth: depth - 1))
        }
    }

    mutating func transaction(_ model: Model, depth: Int = 2) -> TransactionRequest {
        var request = TransactionRequest(success: [])
        for _ in 0..<random.below(3) { request.compares.append(compare(model)) }
        for _ in 0..<random.below(4) { request.success.append(operation(model, depth: depth)) }
        for _ in 0..<random.below(3) { request.failure.append(operation(model, depth: depth)) }
        return request
    }

    mutating func commit(_ model: Model) -> CommitRequest {
        var request = CommitRequest(mutations: [])
        for _ in 0..<random.below(3) {
            switch random.below(4) {
            case 0: request.guards.append(.modRevision(key: key(), equals: revision(model)))
            case 1: request.guards.append(.createRevision(key: key(), equals: 0))
            default:
                let since = max(0, model.revision - Int64(random.below(6)))
                request.guards.append(.unchanged(range(), since: since))
            }
        }
        for _ in 0..<random.below(5) {
            if random.chance(1, in: 4) {
                request.mutations.append(.delete(key: key()))
            } else {
                request.mutations.append(.put(key: key(), value: value(), lease: lease()))
            }
        }
        return request
    }

    mutating func command(_ model: Model) -> Command {
        switch random.below(20) {
        case 0..<9: return .transaction(transaction(model))
        case 9..<14: return .commit(commit(model))
        case 14: return .compact(revision(model))
        case 15, 16: return .leaseGrant(id: Int64(1 + random.below(4)), ttlSeconds: 60)
        case 17: return .leaseRevoke(id: Int64(1 + random.below(4)))
        case 18: return .leaseCheckpoint([LeaseRemaining(id: 1, remainingSeconds: 30)])
        default: return random.chance(1, in: 2) ? .nothing : .membership([1, 2, 3])
        }
    }
}
