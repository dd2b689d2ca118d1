import Basics
import Keyspace

extension LoadClient {
    /// Every transaction writes `value` under a key of the client's own too, so that its revision
    /// can be found again whatever was answered.
    mutating func transaction(_ value: Bytes, lease: Int64?) -> TransactionRequest {
        let mark = Operation.put(PutRequest(key: Bytes("mark/\(number)".utf8), value: value))
        let keys = threeKeys()
        switch random.below(20) {
        case 0..<6:
            return TransactionRequest(success: [put(keys[0], value), mark])
        case 6..<8:
            let deletion = DeleteRangeRequest(.key(keys[0]), wantsPrevious: true)
            return TransactionRequest(success: [.deleteRange(deletion), mark])
        case 8:
            // A few keys at once: of k1, k10 and the like.
            let some = KeyRange(start: keys[0], end: .before(keys[0] + Bytes("~".utf8)))
            let deletion = DeleteRangeRequest(some, wantsPrevious: true)
            return TransactionRequest(success: [.deleteRange(deletion), mark])
        case 9..<12:
            let first = PutRequest(key: keys[0], value: value, wantsPrevious: true)
            return TransactionRequest(success: [.put(first), put(keys[1], value), mark])
        case 12..<15:
            guard let lease else { return several(keys, value, nil, mark) }
            return TransactionRequest(success: [
                put(key(of: lease), value, lease: lease), put(keys[0], value), mark,
            ])
        case 15..<17:
            let compare = Compare(.key(keys[0]), .equal, .version(Int64(random.below(4))))
            return TransactionRequest(
                compares: [compare], success: [put(keys[0], value, lease: lease ?? 0), mark],
                failure: [.range(RangeRequest(.key(keys[0]))), mark])
        default:
            return several(keys, value, lease, mark)
        }
    }

    /// Several compares, and on either way several changes and reads, which see each other.
    private mutating func several(
        _ keys: [Bytes], _ value: Bytes, _ lease: Int64?, _ mark: Operation
    ) -> TransactionRequest {
        let all = Operation.range(RangeRequest(.prefix(Bytes("k".utf8))))
        let compares = [
            Compare(.key(keys[0]), .greater, .modRevision(max(0, seen - 100))),
            Compare(.key(keys[1]), random.below(2) == 0 ? .less : .notEqual, .version(5)),
            Compare(.key(keys[2]), .equal, .lease(0)),
        ]
        let gone = DeleteRangeRequest(.key(keys[1]), wantsPrevious: true)
        var success = [
            put(keys[0], value), .deleteRange(gone), .range(RangeRequest(.key(keys[1]))),
            put(keys[2], value), all, mark,
        ]
        if let lease { success.insert(put(key(of: lease), value, lease: lease), at: 0) }
        return TransactionRequest(
            compares: compares, success: success,
            failure: [
                all, put(keys[1], value), .range(RangeRequest(.key(keys[1]))), mark,
            ])
    }

    /// Three that differ.
    private mutating func threeKeys() -> [Bytes] {
        let first = random.below(keys)
        return (0..<3).map { offset in
            let end = String(repeating: "'", count: (first + offset) / keys)
            return Bytes("k\((first + offset) % keys)\(end)".utf8)
        }
    }

    /// A key that hangs on this lease alone. The others are written so often that they seldom
    /// live to see their lease end.
    private mutating func key(of lease: Int64) -> Bytes {
        Bytes("k-\(lease).\(random.below(3))".utf8)
    }
}

private func put(_ key: Bytes, _ value: Bytes, lease: Int64 = 0) -> Operation {
    .put(PutRequest(key: key, value: value, lease: lease))
}
