package import Basics
package import Keyspace

extension PutRequest: ProtobufEncodable, ProtobufDecodable {
    package static var messageName: String { "PutRequest" }

    package func encode(to writer: inout ProtobufWriter) {
        writer.write(1, key)
        writer.write(2, value)
        writer.write(3, lease)
        writer.write(4, wantsPrevious)
        writer.write(5, ignoresValue)
        writer.write(6, ignoresLease)
    }

    package init(from reader: inout ProtobufReader) throws(DecodingFailure) {
        self.init(key: [], value: [])
        while let field = try reader.next() {
            switch field {
            case 1: key = try reader.bytes()
            case 2: value = try reader.bytes()
            case 3: lease = try reader.signed()
            case 4: wantsPrevious = try reader.bool()
            case 5: ignoresValue = try reader.bool()
            case 6: ignoresLease = try reader.bool()
            default: try reader.skip()
            }
        }
    }
}

extension PutResponse: ProtobufDecodable {
    package static var messageName: String { "PutResponse" }

    package func encode(to writer: inout ProtobufWriter, header: ResponseHeader) {
        writer.write(1, header)
        if let previous { writer.write(2, previous) }
    }

    package init(from reader: inout ProtobufReader) throws(DecodingFailure) {
        self.init(previous: nil)
        while let field = try reader.next() {
            if field == 2 { previous = try KeyValue(within: &reader) } else { try reader.skip() }
        }
    }
}

extension DeleteRangeRequest: ProtobufEncodable, ProtobufDecodable {
    package static var messageName: String { "DeleteRangeRequest" }

    package func encode(to writer: inout ProtobufWriter) {
        writer.write(1, range.etcdKey)
        writer.write(2, range.etcdRangeEnd)
        writer.write(3, wantsPrevious)
    }

    package init(from reader: inout ProtobufReader) throws(DecodingFailure) {
        var key = Bytes()
        var rangeEnd = Bytes()
        var wantsPrevious = false
        while let field = try reader.next() {
            switch field {
            case 1: key = try reader.bytes()
            case 2: rangeEnd = try reader.bytes()
            case 3: wantsPrevious = try reader.bool()
            default: try reader.skip()
            }
        }
        self.init(KeyRange(etcdKey: key, rangeEnd: rangeEnd), wantsPrevious: wantsPrevious)
    }
}

extension DeleteRangeResponse: ProtobufDecodable {
    package static var messageName: String { "DeleteRangeResponse" }

    package func encode(to writer: inout ProtobufWriter, header: ResponseHeader) {
        writer.write(1, header)
        writer.write(2, deleted)
        for keyValue in previous { writer.write(3, keyValue) }
    }

    package init(from reader: inout ProtobufReader) throws(DecodingFailure) {
        self.init(deleted: 0, previous: [])
        while let field = try reader.next() {
            switch field {
            case 2: deleted = try reader.signed()
            case 3: previous.append(try KeyValue(within: &reader))
            default: try reader.skip()
            }
        }
    }
}
