import Basics
import EtcdMessages
import HTTP
import Keyspace
import Store

/// `etcdserverpb.Cluster` and `etcdserverpb.Maintenance`, as far as they are built.
struct ClusterService: Sendable {
    let store: any Store
    let headers: HeaderSource

    func register(on router: inout GRPCRouter) {
        router.unary("/etcdserverpb.Cluster/MemberList") { _, _, reply in
            store.status { reply($0) { members($0).protobufBytes } }
        }
        router.unary("/etcdserverpb.Maintenance/Status") { _, _, reply in
            store.status { reply($0) { status($0).protobufBytes } }
        }
        router.unary("/etcdserverpb.Maintenance/Alarm") { message, _, reply in
            alarm(message, reply)
        }
    }

    private func members(_ status: StoreStatus) -> MemberListResponse {
        let members = status.members.map { MemberMessage($0) }
        return MemberListResponse(header: HeaderSource.header(status), members: members)
    }

    private func status(_ status: StoreStatus) -> StatusResponse {
        var response = StatusResponse(header: HeaderSource.header(status))
        response.version = EtcdAPI.etcdVersion
        response.storageVersion = EtcdAPI.etcdVersion
        response.fileBytes = status.fileBytes
        response.fileBytesInUse = status.fileBytesInUse
        response.leaderID = status.leaderID
        response.raftIndex = status.commitIndex
        response.raftTerm = status.term
        response.raftAppliedIndex = status.appliedIndex
        response.isLearner = status.isLearner
        if status.leaderID == 0 { response.errors.append(StoreError.noLeader.message) }
        for alarm in status.alarms {
            response.errors.append("memberID:\(status.memberID) alarm:\(alarm) ")
        }
        return response
    }

    private func alarm(_ message: Bytes, _ reply: GRPCReply) {
        let request: AlarmRequest
        do throws(DecodingFailure) {
            request = try AlarmRequest(protobuf: message)
        } catch {
            return reply(GRPCStatus(error))
        }
        guard request.action == .get else {
            return reply(
                GRPCStatus(.unimplemented, "martlet: alarms are raised and cleared by themselves"))
        }
        store.status { result in
            reply(result) { status in
                let alarms: [(memberID: UInt64, kind: AlarmKind)] = status.alarms.compactMap {
                    switch $0 {
                    case "NOSPACE": (status.memberID, .noSpace)
                    case "CORRUPT": (status.memberID, .corrupt)
                    default: nil
                    }
                }
                return AlarmResponse(header: HeaderSource.header(status), alarms: alarms)
                    .protobufBytes
            }
        }
    }
}
