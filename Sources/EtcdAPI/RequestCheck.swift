import Basics
import Keyspace

/// etcd's checks of a request before it is taken: the same refusals, in the same order.
enum RequestCheck {
    static func range(_ request: RangeRequest) throws(StoreError) {
        try key(request.range)
    }

    static func put(_ request: PutRequest) throws(StoreError) {
        guard !request.key.isEmpty else { throw .emptyKey }
        if request.ignoresValue, !request.value.isEmpty {
            throw StoreError(.invalid, "etcdserver: value is provided")
        }
        if request.ignoresLease, request.lease != 0 {
            throw StoreError(.invalid, "etcdserver: lease is provided")
        }
    }

    static func delete(_ request: DeleteRangeRequest) throws(StoreError) {
        try key(request.range)
    }

    static func transaction(
        _ request: TransactionRequest, operationsMax: Int = Limits.transactionOperationsMax
    ) throws(StoreError) {
        let widest = max(
            request.compares.count, max(request.success.count, request.failure.count))
        guard widest <= operationsMax else { throw .tooManyOperations }
        for compare in request.compares { try key(compare.range) }
        for operations in [request.success, request.failure] {
            for operation in operations {
                try check(operation, operationsMax: operationsMax - widest)
            }
            var puts: [Bytes] = []
            var deletes: [KeyRange] = []
            try overlaps(operations, &puts, &deletes)
        }
    }

    private static func check(
        _ operation: Operation, operationsMax: Int
    ) throws(StoreError) {
        switch operation {
        case .range(let request): try range(request)
        case .put(let request): try put(request)
        case .deleteRange(let request): try delete(request)
        case .transaction(let request):
            try transaction(request, operationsMax: operationsMax)
        }
    }

    /// Within one branch a key may be put once, and not be deleted besides. The two branches of a
    /// transaction within exclude each other, but both clash with what stands round them.
    private static func overlaps(
        _ operations: [Operation], _ puts: inout [Bytes], _ deletes: inout [KeyRange]
    ) throws(StoreError) {
        var newPuts: [Bytes] = []
        for operation in operations {
            switch operation {
            case .range: continue
            case .deleteRange(let request): deletes.append(request.range)
            case .put(let request): newPuts.append(request.key)
            case .transaction(let request):
                var (leftPuts, leftDeletes) = ([Bytes](), [KeyRange]())
                try overlaps(request.success, &leftPuts, &leftDeletes)
                var (rightPuts, rightDeletes) = ([Bytes](), [KeyRange]())
                try overlaps(request.failure, &rightPuts, &rightDeletes)
                // The same key in both branches is one put, whichever is taken.
                newPuts += Set(leftPuts).union(rightPuts).sorted(by: isOrderedBefore)
                deletes += leftDeletes + rightDeletes
            }
        }
        puts += newPuts
        puts.sort(by: isOrderedBefore)
        for (first, second) in zip(puts, puts.dropFirst()) where first == second {
            throw .duplicateKey
        }
        for range in deletes where puts.contains(where: range.contains) { throw .duplicateKey }
    }

    private static func key(_ range: KeyRange) throws(StoreError) {
        if range.start.isEmpty, range.end == .single { throw .emptyKey }
    }
}
