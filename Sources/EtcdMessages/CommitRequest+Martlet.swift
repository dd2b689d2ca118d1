package import Basics
package import Keyspace

/// The messages of `/martlet.Store/Commit`, Martlet's own beside etcd's:
/// docs/formats/store-commit.md.
extension CommitRequest: ProtobufEncodable, ProtobufDecodable {
    package static var messageName: String { "CommitRequest" }

    package func encode(to writer: inout ProtobufWriter) {
        for one in guards {
            var condition = ProtobufWriter()
            var inner = ProtobufWriter()
            switch one {
            case .modRevision(let key, let revision):
                inner.write(1, key)
                inner.write(2, revision)
                condition.writeElement(1, inner.bytes)
            case .createRevision(let key, let revision):
                inner.write(1, key)
                inner.write(2, revision)
                condition.writeElement(2, inner.bytes)
            case .unchanged(let range, let revision):
                inner.write(1, range.etcdKey)
                inner.write(2, revision)
                inner.write(3, range.etcdRangeEnd)
                condition.writeElement(3, inner.bytes)
            }
            writer.writeElement(1, condition.bytes)
        }
        for mutation in mutations {
            var change = ProtobufWriter()
            switch mutation {
            case .put(let key, let value, let lease):
                change.write(1, PutRequest(key: key, value: value, lease: lease))
            case .delete(let key):
                change.writeElement(2, key)
            }
            writer.writeElement(2, change.bytes)
        }
    }

    package init(from reader: inout ProtobufReader) throws(DecodingFailure) {
        self.init(mutations: [])
        while let field = try reader.next() {
            switch field {
            case 1: guards.append(try Self.condition(&reader))
            case 2: mutations.append(try Self.mutation(&reader))
            default: try reader.skip()
            }
        }
    }

    private static func condition(_ reader: inout ProtobufReader) throws(DecodingFailure) -> Guard {
        var reader = try reader.message("Guard")
        guard let kind = try reader.next() else { throw reader.failure("empty guard") }
        var inner = try reader.message("Guard")
        var key = Bytes()
        var revision: Int64 = 0
        var rangeEnd = Bytes()
        while let field = try inner.next() {
            switch field {
            case 1: key = try inner.bytes()
            case 2: revision = try inner.signed()
            case 3: rangeEnd = try inner.bytes()
            default: try inner.skip()
            }
        }
        switch kind {
        case 1: return .modRevision(key: key, equals: revision)
        case 2: return .createRevision(key: key, equals: revision)
        case 3: return .unchanged(KeyRange(etcdKey: key, rangeEnd: rangeEnd), since: revision)
        // A guard that is not understood must not be passed over.
        default: throw reader.failure("unknown guard \(kind)")
        }
    }

    private static func mutation(
        _ reader: inout ProtobufReader
    ) throws(DecodingFailure) -> Mutation {
        var reader = try reader.message("Mutation")
        guard let kind = try reader.next() else { throw reader.failure("empty mutation") }
        switch kind {
        case 1:
            let put = try PutRequest(within: &reader)
            return .put(key: put.key, value: put.value, lease: put.lease)
        case 2: return .delete(key: try reader.bytes())
        default: throw reader.failure("unknown mutation \(kind)")
        }
    }
}

extension CommitResponse: ProtobufEncodable, ProtobufDecodable {
    package static var messageName: String { "CommitResponse" }

    package func encode(to writer: inout ProtobufWriter) {
        var inner = ProtobufWriter()
        switch self {
        case .committed(let first, let last):
            inner.write(1, first)
            inner.write(2, last)
            writer.writeElement(1, inner.bytes)
        case .guardFailed(let index, let revision):
            inner.write(1, Int64(index))
            inner.write(2, revision)
            writer.writeElement(2, inner.bytes)
        }
    }

    package init(from reader: inout ProtobufReader) throws(DecodingFailure) {
        guard let kind = try reader.next(), kind == 1 || kind == 2 else {
            throw reader.failure("unknown outcome")
        }
        var inner = try reader.message("outcome")
        var first: Int64 = 0
        var second: Int64 = 0
        while let field = try inner.next() {
            switch field {
            case 1: first = try inner.signed()
            case 2: second = try inner.signed()
            default: try inner.skip()
            }
        }
        self =
            kind == 1
            ? .committed(first: first, last: second)
            : .guardFailed(index: Int(first), revision: second)
    }
}
