package import Basics
package import Keyspace

extension RangeRequest: ProtobufEncodable, ProtobufDecodable {
    package static var messageName: String { "RangeRequest" }

    package func encode(to writer: inout ProtobufWriter) {
        writer.write(1, range.etcdKey)
        writer.write(2, range.etcdRangeEnd)
        writer.write(3, limit)
        writer.write(4, revision)
        writer.write(5, UInt64(sortOrder.rawValue))
        writer.write(6, UInt64(sortTarget.rawValue))
        writer.write(7, isSerializable)
        writer.write(8, keysOnly)
        writer.write(9, countOnly)
        writer.write(10, minModRevision)
        writer.write(11, maxModRevision)
        writer.write(12, minCreateRevision)
        writer.write(13, maxCreateRevision)
    }

    package init(from reader: inout ProtobufReader) throws(DecodingFailure) {
        self.init(.key([]))
        var key = Bytes()
        var rangeEnd = Bytes()
        while let field = try reader.next() {
            switch field {
            case 1: key = try reader.bytes()
            case 2: rangeEnd = try reader.bytes()
            case 3: limit = try reader.signed()
            case 4: revision = try reader.signed()
            case 5: sortOrder = try sortOption(SortOrder.init(rawValue:), &reader)
            case 6: sortTarget = try sortOption(SortTarget.init(rawValue:), &reader)
            case 7: isSerializable = try reader.bool()
            case 8: keysOnly = try reader.bool()
            case 9: countOnly = try reader.bool()
            case 10: minModRevision = try reader.signed()
            case 11: maxModRevision = try reader.signed()
            case 12: minCreateRevision = try reader.signed()
            case 13: maxCreateRevision = try reader.signed()
            default: try reader.skip()
            }
        }
        range = KeyRange(etcdKey: key, rangeEnd: rangeEnd)
    }
}

private func sortOption<Option>(
    _ make: (UInt8) -> Option?, _ reader: inout ProtobufReader
) throws(DecodingFailure) -> Option {
    let value = try reader.unsigned()
    guard let option = UInt8(exactly: value).flatMap(make) else {
        throw reader.failure("invalid sort option", .unknownOption)
    }
    return option
}

extension RangeResponse: ProtobufDecodable {
    package static var messageName: String { "RangeResponse" }

    /// Within a transaction the header carries only the revision.
    package func encode(to writer: inout ProtobufWriter, header: ResponseHeader) {
        writer.write(1, header)
        for keyValue in keyValues { writer.write(2, keyValue) }
        writer.write(3, more)
        writer.write(4, count)
    }

    package init(from reader: inout ProtobufReader) throws(DecodingFailure) {
        self.init(revision: 0, keyValues: [], more: false, count: 0)
        while let field = try reader.next() {
            switch field {
            case 1: revision = try ResponseHeader(within: &reader).revision
            case 2: keyValues.append(try KeyValue(within: &reader))
            case 3: more = try reader.bool()
            case 4: count = try reader.signed()
            default: try reader.skip()
            }
        }
    }
}
