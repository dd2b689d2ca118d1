import Basics
import Keyspace
import Testing

@Suite struct AuthStateTests {
    struct Step: Sendable, CustomTestStringConvertible {
        var before: [AuthChange]
        var change: AuthChange
        /// etcd's text without its prefix; nil when it is done.
        var error: String?

        var testDescription: String { "\(change): \(error ?? "done")" }
    }

    private static let hash = Bytes("hash".utf8)
    private static let root = AuthState.root
    private static let a = Bytes("a".utf8)
    private static let enabled: [AuthChange] = [
        .addUser(root, passwordHash: hash), .addRole(root), .grantRole(user: root, role: root),
        .enable(secret: [1]),
    ]
    private static let read = Permission(.read, .key("k"))

    static let steps: [Step] = [
        Step(before: [], change: .enable(secret: [1]), error: "root user does not exist"),
        Step(
            before: [.addUser(root, passwordHash: hash)], change: .enable(secret: [1]),
            error: "root user does not have root role"),
        Step(before: Array(enabled.prefix(3)), change: .enable(secret: [1])),
        Step(before: enabled, change: .enable(secret: [2])),
        Step(before: [], change: .disable),
        Step(before: [], change: .addUser([], passwordHash: hash), error: "user name is empty"),
        Step(
            before: [.addUser(a, passwordHash: nil)], change: .addUser(a, passwordHash: hash),
            error: "user name already exists"),
        Step(before: [], change: .deleteUser(a), error: "user name not found"),
        Step(before: enabled, change: .deleteUser(root), error: "invalid auth management"),
        Step(before: Array(enabled.prefix(3)), change: .deleteUser(root)),
        Step(
            before: [], change: .changePassword(a, passwordHash: hash),
            error: "user name not found"),
        Step(
            before: [.addRole(a)], change: .grantRole(user: a, role: a),
            error: "user name not found"),
        Step(
            before: [.addUser(a, passwordHash: nil)], change: .grantRole(user: a, role: a),
            error: "role name not found"),
        // Not made yet, and can be granted nevertheless.
        Step(before: [.addUser(a, passwordHash: nil)], change: .grantRole(user: a, role: root)),
        Step(
            before: [.addUser(a, passwordHash: nil)], change: .revokeRole(user: a, role: a),
            error: "role is not granted to the user"),
        Step(
            before: enabled, change: .revokeRole(user: root, role: root),
            error: "invalid auth management"),
        Step(before: enabled + [.disable], change: .revokeRole(user: root, role: root)),
        Step(before: [], change: .addRole([]), error: "role name is empty"),
        Step(before: [.addRole(a)], change: .addRole(a), error: "role name already exists"),
        Step(before: [], change: .deleteRole(a), error: "role name not found"),
        Step(before: enabled, change: .deleteRole(root), error: "invalid auth management"),
        Step(
            before: [], change: .grantPermission(role: a, read), error: "role name not found"),
        Step(
            before: [.addRole(a)], change: .grantPermission(role: a, Permission(.read, .all)),
            error: "invalid auth management"),
        Step(
            before: [.addRole(a)],
            change: .grantPermission(
                role: a, Permission(.read, KeyRange(start: [2], end: .before([2])))),
            error: "invalid auth management"),
        Step(
            before: [.addRole(a)], change: .revokePermission(role: a, .key("k")),
            error: "permission is not granted to the role"),
        Step(
            before: [.addRole(a), .grantPermission(role: a, read)],
            change: .revokePermission(role: a, .prefix("k")),
            error: "permission is not granted to the role"),
        Step(
            before: [.addRole(a), .grantPermission(role: a, read)],
            change: .revokePermission(role: a, .key("k"))),
    ]

    @Test(arguments: steps) func aChangeFollowsEtcdsRules(step: Step) throws {
        var state = AuthState()
        for change in step.before { try state.apply(change) }
        let before = state
        do throws(StoreError) {
            try state.apply(step.change)
            #expect(step.error == nil)
        } catch {
            #expect(error.message == "etcdserver: \(step.error ?? "nothing")")
            #expect(state == before)
        }
        #expect(try AuthState(decoding: state.encode()) == state)
        let command = Command.stamped(AuthStamp(user: Self.a, version: 3), .auth(step.change))
        #expect(try Command(decoding: command.encode()) == command)
    }

    @Test func theLastGrantOfARangeCounts() throws {
        var state = AuthState()
        try state.apply(.addRole(Self.a))
        try state.apply(.grantPermission(role: Self.a, Permission(.read, .prefix("z"))))
        try state.apply(.grantPermission(role: Self.a, Self.read))
        try state.apply(.grantPermission(role: Self.a, Permission(.write, .key("k"))))
        #expect(
            state.permissions(ofRole: Self.a) == [
                Permission(.write, .key("k")), Permission(.read, .prefix("z")),
            ])
    }

    @Test func deletingARoleTakesItFromItsUsers() throws {
        var state = AuthState()
        try state.apply(.addUser(Self.a, passwordHash: nil))
        try state.apply(.addRole(Self.a))
        try state.apply(.grantRole(user: Self.a, role: Self.a))
        try state.apply(.deleteRole(Self.a))
        #expect(state.users[Self.a]?.roles == [])
    }

    @Test func theRevisionCountsAsEtcdsDoesAndTheVersionEverything() throws {
        var state = AuthState()
        for change in Self.enabled { try state.apply(change) }
        #expect((state.revision, state.version) == (4, 4))
        // Granted already, and enabled already: nothing changes.
        try state.apply(.grantRole(user: Self.root, role: Self.root))
        try state.apply(.enable(secret: [9]))
        #expect((state.revision, state.version) == (4, 4))
        try state.apply(.disable)
        #expect((state.revision, state.version) == (5, 5))
    }

    @Test func aDamagedStateIsRefused() throws {
        var state = AuthState()
        for change in Self.enabled { try state.apply(change) }
        let bytes = state.encode()
        for count in bytes.indices {
            #expect(throws: DecodingFailure.self) {
                try AuthState(decoding: Bytes(bytes.prefix(count)))
            }
        }
    }
}
