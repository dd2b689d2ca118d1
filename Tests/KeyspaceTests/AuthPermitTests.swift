import Basics
import Keyspace
import Testing

@Suite struct AuthPermitTests {
    private static let user = Bytes("u".utf8)
    /// Where ranges begin and end.
    private static let keys: [Bytes] = [[1], [1, 1], [1, 2], [2], [2, 1], [3]]
    /// Between two neighbours of these no range begins or ends, so they stand for all keys.
    private static let points =
        ([[0], [9]] + keys + keys.map { $0 + [0] }).sorted { isOrderedBefore($0, $1) }

    private static func range(_ random: inout SeededRandom) -> KeyRange {
        let start = keys[random.below(keys.count)]
        switch random.below(4) {
        case 0, 1: return .key(start)
        case 2: return KeyRange(start: start, end: .before(keys[random.below(keys.count)]))
        default:
            return random.chance(1, in: 4)
                ? KeyRange(start: random.chance(1, in: 2) ? [] : [0], end: .unbounded)
                : KeyRange(start: start, end: .unbounded)
        }
    }

    /// What two roles hold together, and a model that asks every key by itself.
    @Test(arguments: 0..<50) func permitsAgreeWithKeyByKeyChecks(seed: Int) throws {
        var random = SeededRandom(seed: UInt64(seed))
        var state = try enabledState()
        try state.apply(.addUser(Self.user, passwordHash: nil))
        var granted: [Permission] = []
        for role in [Bytes("r".utf8), Bytes("s".utf8)] {
            try state.apply(.addRole(role))
            try state.apply(.grantRole(user: Self.user, role: role))
            for _ in 0..<random.below(4) {
                let kind = Permission.Kind(rawValue: UInt8(random.below(3))) ?? .read
                let permission = Permission(kind, Self.range(&random))
                // Empty ranges are refused.
                try? state.apply(.grantPermission(role: role, permission))
            }
            granted += state.permissions(ofRole: role) ?? []
        }
        let permit = AuthSnapshot(state).permit(Self.user)
        for _ in 0..<200 {
            let range = Self.range(&random)
            var wanted = Self.points.filter { range.contains($0) }
            if wanted.isEmpty { wanted = [range.start] }
            let mayRead = wanted.allSatisfy { key in
                granted.contains { $0.kind != .write && $0.range.contains(key) }
            }
            let mayWrite = wanted.allSatisfy { key in
                granted.contains { $0.kind != .read && $0.range.contains(key) }
            }
            // The end of the last span has to be open too.
            let isClosed = range.end != .unbounded
            let reads = granted.contains { $0.kind != .write && $0.range.end == .unbounded }
            let writes = granted.contains { $0.kind != .read && $0.range.end == .unbounded }
            #expect(
                (permit.refusal(reading: range) == nil) == (mayRead && (isClosed || reads)),
                "\(range) of \(granted)")
            #expect(
                (permit.refusal(writing: range) == nil) == (mayWrite && (isClosed || writes)),
                "\(range) of \(granted)")
        }
    }

    private func enabledState() throws -> AuthState {
        var state = AuthState()
        try state.apply(.addUser(AuthState.root, passwordHash: nil))
        try state.apply(.grantRole(user: AuthState.root, role: AuthState.root))
        try state.apply(.enable(secret: [1]))
        return state
    }

    /// A user who may read `r` and below, and write `w`.
    private func permit() throws -> AuthPermit {
        var state = try enabledState()
        try state.apply(.addUser(Self.user, passwordHash: nil))
        try state.apply(.addRole(Self.user))
        try state.apply(.grantRole(user: Self.user, role: Self.user))
        let permissions = [Permission(.read, .prefix("r")), Permission(.write, .key("w"))]
        for permission in permissions {
            try state.apply(.grantPermission(role: Self.user, permission))
        }
        return AuthSnapshot(state).permit(Self.user)
    }

    @Test func everyPartOfATransactionCounts() throws {
        let permit = try permit()
        let read = Operation.range(RangeRequest(.key("r/1")))
        let put = PutRequest(key: Bytes("w".utf8), value: [])
        var previous = put
        previous.wantsPrevious = true
        let denied: [TransactionRequest] = [
            TransactionRequest(success: [.put("x", "")]),
            TransactionRequest(success: [], failure: [.put("x", "")]),
            TransactionRequest(success: [.range(RangeRequest(.key("w")))]),
            // The value before is read.
            TransactionRequest(success: [.put(previous)]),
            TransactionRequest(
                success: [.deleteRange(DeleteRangeRequest(.key("w"), wantsPrevious: true))]),
            TransactionRequest(success: [.deleteRange(DeleteRangeRequest(.prefix("w")))]),
            TransactionRequest(compares: [Compare(.key("w"), .equal, .version(0))], success: []),
        ]
        for request in denied {
            #expect(permit.refusal(of: request) == .permissionDenied, "\(request)")
            for nested in [
                TransactionRequest(success: [.put(put), .transaction(request)]),
                TransactionRequest(success: [], failure: [.transaction(request)]),
            ] {
                #expect(permit.refusal(of: nested) == .permissionDenied, "\(nested)")
            }
        }
        let allowed = TransactionRequest(
            compares: [Compare(.key("r"), .equal, .version(0))], success: [.put(put)],
            failure: [read, .transaction(TransactionRequest(success: [.put(put), read]))])
        #expect(permit.refusal(of: allowed) == nil)
    }

    @Test func whoIsNotKnownMayNothingAndRootAll() throws {
        let snapshot = AuthSnapshot(try enabledState())
        #expect(snapshot.anonymous.refusal(reading: .key("a")) == .userEmpty)
        #expect(snapshot.anonymous.refusalOfRoot == .userEmpty)
        #expect(snapshot.permit(Bytes("gone".utf8)).refusalOfAnybody == .permissionDenied)
        #expect(snapshot.permit(AuthState.root).isUnrestricted)
        #expect(AuthSnapshot.initial.anonymous.isUnrestricted)
        #expect(try permit().refusalOfRoot == .permissionDenied)
        #expect(try permit().refusalOfAnybody == nil)
    }
}
