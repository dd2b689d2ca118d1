import Basics

// The encoding of requests within commands: docs/formats/command.md.

extension ByteWriter {
    mutating func write(_ request: TransactionRequest) {
        writeVarint(UInt64(request.compares.count))
        for compare in request.compares { write(compare) }
        writeVarint(UInt64(request.success.count))
        for operation in request.success { write(operation) }
        writeVarint(UInt64(request.failure.count))
        for operation in request.failure { write(operation) }
    }

    mutating func write(_ request: CommitRequest) {
        writeVarint(UInt64(request.guards.count))
        for condition in request.guards {
            switch condition {
            case .modRevision(let key, let revision):
                write(UInt8(1))
                writeCounted(key)
                writeVarint(revision)
            case .createRevision(let key, let revision):
                write(UInt8(2))
                writeCounted(key)
                writeVarint(revision)
            case .unchanged(let range, let revision):
                write(UInt8(3))
                write(range)
                writeVarint(revision)
            }
        }
        writeVarint(UInt64(request.mutations.count))
        for mutation in request.mutations {
            switch mutation {
            case .put(let key, let value, let lease):
                write(UInt8(1))
                writeCounted(key)
                writeCounted(value)
                writeVarint(lease)
            case .delete(let key):
                write(UInt8(2))
                writeCounted(key)
            }
        }
    }

    mutating func write(_ range: KeyRange) {
        switch range.end {
        case .single:
            write(UInt8(0))
            writeCounted(range.start)
        case .before(let end):
            write(UInt8(1))
            writeCounted(range.start)
            writeCounted(end)
        case .unbounded:
            write(UInt8(2))
            writeCounted(range.start)
        }
    }

    private mutating func write(_ compare: Compare) {
        write(compare.range)
        write(compare.relation.rawValue)
        switch compare.target {
        case .version(let value): write(0, value)
        case .createRevision(let value): write(1, value)
        case .modRevision(let value): write(2, value)
        case .value(let bytes):
            write(UInt8(3))
            writeCounted(bytes)
        case .lease(let value): write(4, value)
        }
    }

    private mutating func write(_ tag: UInt8, _ value: Int64) {
        write(tag)
        writeVarint(value)
    }

    private mutating func write(_ operation: Operation) {
        switch operation {
        case .range(let request):
            write(UInt8(1))
            write(request)
        case .put(let request):
            write(UInt8(2))
            writeCounted(request.key)
            writeCounted(request.value)
            writeVarint(request.lease)
            write(
                UInt8(
                    (request.wantsPrevious ? 1 : 0) | (request.ignoresValue ? 2 : 0)
                        | (request.ignoresLease ? 4 : 0)))
        case .deleteRange(let request):
            write(UInt8(3))
            write(request.range)
            write(request.wantsPrevious)
        case .transaction(let request):
            write(UInt8(4))
            write(request)
        }
    }

    private mutating func write(_ request: RangeRequest) {
        write(request.range)
        writeVarint(request.limit)
        writeVarint(request.revision)
        write(request.sortOrder.rawValue)
        write(request.sortTarget.rawValue)
        write(
            UInt8(
                (request.isSerializable ? 1 : 0) | (request.keysOnly ? 2 : 0)
                    | (request.countOnly ? 4 : 0)))
        writeVarint(request.minModRevision)
        writeVarint(request.maxModRevision)
        writeVarint(request.minCreateRevision)
        writeVarint(request.maxCreateRevision)
    }
}
