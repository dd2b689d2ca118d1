package import Basics
package import Keyspace

extension Compare: ProtobufEncodable, ProtobufDecodable {
    package static var messageName: String { "Compare" }

    package func encode(to writer: inout ProtobufWriter) {
        writer.write(1, UInt64(relation.rawValue))
        writer.write(3, range.etcdKey)
        switch target {
        case .version(let value):
            writer.write(4, value)
        case .createRevision(let value):
            writer.write(2, 1 as UInt64)
            writer.write(5, value)
        case .modRevision(let value):
            writer.write(2, 2 as UInt64)
            writer.write(6, value)
        case .value(let value):
            writer.write(2, 3 as UInt64)
            writer.writeElement(7, value)
        case .lease(let value):
            writer.write(2, 4 as UInt64)
            writer.write(8, value)
        }
        writer.write(64, range.etcdRangeEnd)
    }

    package init(from reader: inout ProtobufReader) throws(DecodingFailure) {
        var relation = Relation.equal
        var target: UInt64 = 0
        var key = Bytes()
        var rangeEnd = Bytes()
        var number: Int64 = 0
        var value = Bytes()
        while let field = try reader.next() {
            switch field {
            case 1:
                let raw = try reader.unsigned()
                guard let known = UInt8(exactly: raw).flatMap(Relation.init(rawValue:)) else {
                    throw reader.failure("unknown comparison \(raw)")
                }
                relation = known
            case 2: target = try reader.unsigned()
            case 3: key = try reader.bytes()
            case 4, 5, 6, 8: number = try reader.signed()
            case 7: value = try reader.bytes()
            case 64: rangeEnd = try reader.bytes()
            default: try reader.skip()
            }
        }
        let known: Target
        switch target {
        case 0: known = .version(number)
        case 1: known = .createRevision(number)
        case 2: known = .modRevision(number)
        case 3: known = .value(value)
        case 4: known = .lease(number)
        default: throw reader.failure("unknown target \(target)")
        }
        self.init(KeyRange(etcdKey: key, rangeEnd: rangeEnd), relation, known)
    }
}
