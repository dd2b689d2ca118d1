import Basics
import ReplicaCore

/// First frame of whoever dials.
struct PeerHello: Equatable {
    static let magic: Bytes = Array("martlet-peer".utf8)
    static let protocolVersion: UInt8 = 2

    enum Purpose: UInt8 {
        case messages = 0
        case snapshot = 1
    }

    var clusterID: UInt64
    var from: UInt64
    var fromName: String
    /// Whom the dialler wants: id, name, and whether that member is a learner so far, which a
    /// replica without a directory may become.
    var to: UInt64
    var toName: String
    var toIsLearner: Bool
    var purpose: Purpose

    func encoded() -> Bytes {
        var writer = ByteWriter(reserving: 64)
        writer.write(Self.magic)
        writer.write(Self.protocolVersion)
        writer.write(purpose.rawValue)
        writer.write(toIsLearner)
        writer.writeLittleEndian(clusterID)
        writer.writeLittleEndian(from)
        writer.writeLittleEndian(to)
        writer.writeCounted(Array(fromName.utf8))
        writer.writeCounted(Array(toName.utf8))
        return writer.bytes
    }

    init(
        clusterID: UInt64, from: UInt64, fromName: String, to: UInt64, toName: String,
        toIsLearner: Bool, purpose: Purpose
    ) {
        self.clusterID = clusterID
        self.from = from
        self.fromName = fromName
        self.to = to
        self.toName = toName
        self.toIsLearner = toIsLearner
        self.purpose = purpose
    }

    init(decoding bytes: Bytes) throws(DecodingFailure) {
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
        toIsLearner = try reader.readBool("learner flag")
        clusterID = try reader.readLittleEndian("cluster id")
        from = try reader.readLittleEndian("from")
        to = try reader.readLittleEndian("to")
        fromName = try reader.readText("dialler's name")
        toName = try reader.readText("name")
        try reader.expectEnd("hello")
    }
}
