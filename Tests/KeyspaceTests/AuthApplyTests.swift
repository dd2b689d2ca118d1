import Basics
import Keyspace
import TestSupport
import Testing

@Suite struct AuthApplyTests {
    private static let user = Bytes("u".utf8)
    private static let setup: [AuthChange] = [
        .addUser(AuthState.root, passwordHash: Bytes("x".utf8)),
        .grantRole(user: AuthState.root, role: AuthState.root),
        .addUser(user, passwordHash: nil), .addRole(user), .grantRole(user: user, role: user),
        .grantPermission(role: user, Permission(.readWrite, .prefix("u/"))),
        .enable(secret: [7]),
    ]

    private func enabled() throws -> Fixture {
        let fixture = try Fixture()
        for change in Self.setup { try self.change(change, fixture) }
        return fixture
    }

    private func change(_ change: AuthChange, _ fixture: Fixture) throws {
        guard case .auth(let result) = try fixture.apply(.auth(change)) else {
            throw StoreError(.invalid, "another kind of result")
        }
        _ = try result.get()
    }

    /// What a command answers on behalf of a user, allowed under this version.
    private func error(
        of command: Command, by user: Bytes, version: UInt64, _ fixture: Fixture
    ) throws -> StoreError? {
        let stamp = AuthStamp(user: user, version: version)
        switch try fixture.apply(.stamped(stamp, command)) {
        case .transaction(.failure(let error)), .revision(.failure(let error)),
            .lease(.failure(let error)), .auth(.failure(let error)), .commit(.failure(let error)):
            return error
        default: return nil
        }
    }

    private func put(_ key: String, lease: Int64 = 0) -> Command {
        .transaction(TransactionRequest(success: [.put(key, "v", lease: lease)]))
    }

    @Test func aRightThatWasLostOnTheWayIsFoundMissing() throws {
        let fixture = try enabled()
        let version = fixture.keyspace.auth.state.version
        #expect(
            try error(of: put("u/1"), by: Self.user, version: version, fixture) == nil)
        try change(.revokePermission(role: Self.user, .prefix("u/")), fixture)
        #expect(
            try error(of: put("u/1"), by: Self.user, version: version, fixture)
                == .permissionDenied)
        // And one that was asked for before there were users at all.
        #expect(try error(of: put("u/1"), by: [], version: 0, fixture) == .userEmpty)
        #expect(
            try error(of: put("u/1"), by: Bytes("gone".utf8), version: version, fixture)
                == .permissionDenied)
        try change(.disable, fixture)
        #expect(try error(of: put("x"), by: [], version: version, fixture) == nil)
    }

    @Test func whatOnlyRootMayIsRefusedToOthers() throws {
        let fixture = try enabled()
        let version = fixture.keyspace.auth.state.version
        for command in [
            Command.compact(1), .auth(.disable), .auth(.addRole([1])),
            .commit(CommitRequest(mutations: [.put("u/1", "v")])),
        ] {
            #expect(
                try error(of: command, by: Self.user, version: version, fixture)
                    == .permissionDenied)
        }
        #expect(fixture.keyspace.auth.state.isEnabled)
        #expect(
            try error(of: .auth(.disable), by: AuthState.root, version: version, fixture) == nil)
        #expect(!fixture.keyspace.auth.state.isEnabled)
    }

    /// Attaching to a lease, and ending it, touches the other keys of the lease.
    @Test func aLeaseTakesTheRightToWriteItsKeys() throws {
        let fixture = try enabled()
        let version = fixture.keyspace.auth.state.version
        try fixture.apply(.leaseGrant(id: 1, ttlSeconds: 60))
        try fixture.apply(.leaseGrant(id: 2, ttlSeconds: 60))
        try fixture.put("theirs", "", lease: 1)
        let nested = TransactionRequest(
            success: [
                .transaction(TransactionRequest(success: [], failure: [.put("u/1", "", lease: 1)]))
            ])
        for command in [put("u/1", lease: 1), .leaseRevoke(id: 1), .transaction(nested)] {
            #expect(
                try error(of: command, by: Self.user, version: version, fixture)
                    == .permissionDenied)
        }
        for command in [put("u/1", lease: 2), .leaseRevoke(id: 2)] {
            #expect(try error(of: command, by: Self.user, version: version, fixture) == nil)
        }
        #expect(try fixture.text(.all) == ["theirs="])
    }

    @Test func aWatcherEndsWithItsRight() throws {
        let fixture = try enabled()
        let permit = fixture.keyspace.auth.permit(Self.user)
        let ranges = [KeyRange.prefix("u/"), .key("u/1")]
        let listeners = ranges.map { range in
            let listener = Listener(fixture.keyspace.watch(WatchRequest(range), by: permit))
            listener.pull()
            return listener
        }
        let root = Listener(
            fixture.keyspace.watch(
                WatchRequest(.all), by: fixture.keyspace.auth.permit(AuthState.root)))
        root.pull()
        let idle = Listener(fixture.keyspace.watch(WatchRequest(.prefix("u/")), by: permit))
        // In one batch with the put that it must not see.
        let index = fixture.keyspace.appliedIndex
        _ = try fixture.keyspace.apply([
            AppliedEntry(
                index: index + 1, term: 1,
                command: .auth(.revokeRole(user: Self.user, role: Self.user))),
            AppliedEntry(index: index + 2, term: 1, command: put("u/1")),
        ])
        for listener in listeners { #expect(listener.text == "!etcdserver: permission denied") }
        #expect(root.text == "+u/1@2 |2")
        idle.pull()
        #expect(idle.text == "!etcdserver: permission denied")
        // One that comes with an old permit is too late.
        let late = Listener(fixture.keyspace.watch(WatchRequest(.prefix("u/")), by: permit))
        late.pull()
        #expect(late.text == "!etcdserver: permission denied")
    }

    @Test func enablingEndsWatchersOfNobody() throws {
        let fixture = try Fixture()
        let nobody = Listener(
            fixture.keyspace.watch(WatchRequest(.all), by: fixture.keyspace.auth.anonymous))
        let own = Listener(fixture.keyspace.watch(WatchRequest(.all)))
        for listener in [nobody, own] { listener.pull() }
        for change in Self.setup { try self.change(change, fixture) }
        #expect(nobody.text == "!etcdserver: user name is empty")
        try fixture.put("k", "v")
        #expect(own.text == "+k@2 |2")
    }

    /// A key's right is not a right to the keys behind it.
    @Test func aRightToOneKeyIsNoneToWatchASuffix() throws {
        let fixture = try enabled()
        try change(.addRole([1]), fixture)
        try change(.grantPermission(role: [1], Permission(.read, .key("one"))), fixture)
        try change(.grantRole(user: Self.user, role: [1]), fixture)
        let permit = fixture.keyspace.auth.permit(Self.user)
        let suffix = KeyRange(start: Bytes("one".utf8), end: .unbounded)
        for range in [suffix, .prefix("one"), .all] {
            #expect(permit.refusal(reading: range) == .permissionDenied)
        }
        #expect(permit.refusal(reading: .key("one")) == nil)
    }

    @Test func theStateOutlivesARestartAndASnapshot() throws {
        let fixture = try enabled()
        let state = fixture.keyspace.auth.state
        #expect(state.isEnabled)
        let file = fixture.directory.path + "/snapshot"
        try SnapshotFile.save(fixture.keyspace.snapshot(clusterID: 5), to: file)
        try fixture.reopen()
        #expect(fixture.keyspace.auth.state == state)
        let copy = fixture.directory.path + "/copy"
        try SnapshotFile.restore(file, into: copy)
        let restored = try Keyspace.open(directory: copy, options: fixture.options)
        defer { restored.stop() }
        #expect(restored.auth.state == state)
        #expect(restored.hash == fixture.keyspace.hash)
    }

    @Test func replicasWithOtherUsersHaveOtherHashes() throws {
        let (one, other) = (try Fixture(), try Fixture())
        try change(.addRole([1]), one)
        try change(.addRole([2]), other)
        #expect(one.keyspace.hash != other.keyspace.hash)
    }
}
