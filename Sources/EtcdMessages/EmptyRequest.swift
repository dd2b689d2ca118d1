package import Basics

/// Any of etcd's requests without fields: `AuthEnableRequest`, `StatusRequest`, `SnapshotRequest`
/// and others. Fields that nobody knows are passed over, as in every message.
package struct EmptyRequest: Sendable, ProtobufDecodable {
    package static var messageName: String { "request without fields" }

    package init(from reader: inout ProtobufReader) throws(DecodingFailure) {
        while try reader.next() != nil { try reader.skip() }
    }
}
