import Basics
import EtcdAPI
import EtcdMessages
import HTTP
import Keyspace
import Store
import TestSupport
import Testing

/// Who may call what once auth is enabled, by etcd's codes and words.
@Suite(.timeLimit(.minutes(1)))
struct RefusedCallTests {
    private static let user = bytes("b")

    private static let callsOfRoot = [
        "Maintenance/Alarm", "Maintenance/Defragment", "Maintenance/Hash", "Maintenance/HashKV",
        "Maintenance/Downgrade", "Maintenance/MoveLeader", "Cluster/MemberAdd",
        "Cluster/MemberRemove", "Cluster/MemberUpdate", "Cluster/MemberPromote", "KV/Compact",
        "Auth/AuthEnable", "Auth/AuthDisable", "Auth/AuthStatus", "Auth/UserAdd", "Auth/UserGet",
        "Auth/UserList", "Auth/UserDelete", "Auth/UserChangePassword", "Auth/UserGrantRole",
        "Auth/UserRevokeRole", "Auth/RoleAdd", "Auth/RoleGet", "Auth/RoleList", "Auth/RoleDelete",
        "Auth/RoleGrantPermission", "Auth/RoleRevokePermission",
    ]

    /// Empty, but for what everybody may ask then.
    private func message(of method: String) -> Bytes {
        var writer = ProtobufWriter()
        switch method {
        case "Maintenance/Alarm":
            var request = AlarmRequest()
            request.action = .activate
            request.kind = .noSpace
            return request.protobufBytes
        case "Auth/UserGet": writer.write(1, "root")
        default: break
        }
        return writer.bytes
    }

    /// Leases without keys among them.
    private static let callsOfAnybody = [
        "Maintenance/Status", "Maintenance/Alarm", "Cluster/MemberList", "Lease/LeaseLeases",
        "Lease/LeaseGrant", "Lease/LeaseTimeToLive",
    ]

    private static let permissionDenied = GRPCStatus(
        .permissionDenied, "etcdserver: permission denied")
    private static let userEmpty = GRPCStatus(.invalidArgument, "etcdserver: user name is empty")
    private static let invalidToken = GRPCStatus(
        .unauthenticated, "etcdserver: invalid auth token")

    /// Asks as the user of a name, with nobody's token, and without any.
    private func asEach(
        _ body: (_ channel: GRPCChannel, _ refusal: GRPCStatus) async throws -> Void
    ) async throws {
        let tokens = TokenTable()
        try await withServedStore(tokens: tokens) { store, port in
            store.enableAuth(user: Self.user)
            let token = try #require(tokens.issue(for: Self.user, store.keyspace.auth.state))
            for (token, refusal) in [
                (token, Self.permissionDenied), ("a.b", Self.invalidToken), (nil, Self.userEmpty),
            ] as [(String?, GRPCStatus)] {
                try await withChannel(port, token: token) { try await body($0, refusal) }
            }
            #expect(store.keyspace.auth.state.isEnabled)
            #expect(try await store.status().raised.isEmpty)
        }
    }

    @Test func whatIsRootsIsRefusedToOthers() async throws {
        try await asEach { channel, refusal in
            for method in Self.callsOfRoot {
                let found = await channel.refusal(
                    "/etcdserverpb." + method, message(of: method))
                #expect(found == refusal, "\(method)")
            }
            let ear = StreamEar()
            let stream = channel.stream("/etcdserverpb.Maintenance/Snapshot", receiver: ear)
            stream.send([])
            let status = try await ear.status()
            #expect(status == refusal)
            #expect(ear.messages.isEmpty)
        }
    }

    @Test func rootIsNotRefused() async throws {
        let tokens = TokenTable()
        try await withServedStore(tokens: tokens) { store, port in
            store.enableAuth(user: Self.user)
            let token = tokens.issue(for: AuthState.root, store.keyspace.auth.state)
            let refusals = [Self.permissionDenied, Self.invalidToken]
            try await withChannel(port, token: token) { channel in
                for method in Self.callsOfRoot where method != "Auth/AuthDisable" {
                    let found = await channel.refusal(
                        "/etcdserverpb." + method, message(of: method))
                    let isRefused = found.map { refusals.contains($0) } ?? false
                    #expect(!isRefused, "\(method)")
                }
            }
            #expect(try await store.status().raised.count == 1)
        }
    }

    @Test func whatIsAnybodysIsRefusedToNobody() async throws {
        try await asEach { channel, refusal in
            let expected = refusal == Self.permissionDenied ? nil : refusal
            for method in Self.callsOfAnybody {
                let found = await channel.refusal("/etcdserverpb." + method)
                #expect(found == expected, "\(method)")
            }
            // Load balancers have no name.
            let isAlive = await channel.refusal("/grpc.health.v1.Health/Check") == nil
            #expect(isAlive)
        }
    }

    /// Who may renew and list leases is up to the keys that hang on them.
    @Test func leasesTakeTheRightToTheirKeys() async throws {
        let tokens = TokenTable()
        try await withServedStore(tokens: tokens) { store, port in
            store.enableAuth(user: Self.user)
            KeyspaceAuth(store).change(
                .grantPermission(role: Self.user, Permission(.read, .key(bytes("public")))),
                by: store.keyspace.auth.permit(AuthState.root)
            ) { _ in }
            let keys = ["b", "public", "private", nil]
            for (id, key) in zip(Int64(1)..., keys) {
                _ = try await store.leaseGrant(id: id, ttlSeconds: 600)
                if let key { try await store.put(key, "", lease: id) }
            }
            let user = try #require(tokens.issue(for: Self.user, store.keyspace.auth.state))
            let root = try #require(tokens.issue(for: AuthState.root, store.keyspace.auth.state))
            try await withChannel(port, token: root) { channel in
                for id in [1, 2, 3, 4] as [Int64] {
                    let found = try await refusal(ofRenewing: id, channel)
                    #expect(found == nil)
                }
                let listing = await channel.refusal(Self.leaseLeases)
                #expect(listing == nil)
            }
            try await withChannel(port, token: user) { channel in
                // A fifth there is not, and it is nobody's.
                for id in [1, 4, 5] as [Int64] {
                    let found = try await refusal(ofRenewing: id, channel)
                    #expect(found == nil)
                }
                for id in [2, 3] as [Int64] {
                    let found = try await refusal(ofRenewing: id, channel)
                    #expect(found == Self.permissionDenied)
                }
                let before = await channel.refusal(Self.leaseLeases)
                #expect(before == Self.permissionDenied)
                _ = try await store.leaseRevoke(id: 3)
                let after = await channel.refusal(Self.leaseLeases)
                #expect(after == nil)
            }
        }
    }

    private static let leaseLeases = "/etcdserverpb.Lease/LeaseLeases"

    private func refusal(
        ofRenewing id: Int64, _ channel: GRPCChannel
    ) async throws -> GRPCStatus? {
        let ear = StreamEar()
        let stream = channel.stream("/etcdserverpb.Lease/LeaseKeepAlive", receiver: ear)
        stream.send(LeaseRequest(id: id).protobufBytes)
        stream.end()
        let status = try await ear.status()
        return status.code == .ok ? nil : status
    }
}
