import Basics

// The inverse of ByteWriter+Requests.swift.

extension ByteReader {
    /// A count of things that take at least `bytesEach` bytes, so that a false count is refused
    /// before anything is allocated for it.
    mutating func readCount(_ field: String, bytesEach: Int) throws(DecodingFailure) -> Int {
        let count = try readVarint(field)
        guard count <= UInt64(remaining / bytesEach) else {
            throw failure(field, "more than the input holds")
        }
        return Int(count)
    }

    mutating func readTransaction(depth: Int) throws(DecodingFailure) -> TransactionRequest {
        guard depth > 0 else { throw failure("transaction", "nested too deep") }
        var request = TransactionRequest(success: [])
        for _ in 0..<(try readCount("compares", bytesEach: 5)) {
            request.compares.append(try readCompare())
        }
        for _ in 0..<(try readCount("operations", bytesEach: 4)) {
            request.success.append(try readOperation(depth: depth))
        }
        for _ in 0..<(try readCount("operations", bytesEach: 4)) {
            request.failure.append(try readOperation(depth: depth))
        }
        return request
    }

    mutating func readCommit() throws(DecodingFailure) -> CommitRequest {
        var request = CommitRequest(mutations: [])
        for _ in 0..<(try readCount("guards", bytesEach: 3)) {
            request.guards.append(try readGuard())
        }
        let count = try readCount("mutations", bytesEach: 2)
        request.mutations.reserveCapacity(count)
        for _ in 0..<count {
            switch try readByte("mutation tag") {
            case 1:
                let key = try readCounted("key")
                let value = try readCounted("value")
                let lease = try readSignedVarint("lease")
                request.mutations.append(.put(key: key, value: value, lease: lease))
            case 2: request.mutations.append(.delete(key: try readCounted("key")))
            default: throw failure("mutation tag", "not known")
            }
        }
        return request
    }

    private mutating func readGuard() throws(DecodingFailure) -> CommitRequest.Guard {
        switch try readByte("guard tag") {
        case 1:
            let key = try readCounted("key")
            return .modRevision(key: key, equals: try readSignedVarint("revision"))
        case 2:
            let key = try readCounted("key")
            return .createRevision(key: key, equals: try readSignedVarint("revision"))
        case 3:
            let range = try readKeyRange()
            return .unchanged(range, since: try readSignedVarint("revision"))
        default: throw failure("guard tag", "not known")
        }
    }

    mutating func readKeyRange() throws(DecodingFailure) -> KeyRange {
        let kind = try readByte("range kind")
        let start = try readCounted("range start")
        switch kind {
        case 0: return KeyRange(start: start, end: .single)
        case 1: return KeyRange(start: start, end: .before(try readCounted("range end")))
        case 2: return KeyRange(start: start, end: .unbounded)
        default: throw failure("range kind", "\(kind) is not known")
        }
    }

    private mutating func readCompare() throws(DecodingFailure) -> Compare {
        let range = try readKeyRange()
        guard let relation = Compare.Relation(rawValue: try readByte("relation")) else {
            throw failure("relation", "not known")
        }
        let target: Compare.Target
        switch try readByte("compare target") {
        case 0: target = .version(try readSignedVarint("version"))
        case 1: target = .createRevision(try readSignedVarint("create revision"))
        case 2: target = .modRevision(try readSignedVarint("mod revision"))
        case 3: target = .value(try readCounted("value"))
        case 4: target = .lease(try readSignedVarint("lease"))
        default: throw failure("compare target", "not known")
        }
        return Compare(range, relation, target)
    }

    private mutating func readOperation(depth: Int) throws(DecodingFailure) -> Operation {
        switch try readByte("operation tag") {
        case 1: return .range(try readRange())
        case 2:
            let key = try readCounted("key")
            let value = try readCounted("value")
            let lease = try readSignedVarint("lease")
            let flags = try readFlags("put flags", known: 7)
            return .put(
                PutRequest(
                    key: key, value: value, lease: lease, wantsPrevious: flags & 1 != 0,
                    ignoresValue: flags & 2 != 0, ignoresLease: flags & 4 != 0))
        case 3:
            let range = try readKeyRange()
            let previous = try readBool("wants previous")
            return .deleteRange(DeleteRangeRequest(range, wantsPrevious: previous))
        case 4: return .transaction(try readTransaction(depth: depth - 1))
        default: throw failure("operation tag", "not known")
        }
    }

    private mutating func readFlags(
        _ field: String, known: UInt8
    ) throws(DecodingFailure) -> UInt8 {
        let flags = try readByte(field)
        guard flags & ~known == 0 else { throw failure(field, "unknown bits") }
        return flags
    }

    private mutating func readRange() throws(DecodingFailure) -> RangeRequest {
        var request = RangeRequest(try readKeyRange())
        request.limit = try readSignedVarint("limit")
        request.revision = try readSignedVarint("revision")
        guard let order = RangeRequest.SortOrder(rawValue: try readByte("sort order")),
            let target = RangeRequest.SortTarget(rawValue: try readByte("sort target"))
        else { throw failure("sort", "not known") }
        request.sortOrder = order
        request.sortTarget = target
        let flags = try readFlags("range flags", known: 7)
        request.isSerializable = flags & 1 != 0
        request.keysOnly = flags & 2 != 0
        request.countOnly = flags & 4 != 0
        request.minModRevision = try readSignedVarint("revision bound")
        request.maxModRevision = try readSignedVarint("revision bound")
        request.minCreateRevision = try readSignedVarint("revision bound")
        request.maxCreateRevision = try readSignedVarint("revision bound")
        return request
    }
}
