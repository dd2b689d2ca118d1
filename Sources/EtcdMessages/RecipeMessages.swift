package import Basics
package import Keyspace

/// Any request of `v3lockpb` and `v3electionpb`, in one shape: a name or the key of a claim, the
/// lease that the claim hangs on, and a value.
package struct RecipeRequest: Sendable {
    package var name = Bytes()
    package var lease: Int64 = 0
    package var value = Bytes()
    package var leader: LeaderKey?

    /// `LockRequest`, `UnlockRequest` (whose key comes as the name), `CampaignRequest` and
    /// `LeaderRequest`.
    package init(named bytes: Bytes) throws(DecodingFailure) {
        var reader = ProtobufReader(bytes, "lock or election request")
        while let field = try reader.next() {
            switch field {
            case 1: name = try reader.bytes()
            case 2: lease = try reader.signed()
            case 3: value = try reader.bytes()
            default: try reader.skip()
            }
        }
    }

    /// `ProclaimRequest` and `ResignRequest`.
    package init(led bytes: Bytes) throws(DecodingFailure) {
        var reader = ProtobufReader(bytes, "election request")
        while let field = try reader.next() {
            switch field {
            case 1: leader = try LeaderKey(within: &reader)
            case 2: value = try reader.bytes()
            default: try reader.skip()
            }
        }
    }
}

/// `v3electionpb.LeaderKey`: what a leader proves its leadership with.
package struct LeaderKey: Sendable, Hashable, ProtobufEncodable, ProtobufDecodable {
    package static var messageName: String { "LeaderKey" }

    package var name: Bytes
    package var key: Bytes
    /// Create revision of the key.
    package var revision: Int64
    package var lease: Int64

    package init(name: Bytes, key: Bytes, revision: Int64, lease: Int64) {
        self.name = name
        self.key = key
        self.revision = revision
        self.lease = lease
    }

    package init(from reader: inout ProtobufReader) throws(DecodingFailure) {
        self.init(name: [], key: [], revision: 0, lease: 0)
        while let field = try reader.next() {
            switch field {
            case 1: name = try reader.bytes()
            case 2: key = try reader.bytes()
            case 3: revision = try reader.signed()
            case 4: lease = try reader.signed()
            default: try reader.skip()
            }
        }
    }

    package func encode(to writer: inout ProtobufWriter) {
        writer.write(1, name)
        writer.write(2, key)
        writer.write(3, revision)
        writer.write(4, lease)
    }
}

/// The answers of both services: a header and at most one thing more.
package struct RecipeResponse: Sendable, ProtobufEncodable {
    package enum Content: Sendable {
        case none
        case key(Bytes)
        case leader(LeaderKey)
        case keyValue(KeyValue)
    }

    package var header: ResponseHeader
    package var content: Content

    package init(header: ResponseHeader, _ content: Content = .none) {
        self.header = header
        self.content = content
    }

    package func encode(to writer: inout ProtobufWriter) {
        writer.write(1, header)
        switch content {
        case .none: break
        case .key(let key): writer.write(2, key)
        case .leader(let leader): writer.write(2, leader)
        case .keyValue(let keyValue): writer.write(2, keyValue)
        }
    }
}
