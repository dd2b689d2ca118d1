import Basics

/// Numbers and parts of the snapshot format; docs/formats/snapshot.md.
enum SnapshotFormat {
    static let kind = ChunkedFile(magic: "MRTLSNAP", version: 2, name: "a snapshot")

    enum Table: UInt8 {
        case records = 1
        case leases = 2
    }

    static func encode(_ header: SnapshotHeader, _ stored: StoredState) -> Bytes {
        var fields = ByteWriter()
        fields.writeLittleEndian(header.clusterID)
        fields.writeLittleEndian(header.createdMilliseconds)
        fields.writeLittleEndian(header.keys)
        fields.writeCounted(stored.encode())
        fields.writeCounted(header.membership)
        if !header.auth.isEmpty { fields.writeCounted(header.auth) }
        return fields.bytes
    }

    static func decodeFields(
        _ fields: Bytes, _ path: String
    ) throws(KeyspaceError) -> (SnapshotHeader, StoredState) {
        let (clusterID, created, keys): (UInt64, UInt64, UInt64)
        let (state, membership, auth): (Bytes, Bytes, Bytes)
        do throws(DecodingFailure) {
            var reader = ByteReader(fields)
            clusterID = try reader.readLittleEndian("cluster id")
            created = try reader.readLittleEndian("time")
            keys = try reader.readLittleEndian("keys")
            state = try reader.readCounted("state")
            membership = try reader.readCounted("membership")
            auth = reader.isAtEnd ? [] : try reader.readCounted("auth")
            if !auth.isEmpty { _ = try AuthState(decoding: auth) }
            try reader.expectEnd("snapshot header")
        } catch {
            throw KeyspaceError(.badSnapshot, "\(path) at byte 16: snapshot header: \(error)")
        }
        let stored: StoredState
        do throws(KeyspaceError) {
            stored = try StoredState(decoding: state)
        } catch {
            throw KeyspaceError(error.code, "\(path) at byte 16: \(error.message)")
        }
        let header = SnapshotHeader(
            clusterID: clusterID, index: stored.state.appliedIndex,
            term: stored.state.appliedTerm, revision: stored.state.revision,
            compactRevision: stored.state.compactRevision, membership: membership,
            auth: auth, createdMilliseconds: created, keys: keys)
        return (header, stored)
    }
}
