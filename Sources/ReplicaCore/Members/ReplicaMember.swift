package import Basics

/// One replica of the cluster and how to reach it.
package struct ReplicaMember: Sendable, Hashable {
    /// What Raft knows it by; a replaced replica gets a new one.
    package var id: UInt64
    /// What people know it by; survives replacement. Unique in the cluster.
    package var name: String
    package var peerHost: String
    package var peerPort: Int
    /// For clients that ask for the members.
    package var clientURLs: [String]

    package init(
        id: UInt64, name: String, peerHost: String, peerPort: Int, clientURLs: [String] = []
    ) {
        self.id = id
        self.name = name
        self.peerHost = peerHost
        self.peerPort = peerPort
        self.clientURLs = clientURLs
    }

    /// Also the name of a member that was added without one.
    package var peerAddress: String { "\(peerHost):\(peerPort)" }
    package var peerURL: String { "https://\(peerHost):\(peerPort)" }
}

extension ReplicaMember {
    func encoded() -> Bytes {
        var writer = ByteWriter()
        encode(to: &writer)
        return writer.bytes
    }

    func encode(to writer: inout ByteWriter) {
        writer.writeVarint(id)
        writer.writeCounted(Array(name.utf8))
        writer.writeCounted(Array(peerHost.utf8))
        writer.writeVarint(UInt64(peerPort))
        writer.writeVarint(UInt64(clientURLs.count))
        for url in clientURLs { writer.writeCounted(Array(url.utf8)) }
    }

    init(from reader: inout ByteReader) throws(DecodingFailure) {
        id = try reader.readVarint("member id")
        name = try reader.readText("member name")
        peerHost = try reader.readText("peer host")
        let port = try reader.readVarint("peer port")
        guard let port = UInt16(exactly: port) else {
            throw reader.failure("peer port", "over 65535")
        }
        peerPort = Int(port)
        let count = try reader.readVarint("client URLs")
        guard count <= 16 else { throw reader.failure("client URLs", "more than 16") }
        clientURLs = []
        for _ in 0..<count { clientURLs.append(try reader.readText("client URL")) }
    }
}

extension ByteReader {
    /// UTF-8 behind a varint count.
    package mutating func readText(_ field: String) throws(DecodingFailure) -> String {
        let bytes = try readCounted(field)
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw failure(field, "not UTF-8")
        }
        return text
    }
}
