import Basics
import EtcdMessages
import HTTP
import Keyspace
import Store

/// `Maintenance.Hash` and `HashKV`: `etcdctl endpoint hashkv`. The numbers are not etcd's, but
/// equal on all replicas at equal revisions, as etcd's are.
struct HashService: Sendable {
    let headers: HeaderSource
    let access: AccessControl
    let admin: any StoreAdmin

    func register(on router: inout GRPCRouter) {
        router.unary("/etcdserverpb.Maintenance/HashKV", rootOf: access) { message, _, reply in
            do throws(DecodingFailure) {
                answer(try HashKVRequest(protobuf: message).revision, withRevisions: true, reply)
            } catch {
                reply(GRPCStatus(error))
            }
        }
        router.unary(empty: "/etcdserverpb.Maintenance/Hash", rootOf: access) { _, reply in
            answer(0, withRevisions: false, reply)
        }
    }

    private func answer(_ revision: Int64, withRevisions: Bool, _ reply: GRPCReply) {
        guard revision >= 0 else { return reply(GRPCStatus(StoreError.futureRevision)) }
        admin.hash(revision: revision) { result in
            switch result {
            case .failure(let error): reply(GRPCStatus(error))
            case .success(let found):
                reply(
                    HashKVResponse(
                        header: headers.header(revision: found.storeRevision),
                        hash: UInt32(truncatingIfNeeded: found.hash ^ found.hash >> 32),
                        compactRevision: withRevisions ? found.compactRevision : 0,
                        hashRevision: withRevisions ? found.revision : 0
                    ).protobufBytes)
            }
        }
    }
}
