import Basics
import EtcdAPI
import Keyspace
import Testing

/// Hands of two clocks that a test moves.
private final class Hands: Sendable {
    private let seconds = Locked<UInt64>(1_000_000)

    func pass(_ seconds: UInt64) { self.seconds.withLock { $0 += seconds } }
    var now: UInt64 { seconds.withLock { $0 } }

    func table() -> TokenTable {
        TokenTable(
            now: { MonotonicTime(nanoseconds: self.now * 1_000_000_000) },
            wallSeconds: { self.now })
    }
}

@Suite struct TokenTests {
    private static let user = Bytes("u".utf8)
    private let hands = Hands()

    private func state(secret: Bytes = [1]) throws -> AuthState {
        var state = AuthState()
        for change in [
            AuthChange.addUser(AuthState.root, passwordHash: Bytes("r".utf8)),
            .grantRole(user: AuthState.root, role: AuthState.root),
            .addUser(Self.user, passwordHash: Bytes("h".utf8)), .enable(secret: secret),
        ] { try state.apply(change) }
        return state
    }

    private func isGood(_ token: String, _ table: TokenTable, _ state: AuthState) -> Bool {
        (try? table.permit(token, AuthSnapshot(state)))?.user == Self.user
    }

    @Test func aTokenLivesAsLongAsItIsUsed() throws {
        let (table, state) = (hands.table(), try state())
        let token = try #require(table.issue(for: Self.user, state))
        for _ in 0..<4 {
            hands.pass(TokenTable.lifeSeconds - 1)
            #expect(isGood(token, table, state))
        }
        // Another member has not seen it used.
        #expect(!isGood(token, hands.table(), state))
        hands.pass(TokenTable.lifeSeconds)
        #expect(!isGood(token, table, state))
    }

    @Test func anotherMemberKnowsATokenThatIsNew() throws {
        let state = try state()
        let token = try #require(hands.table().issue(for: Self.user, state))
        hands.pass(TokenTable.lifeSeconds - 1)
        #expect(isGood(token, hands.table(), state))
    }

    @Test(arguments: [
        [AuthChange.changePassword(user, passwordHash: Bytes("other".utf8))],
        [.deleteUser(user)],
        [.deleteUser(user), .addUser(user, passwordHash: Bytes("other".utf8))],
        [.disable, .enable(secret: [2])], [.disable],
    ])
    func whatEndsAToken(changes: [AuthChange]) throws {
        let table = hands.table()
        var state = try state()
        let token = try #require(table.issue(for: Self.user, state))
        #expect(isGood(token, table, state))
        for change in changes { try state.apply(change) }
        #expect(!isGood(token, table, state))
    }

    @Test func aTokenGoesOnThroughOtherChanges() throws {
        let table = hands.table()
        var state = try state()
        let token = try #require(table.issue(for: Self.user, state))
        #expect(isGood(token, table, state))
        hands.pass(TokenTable.lifeSeconds - 1)
        #expect(isGood(token, table, state))
        try state.apply(.addRole([1]))
        hands.pass(2)
        #expect(isGood(token, table, state))
    }

    @Test func nobodyMakesATokenOfTheirOwn() throws {
        let (table, state) = (hands.table(), try state())
        let token = try #require(table.issue(for: Self.user, state))
        let foreign = try #require(table.issue(for: Self.user, try self.state(secret: [2])))
        #expect(!isGood(foreign, table, state))
        // Another letter anywhere, or one less, or one more.
        let bytes = Bytes(token.utf8)
        for place in bytes.indices {
            var changed = bytes
            changed[place] = changed[place] == 0x61 ? 0x62 : 0x61
            #expect(!isGood(String(decoding: changed, as: UTF8.self), table, state))
            let cut = String(decoding: bytes[..<place], as: UTF8.self)
            #expect(!isGood(cut, table, state))
        }
        #expect(!isGood(token + "00", table, state))
        #expect(isGood(token, table, state))
        #expect(table.issue(for: Bytes("nobody".utf8), state) == nil)
    }
}

@Suite struct BcryptTests {
    @Test func aPasswordHasItsHashAndNoOtherDoes() throws {
        let hash = try #require(Bcrypt.hash(Bytes("secret".utf8), cost: 4))
        #expect(hash.hasPrefix(Bytes("$2b$04$".utf8)))
        #expect(Bcrypt.matches(Bytes("secret".utf8), hash))
        for other in ["", "Secret", "secret1", "secre"] {
            #expect(!Bcrypt.matches(Bytes(other.utf8), hash))
        }
        #expect(Bcrypt.hash(Bytes("secret".utf8), cost: 4) != hash)
    }

    @Test func aHashOfGosLibraryIsTaken() {
        let hash = Bytes("$2a$10$XajjQvNhvvRt5GSeFk1xFeyqRrsxkhBkUiQeg0dt.wU1qD4aFDcga".utf8)
        #expect(Bcrypt.matches(Bytes("allmine".utf8), hash))
        #expect(!Bcrypt.matches(Bytes("allmin".utf8), hash))
    }

    /// bcrypt would take them for others.
    @Test func passwordsThatWouldBeCutAreRefused() throws {
        let longest = Bytes(repeating: 0x61, count: Bcrypt.passwordBytesMax)
        let hash = try #require(Bcrypt.hash(longest, cost: 4))
        #expect(Bcrypt.matches(longest, hash))
        #expect(!Bcrypt.matches(longest + [0x62], hash))
        #expect(Bcrypt.hash(longest + [0x62], cost: 4) == nil)
        #expect(Bcrypt.hash([0x61, 0, 0x62], cost: 4) == nil)
        #expect(!Bcrypt.matches([0x61, 0, 0x62], try #require(Bcrypt.hash([0x61], cost: 4))))
    }
}
