package import Basics
package import Keyspace

extension KeyValue: ProtobufEncodable, ProtobufDecodable {
    package static var messageName: String { "KeyValue" }

    package func encode(to writer: inout ProtobufWriter) {
        writer.write(1, key)
        writer.write(2, createRevision)
        writer.write(3, modRevision)
        writer.write(4, version)
        writer.write(5, value)
        writer.write(6, lease)
    }

    /// Bytes that the message takes as a repeated field with a key and a value of these sizes,
    /// which it need not have yet.
    package func elementBytes(keyBytes: Int, valueBytes: Int) -> Int {
        ProtobufWriter.elementBytes(messageBytes(keyBytes: keyBytes, valueBytes: valueBytes))
    }

    /// Bytes of the message itself.
    func messageBytes(keyBytes: Int, valueBytes: Int) -> Int {
        func counted(_ count: Int) -> Int {
            count == 0 ? 0 : ProtobufWriter.elementBytes(count)
        }
        return counted(keyBytes) + ProtobufWriter.bytes(of: createRevision)
            + ProtobufWriter.bytes(of: modRevision) + ProtobufWriter.bytes(of: version)
            + counted(valueBytes) + ProtobufWriter.bytes(of: lease)
    }

    package init(from reader: inout ProtobufReader) throws(DecodingFailure) {
        self.init(key: [], value: [], createRevision: 0, modRevision: 0, version: 0)
        while let field = try reader.next() {
            switch field {
            case 1: key = try reader.bytes()
            case 2: createRevision = try reader.signed()
            case 3: modRevision = try reader.signed()
            case 4: version = try reader.signed()
            case 5: value = try reader.bytes()
            case 6: lease = try reader.signed()
            default: try reader.skip()
            }
        }
    }
}

extension Event: ProtobufEncodable, ProtobufDecodable {
    package static var messageName: String { "Event" }

    package func encode(to writer: inout ProtobufWriter) {
        writer.write(1, UInt64(kind.rawValue))
        writer.write(2, keyValue)
        if let previous { writer.write(3, previous) }
    }

    package init(from reader: inout ProtobufReader) throws(DecodingFailure) {
        self.init(
            kind: .put,
            keyValue: KeyValue(key: [], value: [], createRevision: 0, modRevision: 0, version: 0))
        while let field = try reader.next() {
            switch field {
            case 1: kind = try reader.unsigned() == 1 ? .delete : .put
            case 2: keyValue = try KeyValue(within: &reader)
            case 3: previous = try KeyValue(within: &reader)
            default: try reader.skip()
            }
        }
    }
}
