/// A path of the JSON gateway and the gRPC method behind it.
package struct GatewayRoute: Sendable {
    package enum Flow: Sendable {
        /// One message each way.
        case unary
        /// Any number of answers, each a line `{"result": …}`.
        case stream
    }

    package var method: String
    package var request: Int
    package var response: Int
    package var flow: Flow
    /// Whether a stream takes any number of messages too; others take one, which may be empty.
    package var takesMany: Bool

    /// All routes of etcd's grpc-gateway, by path; a method that is not built answers as over gRPC.
    package static let all: [String: GatewayRoute] = {
        let schema = GatewaySchema.etcd
        var routes: [String: GatewayRoute] = [:]
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ").map(String.init)
            precondition(words.count == 4 || words.count == 5, "bad route \(line)")
            routes[words[0]] = GatewayRoute(
                method: words[1], request: schema.message(words[2]),
                response: schema.message(words[3]),
                flow: words.count == 5 ? .stream : .unary, takesMany: words.last == "streams")
        }
        return routes
    }()

    private static let text = """
        /v3/kv/range /etcdserverpb.KV/Range RangeRequest RangeResponse
        /v3/kv/put /etcdserverpb.KV/Put PutRequest PutResponse
        /v3/kv/deleterange /etcdserverpb.KV/DeleteRange DeleteRangeRequest DeleteRangeResponse
        /v3/kv/txn /etcdserverpb.KV/Txn TxnRequest TxnResponse
        /v3/kv/compaction /etcdserverpb.KV/Compact CompactionRequest HeaderOnly
        /v3/watch /etcdserverpb.Watch/Watch WatchRequest WatchResponse streams
        /v3/lease/grant /etcdserverpb.Lease/LeaseGrant LeaseGrantRequest LeaseGrantResponse
        /v3/lease/revoke /etcdserverpb.Lease/LeaseRevoke LeaseRevokeRequest HeaderOnly
        /v3/kv/lease/revoke /etcdserverpb.Lease/LeaseRevoke LeaseRevokeRequest HeaderOnly
        /v3/lease/keepalive /etcdserverpb.Lease/LeaseKeepAlive LeaseKeepAliveRequest \
        LeaseKeepAliveResponse streams
        /v3/lease/timetolive /etcdserverpb.Lease/LeaseTimeToLive LeaseTimeToLiveRequest \
        LeaseTimeToLiveResponse
        /v3/kv/lease/timetolive /etcdserverpb.Lease/LeaseTimeToLive LeaseTimeToLiveRequest \
        LeaseTimeToLiveResponse
        /v3/lease/leases /etcdserverpb.Lease/LeaseLeases Empty LeaseLeasesResponse
        /v3/kv/lease/leases /etcdserverpb.Lease/LeaseLeases Empty LeaseLeasesResponse
        /v3/cluster/member/add /etcdserverpb.Cluster/MemberAdd MemberAddRequest MemberAddResponse
        /v3/cluster/member/remove /etcdserverpb.Cluster/MemberRemove MemberRemoveRequest \
        MemberListResponse
        /v3/cluster/member/update /etcdserverpb.Cluster/MemberUpdate MemberUpdateRequest \
        MemberListResponse
        /v3/cluster/member/list /etcdserverpb.Cluster/MemberList MemberListRequest \
        MemberListResponse
        /v3/cluster/member/promote /etcdserverpb.Cluster/MemberPromote MemberRemoveRequest \
        MemberListResponse
        /v3/maintenance/alarm /etcdserverpb.Maintenance/Alarm AlarmRequest AlarmResponse
        /v3/maintenance/status /etcdserverpb.Maintenance/Status Empty StatusResponse
        /v3/maintenance/defragment /etcdserverpb.Maintenance/Defragment Empty HeaderOnly
        /v3/maintenance/hash /etcdserverpb.Maintenance/Hash Empty HashResponse
        /v3/maintenance/hashkv /etcdserverpb.Maintenance/HashKV HashKVRequest HashKVResponse
        /v3/maintenance/snapshot /etcdserverpb.Maintenance/Snapshot Empty SnapshotResponse stream
        /v3/maintenance/transfer-leadership /etcdserverpb.Maintenance/MoveLeader \
        MoveLeaderRequest HeaderOnly
        /v3/maintenance/downgrade /etcdserverpb.Maintenance/Downgrade DowngradeRequest \
        DowngradeResponse
        /v3/auth/enable /etcdserverpb.Auth/AuthEnable Empty HeaderOnly
        /v3/auth/disable /etcdserverpb.Auth/AuthDisable Empty HeaderOnly
        /v3/auth/status /etcdserverpb.Auth/AuthStatus Empty AuthStatusResponse
        /v3/auth/authenticate /etcdserverpb.Auth/Authenticate AuthenticateRequest \
        AuthenticateResponse
        /v3/auth/user/add /etcdserverpb.Auth/UserAdd AuthUserAddRequest HeaderOnly
        /v3/auth/user/get /etcdserverpb.Auth/UserGet AuthUserRequest AuthUserGetResponse
        /v3/auth/user/list /etcdserverpb.Auth/UserList Empty AuthUserListResponse
        /v3/auth/user/delete /etcdserverpb.Auth/UserDelete AuthUserRequest HeaderOnly
        /v3/auth/user/changepw /etcdserverpb.Auth/UserChangePassword \
        AuthUserChangePasswordRequest HeaderOnly
        /v3/auth/user/grant /etcdserverpb.Auth/UserGrantRole AuthUserGrantRoleRequest HeaderOnly
        /v3/auth/user/revoke /etcdserverpb.Auth/UserRevokeRole AuthUserRevokeRoleRequest HeaderOnly
        /v3/auth/role/add /etcdserverpb.Auth/RoleAdd AuthRoleAddRequest HeaderOnly
        /v3/auth/role/get /etcdserverpb.Auth/RoleGet AuthRoleRequest AuthRoleGetResponse
        /v3/auth/role/list /etcdserverpb.Auth/RoleList Empty AuthRoleListResponse
        /v3/auth/role/delete /etcdserverpb.Auth/RoleDelete AuthRoleRequest HeaderOnly
        /v3/auth/role/grant /etcdserverpb.Auth/RoleGrantPermission AuthRoleGrantPermissionRequest \
        HeaderOnly
        /v3/auth/role/revoke /etcdserverpb.Auth/RoleRevokePermission \
        AuthRoleRevokePermissionRequest HeaderOnly
        /v3/lock/lock /v3lockpb.Lock/Lock LockRequest LockResponse
        /v3/lock/unlock /v3lockpb.Lock/Unlock UnlockRequest HeaderOnly
        /v3/election/campaign /v3electionpb.Election/Campaign CampaignRequest CampaignResponse
        /v3/election/proclaim /v3electionpb.Election/Proclaim ProclaimRequest HeaderOnly
        /v3/election/leader /v3electionpb.Election/Leader LeaderRequest LeaderResponse
        /v3/election/observe /v3electionpb.Election/Observe LeaderRequest LeaderResponse stream
        /v3/election/resign /v3electionpb.Election/Resign ResignRequest HeaderOnly
        """
}
