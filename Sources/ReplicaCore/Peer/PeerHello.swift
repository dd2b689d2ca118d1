package import Basics

/// First frame of whoever dials.
package struct PeerHello: Sendable, Equatable {
    static let magic: Bytes = Array("martlet-peer".utf8)
    static let protocolVersion: UInt8 = 4

    package enum Purpose: UInt8, Sendable {
        case messages = 0
        case snapshot = 1
    }

    package var clusterID: UInt64
    /// Who dials, and where it listens: a listener that is behind need not know it yet.
    package var from: ReplicaMember
    /// Whom the dialler wants.
    package var to: UInt64
    package var toName: String
    /// Not 0 where a replica without a directory is invited to take that id up.
    package var token: UInt64
    package var purpose: Purpose

    package func encoded() -> Bytes {
        var writer = ByteWriter(reserving: 64)
        writer.write(Self.magic)
        writer.write(Self.protocolVersion)
        writer.write(purpose.rawValue)
        writer.writeLittleEndian(clusterID)
        writer.writeLittleEndian(from.id)
        writer.writeLittleEndian(to)
        writer.writeLittleEndian(token)
        writer.writeCounted(Array(from.name.utf8))
        writer.writeCounted(Array(toName.utf8))
        writer.writeCounted(Array(from.peerHost.utf8))
        writer.writeVarint(UInt64(from.peerPort))
        writer.writeVarint(UInt64(from.clientURLs.count))
        for url in from.clientURLs { writer.writeCounted(Array(url.utf8)) }
        return writer.bytes
    }

    package init(
        clusterID: UInt64, from: ReplicaMember, to: UInt64, toName: String, token: UInt64,
        purpose: Purpose
    ) {
        self.clusterID = clusterID
        self.from = from
        self.to = to
        self.toName = toName
        self.token = token
        self.purpose = purpose
    }

    package init(decoding bytes: Bytes) throws(DecodingFailure) {
        var reader = ByteReader(bytes)
        guard try reader.read("magic", count: Self.magic.count) == Self.magic else {
            throw reader.failure("magic", "not a peer of Martlet")
        }
        let version = try reader.readByte("protocol version")
        guard version == Self.protocolVersion else {
            throw reader.failure("protocol version", "\(version) is not known here")
        }
        let rawPurpose = try reader.readByte("purpose")
        guard let purpose = Purpose(rawValue: rawPurpose) else {
            throw reader.failure("purpose", "\(rawPurpose) is not known here")
        }
        self.purpose = purpose
        clusterID = try reader.readLittleEndian("cluster id")
        let id: UInt64 = try reader.readLittleEndian("from")
        to = try reader.readLittleEndian("to")
        token = try reader.readLittleEndian("token")
        let name = try reader.readText("dialler's name")
        toName = try reader.readText("name")
        let host = try reader.readText("dialler's host")
        let port = try reader.readVarint("dialler's port")
        guard let port = UInt16(exactly: port) else {
            throw reader.failure("dialler's port", "over 65535")
        }
        from = ReplicaMember(id: id, name: name, peerHost: host, peerPort: Int(port))
        let count = try reader.readVarint("dialler's client URLs")
        guard count <= 16 else { throw reader.failure("dialler's client URLs", "more than 16") }
        for _ in 0..<count { from.clientURLs.append(try reader.readText("client URL")) }
        try reader.expectEnd("hello")
    }
}
