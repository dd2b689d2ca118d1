package import Basics

/// What `Maintenance.HashKV` is asked; `Maintenance.Hash` is asked nothing.
package struct HashKVRequest: Sendable, ProtobufDecodable {
    package var revision: Int64 = 0

    package init() {}

    package static var messageName: String { "HashKVRequest" }

    package init(from reader: inout ProtobufReader) throws(DecodingFailure) {
        self.init()
        while let field = try reader.next() {
            switch field {
            case 1: revision = try reader.signed()
            default: try reader.skip()
            }
        }
    }
}

/// The answer of `Maintenance.HashKV`, and with the first two fields of `Maintenance.Hash`.
package struct HashKVResponse: Sendable, ProtobufEncodable {
    package var header: ResponseHeader
    package var hash: UInt32
    package var compactRevision: Int64
    package var hashRevision: Int64

    package init(
        header: ResponseHeader, hash: UInt32, compactRevision: Int64 = 0, hashRevision: Int64 = 0
    ) {
        self.header = header
        self.hash = hash
        self.compactRevision = compactRevision
        self.hashRevision = hashRevision
    }

    package func encode(to writer: inout ProtobufWriter) {
        writer.write(1, header)
        writer.write(2, UInt64(hash))
        writer.write(3, compactRevision)
        writer.write(4, hashRevision)
    }
}
