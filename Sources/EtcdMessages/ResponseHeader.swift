package import Basics

/// What etcd puts on every answer.
package struct ResponseHeader: Sendable, Hashable, ProtobufEncodable, ProtobufDecodable {
    package var clusterID: UInt64 = 0
    package var memberID: UInt64 = 0
    package var revision: Int64 = 0
    package var term: UInt64 = 0

    package init() {}

    package init(revision: Int64) {
        self.revision = revision
    }

    package static var messageName: String { "ResponseHeader" }

    package func encode(to writer: inout ProtobufWriter) {
        writer.write(1, clusterID)
        writer.write(2, memberID)
        writer.write(3, revision)
        writer.write(4, term)
    }

    package init(from reader: inout ProtobufReader) throws(DecodingFailure) {
        while let field = try reader.next() {
            switch field {
            case 1: clusterID = try reader.unsigned()
            case 2: memberID = try reader.unsigned()
            case 3: revision = try reader.signed()
            case 4: term = try reader.unsigned()
            default: try reader.skip()
            }
        }
    }
}
