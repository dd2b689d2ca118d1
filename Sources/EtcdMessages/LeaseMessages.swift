package import Basics

/// Any of etcd's lease requests: they differ only in which of these fields they have.
package struct LeaseRequest: Sendable {
    package var id: Int64 = 0
    package var ttlSeconds: Int64 = 0
    package var wantsKeys = false

    package init(id: Int64 = 0, ttlSeconds: Int64 = 0, wantsKeys: Bool = false) {
        self.id = id
        self.ttlSeconds = ttlSeconds
        self.wantsKeys = wantsKeys
    }

    /// `LeaseGrantRequest`: TTL, then id.
    package init(grant bytes: Bytes) throws(DecodingFailure) {
        var reader = ProtobufReader(bytes, "LeaseGrantRequest")
        while let field = try reader.next() {
            switch field {
            case 1: ttlSeconds = try reader.signed()
            case 2: id = try reader.signed()
            default: try reader.skip()
            }
        }
    }

    /// `LeaseRevokeRequest`, `LeaseKeepAliveRequest`, `LeaseTimeToLiveRequest`: id, then keys.
    package init(protobuf bytes: Bytes) throws(DecodingFailure) {
        var reader = ProtobufReader(bytes, "lease request")
        while let field = try reader.next() {
            switch field {
            case 1: id = try reader.signed()
            case 2: wantsKeys = try reader.bool()
            default: try reader.skip()
            }
        }
    }

    package var grantBytes: Bytes {
        var writer = ProtobufWriter()
        writer.write(1, ttlSeconds)
        writer.write(2, id)
        return writer.bytes
    }

    package var protobufBytes: Bytes {
        var writer = ProtobufWriter()
        writer.write(1, id)
        writer.write(2, wantsKeys)
        return writer.bytes
    }
}

/// The answer to any of them; fields that an answer does not have stay at their defaults.
package struct LeaseResponse: Sendable, ProtobufEncodable, ProtobufDecodable {
    package var header: ResponseHeader
    package var id: Int64 = 0
    /// -1 for a lease that is gone.
    package var ttlSeconds: Int64 = 0
    package var grantedTTLSeconds: Int64 = 0
    package var keys: [Bytes] = []

    package init(header: ResponseHeader) {
        self.header = header
    }

    package static var messageName: String { "lease response" }

    package func encode(to writer: inout ProtobufWriter) {
        writer.write(1, header)
        writer.write(2, id)
        writer.write(3, ttlSeconds)
        writer.write(4, grantedTTLSeconds)
        for key in keys { writer.writeElement(5, key) }
    }

    package init(from reader: inout ProtobufReader) throws(DecodingFailure) {
        self.init(header: ResponseHeader())
        while let field = try reader.next() {
            switch field {
            case 1: header = try ResponseHeader(within: &reader)
            case 2: id = try reader.signed()
            case 3: ttlSeconds = try reader.signed()
            case 4: grantedTTLSeconds = try reader.signed()
            case 5: keys.append(try reader.bytes())
            default: try reader.skip()
            }
        }
    }
}

/// `LeaseLeasesResponse`.
package struct LeaseListResponse: Sendable, ProtobufEncodable, ProtobufDecodable {
    package var header: ResponseHeader
    package var ids: [Int64]

    package init(header: ResponseHeader, ids: [Int64]) {
        self.header = header
        self.ids = ids
    }

    package static var messageName: String { "LeaseLeasesResponse" }

    package func encode(to writer: inout ProtobufWriter) {
        writer.write(1, header)
        for id in ids {
            var inner = ProtobufWriter()
            inner.write(1, id)
            writer.writeElement(2, inner.bytes)
        }
    }

    package init(from reader: inout ProtobufReader) throws(DecodingFailure) {
        self.init(header: ResponseHeader(), ids: [])
        while let field = try reader.next() {
            switch field {
            case 1: header = try ResponseHeader(within: &reader)
            case 2:
                var inner = try reader.message("LeaseStatus")
                while let field = try inner.next() {
                    if field == 1 { ids.append(try inner.signed()) } else { try inner.skip() }
                }
            default: try reader.skip()
            }
        }
    }
}
