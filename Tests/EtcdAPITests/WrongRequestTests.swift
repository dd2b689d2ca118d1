import Basics
import EtcdAPI
import EtcdMessages
import HTTP
import Keyspace
import Store
import TestSupport
import Testing

/// What each wrong request answers, in etcd's codes and words.
@Suite(.timeLimit(.minutes(1)))
struct WrongRequestTests {
    private struct Case {
        var method: String
        var message: Bytes
        var status: GRPCStatus
    }

    private func wrong(
        _ method: String, _ message: Bytes, _ code: GRPCStatus.Code, _ text: String
    ) -> Case {
        Case(method: method, message: message, status: GRPCStatus(code, text))
    }

    /// A message of numbers and texts, by field.
    private func fields(_ numbers: [Int: Int64] = [:], _ texts: [Int: String] = [:]) -> Bytes {
        var writer = ProtobufWriter()
        for (field, number) in numbers.sorted(by: { $0.key < $1.key }) {
            writer.write(field, number)
        }
        for (field, text) in texts.sorted(by: { $0.key < $1.key }) { writer.write(field, text) }
        return writer.bytes
    }

    private func expect(_ cases: [Case], at port: Int) async throws {
        try await withChannel(port) { channel in
            for wrong in cases {
                let found = await channel.refusal("/" + wrong.method, wrong.message)
                #expect(found == wrong.status, "\(wrong.method) \(wrong.message.prefix(100))")
            }
        }
    }

    private func expect(_ cases: [Case]) async throws {
        try await withServedStore { _, port in try await expect(cases, at: port) }
    }

    @Test func ofKeys() async throws {
        let noKey = "etcdserver: key is not provided"
        let noLease = PutRequest(key: bytes("k"), value: bytes("v"), lease: 9)
        let tooLarge = PutRequest(
            key: bytes("k"), value: Bytes(repeating: 1, count: Limits.requestBytesMax))
        try await expect([
            wrong("etcdserverpb.KV/Range", [], .invalidArgument, noKey),
            wrong("etcdserverpb.KV/Put", [], .invalidArgument, noKey),
            wrong("etcdserverpb.KV/DeleteRange", [], .invalidArgument, noKey),
            wrong("v3lockpb.Lock/Unlock", [], .invalidArgument, noKey),
            wrong(
                "etcdserverpb.KV/Put", noLease.protobufBytes, .notFound,
                "etcdserver: requested lease not found"),
            wrong(
                "etcdserverpb.KV/Put", fields([5: 1], [1: "k", 2: "v"]), .invalidArgument,
                "etcdserver: value is provided"),
            wrong(
                "etcdserverpb.KV/Put", fields([3: 1, 6: 1], [1: "k"]), .invalidArgument,
                "etcdserver: lease is provided"),
            wrong(
                "etcdserverpb.KV/Put", fields([5: 1], [1: "k"]), .invalidArgument,
                "etcdserver: key not found"),
            wrong(
                "etcdserverpb.KV/Put", tooLarge.protobufBytes, .invalidArgument,
                "etcdserver: request is too large"),
            wrong(
                "etcdserverpb.KV/Range", fields([5: 9], [1: "k"]), .invalidArgument,
                "etcdserver: invalid sort option"),
        ])
    }

    /// Strings that are not UTF-8.
    @Test func ofNames() async throws {
        func broken(_ method: String, _ field: UInt8, _ message: String) -> Case {
            wrong(
                method, [field << 3 | 2, 1, 0xff], .internalError,
                "grpc: error unmarshalling request: \(message) at byte 3: "
                    + "string field contains invalid UTF-8")
        }
        let auth = "etcdserverpb.Auth/"
        try await expect([
            broken(auth + "UserAdd", 1, "auth request"),
            broken(auth + "UserAdd", 2, "auth request"),
            broken(auth + "UserGrantRole", 2, "auth request"),
            broken(auth + "RoleGet", 1, "auth request"),
            broken(auth + "Authenticate", 2, "AuthUserChangePasswordRequest"),
            broken(auth + "RoleGrantPermission", 1, "AuthRoleGrantPermissionRequest"),
            broken(auth + "RoleRevokePermission", 1, "AuthRoleRevokePermissionRequest"),
            broken("etcdserverpb.Cluster/MemberAdd", 1, "MemberRequest"),
            broken("etcdserverpb.Cluster/MemberUpdate", 2, "MemberRequest"),
            broken("etcdserverpb.Maintenance/Downgrade", 2, "DowngradeRequest"),
            broken("grpc.health.v1.Health/Check", 1, "HealthCheckRequest"),
        ])
    }

    @Test func ofTransactions() async throws {
        let put = PutRequest(key: [1], value: [])
        let tooMany = (0...Limits.transactionOperationsMax).map { number in
            Operation.put(PutRequest(key: bytes("k\(number)"), value: []))
        }
        var nothing = ProtobufWriter()
        nothing.writeElement(2, [])
        var nested = TransactionRequest(success: [])
        for _ in 0...Limits.transactionDepthMax {
            nested = TransactionRequest(success: [.transaction(nested)])
        }
        let method = "etcdserverpb.KV/Txn"
        try await expect([
            wrong(
                method, TransactionRequest(success: [.put(put), .put(put)]).protobufBytes,
                .invalidArgument, "etcdserver: duplicate key given in txn request"),
            wrong(
                method, TransactionRequest(success: tooMany).protobufBytes, .invalidArgument,
                "etcdserver: too many operations in txn request"),
            wrong(method, nothing.bytes, .invalidArgument, "etcdserver: key not found"),
            wrong(
                method, nested.protobufBytes, .invalidArgument,
                "etcdserver: too many operations in txn request"),
        ])
    }

    @Test func ofTheFuture() async throws {
        let text = "etcdserver: mvcc: required revision is a future revision"
        try await expect([
            wrong("etcdserverpb.KV/Range", fields([4: 99], [1: "k"]), .outOfRange, text),
            wrong("etcdserverpb.KV/Compact", fields([1: 99]), .outOfRange, text),
            wrong("etcdserverpb.Maintenance/HashKV", fields([1: 99]), .outOfRange, text),
        ])
    }

    @Test func ofHistoryThatIsGone() async throws {
        let text = "etcdserver: mvcc: required revision has been compacted"
        try await withServedStore { store, port in
            for value in ["1", "2", "3"] { try await store.put("k", value) }
            let revision = try await store.compact(to: 3)
            #expect(revision == store.revision)
            try await expect(
                [
                    wrong(
                        "etcdserverpb.KV/Range", fields([4: 2], [1: "k"]), .outOfRange, text),
                    wrong("etcdserverpb.KV/Compact", fields([1: 3]), .outOfRange, text),
                    wrong("etcdserverpb.Maintenance/HashKV", fields([1: 2]), .outOfRange, text),
                ], at: port)
        }
    }

    @Test func ofLeases() async throws {
        let lease = fields([1: 60, 2: 7])
        try await withServedStore { store, port in
            _ = try await store.leaseGrant(id: 7, ttlSeconds: 60)
            try await expect(
                [
                    wrong(
                        "etcdserverpb.Lease/LeaseGrant", lease, .failedPrecondition,
                        "etcdserver: lease already exists"),
                    wrong(
                        "etcdserverpb.Lease/LeaseGrant", fields([1: 9_000_000_001]), .outOfRange,
                        "etcdserver: too large lease TTL"),
                    wrong(
                        "etcdserverpb.Lease/LeaseRevoke", fields([1: 8]), .notFound,
                        "etcdserver: requested lease not found"),
                ], at: port)
        }
    }

    @Test func ofMembers() async throws {
        let badURL = "etcdserver: given member URLs are invalid"
        let move = "etcdserverpb.Maintenance/MoveLeader"
        try await withServedStore { store, port in
            try await expect(
                [
                    wrong("etcdserverpb.Cluster/MemberAdd", [], .invalidArgument, badURL),
                    wrong(
                        "etcdserverpb.Cluster/MemberAdd", fields([:], [1: "nowhere"]),
                        .invalidArgument, badURL),
                    wrong(
                        "etcdserverpb.Cluster/MemberUpdate", fields([1: 5]), .invalidArgument,
                        badURL),
                    wrong(
                        "etcdserverpb.Cluster/MemberRemove", fields([1: 5]), .notFound,
                        "etcdserver: member not found"),
                    wrong(move, [], .failedPrecondition, "etcdserver: bad leader transferee"),
                ], at: port)
            store.leaderID = 0xa2
            try await expect(
                [
                    wrong(
                        move, fields([1: 0xa1]), .failedPrecondition, "etcdserver: not leader")
                ], at: port)
        }
    }

    @Test func ofDowngrades() async throws {
        func downgrade(
            _ action: Int64, _ version: String, _ code: GRPCStatus.Code, _ text: String
        ) -> Case {
            wrong(
                "etcdserverpb.Maintenance/Downgrade", fields([1: action], [2: version]), code,
                "etcdserver: " + text)
        }
        try await expect([
            downgrade(0, "", .invalidArgument, "wrong downgrade target version format"),
            downgrade(1, "three", .invalidArgument, "wrong downgrade target version format"),
            downgrade(0, "3.5", .invalidArgument, "invalid downgrade target version"),
            downgrade(1, "3.6.0", .invalidArgument, "invalid downgrade target version"),
            downgrade(2, "", .failedPrecondition, "no inflight downgrade job"),
            downgrade(9, "3.5", .unknown, "unknown method"),
        ])
    }

    @Test func ofElections() async throws {
        let noLeader = "\"leader\" field must be provided"
        var leader = ProtobufWriter()
        leader.write(
            1, LeaderKey(name: bytes("n"), key: bytes("n/1"), revision: 1, lease: 1))
        try await expect([
            wrong(
                "v3electionpb.Election/Leader", fields([:], [1: "n"]), .unknown,
                "election: no leader"),
            wrong("v3electionpb.Election/Proclaim", [], .unknown, noLeader),
            wrong("v3electionpb.Election/Resign", [], .unknown, noLeader),
            wrong(
                "v3electionpb.Election/Proclaim", leader.bytes, .unknown,
                "election: not leader"),
        ])
    }

    @Test func ofUsersAndRoles() async throws {
        let longPassword = String(repeating: "x", count: 73)
        var noKey = ProtobufWriter()
        noKey.write(1, "r")
        noKey.writeElement(2, [])
        let auth = "etcdserverpb.Auth/"
        let state = GRPCStatus.Code.failedPrecondition
        let argument = GRPCStatus.Code.invalidArgument
        try await withServedStore { store, port in
            let changes: [AuthChange] = [.addUser(bytes("u"), passwordHash: nil), .addRole([0x72])]
            for change in changes {
                KeyspaceAuth(store).change(change, by: store.keyspace.auth.anonymous) { _ in }
            }
            try await expect(
                [
                    wrong(auth + "UserAdd", [], argument, "etcdserver: user name is empty"),
                    wrong(
                        auth + "UserAdd", fields([:], [1: "u", 2: "p"]), state,
                        "etcdserver: user name already exists"),
                    wrong(
                        auth + "UserAdd", fields([:], [1: "v", 2: longPassword]), argument,
                        "martlet: a password has 72 bytes at most, and none of them is 0"),
                    wrong(
                        auth + "UserChangePassword", fields([:], [1: "v", 2: "p"]), state,
                        "etcdserver: user name not found"),
                    wrong(
                        auth + "UserGrantRole", fields([:], [1: "u", 2: "x"]), state,
                        "etcdserver: role name not found"),
                    wrong(
                        auth + "UserRevokeRole", fields([:], [1: "u", 2: "r"]), state,
                        "etcdserver: role is not granted to the user"),
                    wrong(auth + "RoleAdd", [], argument, "etcdserver: role name is empty"),
                    wrong(
                        auth + "RoleAdd", fields([:], [1: "r"]), state,
                        "etcdserver: role name already exists"),
                    wrong(
                        auth + "RoleGrantPermission", fields([:], [1: "r"]), argument,
                        "etcdserver: permission not given"),
                    wrong(
                        auth + "RoleGrantPermission", noKey.bytes, argument,
                        "etcdserver: invalid auth management"),
                    wrong(
                        auth + "RoleRevokePermission", fields([:], [1: "r", 2: "k"]), state,
                        "etcdserver: permission is not granted to the role"),
                    wrong(
                        auth + "Authenticate", fields([:], [1: "u", 2: "p"]), state,
                        "etcdserver: authentication is not enabled"),
                    wrong(auth + "AuthEnable", [], state, "etcdserver: root user does not exist"),
                ], at: port)
        }
    }
}
