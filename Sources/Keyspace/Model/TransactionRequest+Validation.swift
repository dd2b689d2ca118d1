import Basics

// etcd's checks of requests, in etcd's order, with etcd's texts. They hold for every replica
// alike, so that `apply` may run them.

extension TransactionRequest {
    package func validate(
        operationsMax: Int = Limits.transactionOperationsMax
    ) throws(StoreError) {
        try validateOperations(max: operationsMax)
        try Self.checkBranch(success)
        try Self.checkBranch(failure)
    }

    /// Up to so many keys are compared with each other: cheaper than hashing them.
    private static let pairsMax = 16

    private static func checkBranch(_ operations: [Operation]) throws(StoreError) {
        guard operations.count <= pairsMax else {
            _ = try checkOverlaps(operations)
            return
        }
        for position in operations.indices {
            switch operations[position] {
            case .range: continue
            case .put(let put):
                for case .put(let earlier) in operations[..<position] where earlier.key == put.key {
                    throw .duplicateKey
                }
            case .deleteRange where operations.count == 1: continue
            case .deleteRange, .transaction:
                _ = try checkOverlaps(operations)
                return
            }
        }
    }

    /// A nested transaction gets what its parent leaves of the budget.
    private func validateOperations(max operationsMax: Int) throws(StoreError) {
        let count = max(compares.count, success.count, failure.count)
        if count > operationsMax { throw .tooManyOperations }
        for compare in compares { try compare.range.validate() }
        for operation in success { try operation.validate(max: operationsMax - count) }
        for operation in failure { try operation.validate(max: operationsMax - count) }
    }

    /// What a list of operations puts and deletes.
    private struct Writes {
        var puts: Set<Bytes> = []
        var deletes: [KeyRange] = []

        /// A key may be put once, and not within a range that is deleted.
        mutating func addPut(_ key: Bytes, unlessIn safe: Set<Bytes>? = nil) throws(StoreError) {
            if puts.contains(key), safe?.contains(key) != true { throw .duplicateKey }
            if deletes.contains(where: { $0.contains(key) }) { throw .duplicateKey }
            puts.insert(key)
        }

        mutating func addPuts(_ keys: Set<Bytes>, unlessIn safe: Set<Bytes>? = nil)
            throws(StoreError)
        {
            // The answer does not depend on the order.
            for key in keys { try addPut(key, unlessIn: safe) }
        }
    }

    private static func checkOverlaps(_ operations: [Operation]) throws(StoreError) -> Writes {
        var writes = Writes()
        for case .deleteRange(let request) in operations { writes.deletes.append(request.range) }
        for case .transaction(let request) in operations {
            let success = try checkOverlaps(request.success)
            let failure = try checkOverlaps(request.failure)
            try writes.addPuts(success.puts)
            // Only one of the two branches runs.
            try writes.addPuts(failure.puts, unlessIn: success.puts)
            writes.deletes += success.deletes + failure.deletes
        }
        for case .put(let request) in operations { try writes.addPut(request.key) }
        return writes
    }
}

extension Operation {
    fileprivate func validate(max operationsMax: Int) throws(StoreError) {
        switch self {
        case .range(let request): try request.range.validate()
        case .put(let request): try request.validate()
        case .deleteRange(let request): try request.range.validate()
        case .transaction(let request): try request.validateNested(max: operationsMax)
        }
    }
}

extension TransactionRequest {
    fileprivate func validateNested(max operationsMax: Int) throws(StoreError) {
        try validateOperations(max: operationsMax)
    }
}

extension PutRequest {
    package func validate() throws(StoreError) {
        try KeyRange.key(key).validate()
        if key.count > Limits.keyBytesMax { throw .keyTooLong }
        if ignoresValue, !value.isEmpty { throw .valueProvided }
        if ignoresLease, lease != 0 { throw .leaseProvided }
    }
}

extension KeyRange {
    /// The empty key is no key; as the start of a range it stands for the least key.
    package func validate() throws(StoreError) {
        if start.isEmpty, end == .single { throw .emptyKey }
    }
}

extension CommitRequest {
    /// Each key is changed once.
    package func validate() throws(StoreError) {
        if mutations.count > Limits.commitMutationsMax { throw .tooManyOperations }
        var keys: Set<Bytes> = []
        if mutations.count > 1 { keys.reserveCapacity(mutations.count) }
        for mutation in mutations {
            let key: Bytes
            switch mutation {
            case .put(let put, _, _): key = put
            case .delete(let deleted): key = deleted
            }
            if key.isEmpty { throw .emptyKey }
            if key.count > Limits.keyBytesMax { throw .keyTooLong }
            if mutations.count > 1, !keys.insert(key).inserted { throw .duplicateKey }
        }
        for condition in guards {
            switch condition {
            case .modRevision(let key, _), .createRevision(let key, _):
                if key.isEmpty { throw .emptyKey }
            case .unchanged(let range, _): try range.validate()
            }
        }
    }
}
