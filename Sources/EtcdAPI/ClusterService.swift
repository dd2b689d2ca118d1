import Basics
import EtcdMessages
import HTTP
import Keyspace
import Store

/// `etcdserverpb.Cluster` and `etcdserverpb.Maintenance`, as far as they are built.
struct ClusterService: Sendable {
    let store: any Store
    let access: AccessControl
    let headers: HeaderSource

    func register(on router: inout GRPCRouter) {
        router.unary("/etcdserverpb.Cluster/MemberList") { message, context, reply in
            if let error = access.refusalOfAnybody(context) { return reply(GRPCStatus(error)) }
            members(message, reply)
        }
        router.unary(empty: "/etcdserverpb.Maintenance/Status") { context, reply in
            // A replica that does not know the users, because it has no state, says at least that.
            if let error = access.refusalOfAnybody(context), error != .noLeader {
                return reply(GRPCStatus(error))
            }
            store.status { reply($0) { status($0).protobufBytes } }
        }
        router.unary("/etcdserverpb.Maintenance/Alarm") { message, context, reply in
            alarm(message, context, reply)
        }
        // Freed space is used again by itself, so there is nothing to do.
        router.unary(empty: "/etcdserverpb.Maintenance/Defragment", rootOf: access) { _, reply in
            store.status { result in
                reply(result) {
                    HeaderOnlyResponse(header: HeaderSource.header($0)).protobufBytes
                }
            }
        }
        router.unary("/etcdserverpb.Maintenance/Downgrade", rootOf: access) { message, _, reply in
            reply(DowngradeRequest.refusal(of: message))
        }
    }

    private func members(_ message: Bytes, _ reply: GRPCReply) {
        let request: MemberListRequest
        do throws(DecodingFailure) {
            request = try MemberListRequest(protobuf: message)
        } catch {
            return reply(GRPCStatus(error))
        }
        guard request.isLinearizable else {
            return store.status { reply($0) { members($0).protobufBytes } }
        }
        // Members are no part of the keyspace, but what a read waits for has them applied.
        var read = RangeRequest(.key([0]))
        read.countOnly = true
        store.range(read) { result in
            if case .failure(let error) = result { return reply(GRPCStatus(error)) }
            store.status { reply($0) { members($0).protobufBytes } }
        }
    }

    private func members(_ status: StoreStatus) -> MemberListResponse {
        let members = status.members.map { MemberMessage($0) }
        return MemberListResponse(header: HeaderSource.memberHeader(status), members: members)
    }

    private func status(_ status: StoreStatus) -> StatusResponse {
        var response = StatusResponse(header: HeaderSource.header(status))
        response.version = EtcdAPI.etcdVersion
        response.storageVersion = EtcdAPI.etcdVersion
        response.fileBytes = status.fileBytes
        response.fileBytesInUse = status.fileBytesInUse
        response.quotaBytes = status.quotaBytes
        response.leaderID = status.leaderID
        response.raftIndex = status.commitIndex
        response.raftTerm = status.term
        response.raftAppliedIndex = status.appliedIndex
        response.isLearner = status.isLearner
        if status.leaderID == 0 { response.errors.append(StoreError.noLeader.message) }
        if status.isDivergent {
            response.errors.append("martlet: this replica's state waits for the leader's snapshot")
        }
        for alarm in status.raised {
            let name = alarm.kind == .noSpace ? "NOSPACE" : "CORRUPT"
            response.errors.append("memberID:\(alarm.memberID) alarm:\(name) ")
        }
        return response
    }

    /// Who has a good token may see the alarms, and root change them.
    private func alarm(_ message: Bytes, _ context: GRPCContext, _ reply: GRPCReply) {
        let request: AlarmRequest
        do throws(DecodingFailure) {
            request = try AlarmRequest(protobuf: message)
        } catch {
            return reply(GRPCStatus(error))
        }
        let refusal =
            request.action == .get
            ? access.refusalOfAnybody(context) : access.refusalOfRoot(context)
        if let refusal { return reply(GRPCStatus(refusal)) }
        switch request.action {
        case .get: list(request, reply)
        case .activate: change(request, isRaised: true, reply)
        case .deactivate: change(request, isRaised: false, reply)
        }
    }

    /// The alarms that are on; `none` asks for every kind, as in etcd.
    private func list(_ request: AlarmRequest, _ reply: GRPCReply) {
        store.status { result in
            reply(result) { status in
                let kinds = status.raised.map { ($0.memberID, AlarmKind($0.kind)) }
                return response(
                    status, kinds.filter { request.kind == .none || $0.1 == request.kind })
            }
        }
    }

    /// Member 0 stands for the one that answers, unless it names an alarm of nobody that is known,
    /// which is on. Answers the alarm only if it was changed.
    private func change(_ request: AlarmRequest, isRaised: Bool, _ reply: GRPCReply) {
        let store = store
        store.status { result in
            let status: StoreStatus
            switch result {
            case .success(let now): status = now
            case .failure(let error): return reply(GRPCStatus(error))
            }
            guard let kind = request.kind.change else { return reply(response(status, [])) }
            let named = status.raised.contains {
                $0.memberID == request.memberID && $0.kind == kind
            }
            let memberID = request.memberID == 0 && !named ? status.memberID : request.memberID
            let change = AlarmChange(isRaised: isRaised, memberID: memberID, kind: kind)
            let wasRaised = status.raised.contains { $0.memberID == memberID && $0.kind == kind }
            guard wasRaised != isRaised else { return reply(response(status, [])) }
            store.changeAlarm(change) { result in
                reply(result) { _ in response(status, [(memberID, request.kind)]) }
            }
        }
    }

    private func response(
        _ status: StoreStatus, _ alarms: [(memberID: UInt64, kind: AlarmKind)]
    ) -> Bytes {
        AlarmResponse(header: HeaderSource.header(status), alarms: alarms).protobufBytes
    }
}

extension AlarmKind {
    fileprivate init(_ kind: AlarmChange.Kind) {
        self =
            switch kind {
            case .noSpace: .noSpace
            case .corrupt: .corrupt
            }
    }

    fileprivate var change: AlarmChange.Kind? {
        switch self {
        case .none: nil
        case .noSpace: .noSpace
        case .corrupt: .corrupt
        }
    }
}
