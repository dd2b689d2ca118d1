import Basics
import HTTP
import Keyspace
import ReplicaCore
import Store

/// Martlet's own calls on the store's client port: `martlet.Admin`.
///
/// OpenSnapshot makes a snapshot file and answers its token, length and revision, eight bytes each,
/// little-endian. ReadSnapshot takes token (8), offset (8) and count (4) and answers so many bytes
/// of it, fewer only at its end; CloseSnapshot takes a token. ChangeMembers takes a `MemberRequest`
/// and answers the id of the member that it is about as 16 hexadecimal digits; TransferLeadership
/// takes a member id as text of base 16, 0 for the fittest, and answers the new leader's. Scrub
/// answers what was read as text, or the damage as an error. OpenSnapshot and Scrub take a message
/// without fields.
package enum AdminService {
    package static let openSnapshotPath = "/martlet.Admin/OpenSnapshot"
    package static let readSnapshotPath = "/martlet.Admin/ReadSnapshot"
    package static let closeSnapshotPath = "/martlet.Admin/CloseSnapshot"
    /// Bytes that one ReadSnapshot answers at most.
    package static let snapshotReadBytesMax = 1 << 20
    package static let scrubPath = "/martlet.Admin/Scrub"
    package static let changeMembersPath = "/martlet.Admin/ChangeMembers"
    package static let transferLeadershipPath = "/martlet.Admin/TransferLeadership"

    static func register(
        on router: inout GRPCRouter, admin: any StoreAdmin, _ access: AccessControl
    ) {
        registerSnapshots(on: &router, admin: admin, access)
        router.unary(empty: scrubPath, rootOf: access) { _, reply in
            admin.scrub { result in reply(result) { Bytes($0.utf8) } }
        }
        router.unary(changeMembersPath, rootOf: access) { request, _, reply in
            do {
                admin.changeMembers(try MemberRequest(decoding: request)) { answer(reply, $0) }
            } catch {
                reply(GRPCStatus(.invalidArgument, "\(error)"))
            }
        }
        router.unary(transferLeadershipPath, rootOf: access) { request, _, reply in
            guard let text = String(validating: request, as: UTF8.self),
                let id = UInt64(text, radix: 16)
            else { return reply(GRPCStatus(.invalidArgument, "not a member id")) }
            admin.transferLeadership(to: id) { answer(reply, $0) }
        }
    }

    private static func answer(_ reply: GRPCReply, _ result: Result<UInt64, StoreError>) {
        reply(result) { Bytes(String($0, radix: 16).utf8) }
    }

    private static func registerSnapshots(
        on router: inout GRPCRouter, admin: any StoreAdmin, _ access: AccessControl
    ) {
        router.unary(empty: openSnapshotPath, rootOf: access) { _, reply in
            admin.openSnapshot(.martlet) { result in
                switch result {
                case .success(let opened):
                    var writer = ByteWriter(reserving: 24)
                    writer.writeLittleEndian(opened.token)
                    writer.writeLittleEndian(opened.bytes)
                    writer.writeLittleEndian(UInt64(bitPattern: opened.revision))
                    reply(writer.bytes)
                case .failure(let error): reply(GRPCStatus(error))
                }
            }
        }
        router.unary(readSnapshotPath, rootOf: access) { request, _, reply in
            do throws(DecodingFailure) {
                var reader = ByteReader(request)
                let token: UInt64 = try reader.readLittleEndian("token")
                let offset: UInt64 = try reader.readLittleEndian("offset")
                let count: UInt32 = try reader.readLittleEndian("count")
                let bytes = admin.readSnapshot(
                    token, offset: offset, count: min(Int(count), snapshotReadBytesMax))
                reply(bytes.mapError { GRPCStatus($0) })
            } catch {
                reply(GRPCStatus(.invalidArgument, "\(error)"))
            }
        }
        router.unary(closeSnapshotPath, rootOf: access) { request, _, reply in
            var reader = ByteReader(request)
            if let token: UInt64 = try? reader.readLittleEndian("token") {
                admin.closeSnapshot(token)
            }
            reply(Bytes())
        }
    }
}
