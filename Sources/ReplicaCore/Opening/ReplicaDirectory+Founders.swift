import Basics

extension ReplicaDirectory {
    /// Before the identity, without which the file does not count.
    package func writeFounders(_ members: ClusterMembers) throws(ReplicaFailure) {
        let blob = members.encoded()
        var writer = ByteWriter(reserving: blob.count + 4)
        writer.writeLittleEndian(CRC32C.checksum(blob))
        writer.write(blob)
        try FileSystem.replace(founders, writer.bytes)
        try FileSystem.syncDirectory(path)
    }

    func readFounders() throws(ReplicaFailure) -> ClusterMembers {
        guard let bytes = try FileSystem.read(founders) else {
            throw ReplicaFailure(.corrupt, "\(founders) is missing")
        }
        do throws(DecodingFailure) {
            var reader = ByteReader(bytes)
            let checksum: UInt32 = try reader.readLittleEndian("founders checksum")
            let blob = try reader.read("founders", count: reader.remaining)
            guard checksum == CRC32C.checksum(blob) else {
                throw reader.failure("founders", "checksum does not match")
            }
            return try ClusterMembers(decoding: blob)
        } catch {
            throw ReplicaFailure(.corrupt, "\(founders) is damaged: \(error)")
        }
    }
}
