import Basics
import EtcdAPI
import HTTP
import Keyspace
import Store
import TestSupport
import Testing

/// Every field of every request, with values that somebody may send: whatever comes, there is an
/// answer, and it is a message of the right shape, or one of etcd's codes with words.
@Suite(.timeLimit(.minutes(3)))
struct FuzzedRequestTests {
    /// A name that requests have too.
    private static let user = bytes("b")

    @Test(arguments: [1, 2, 3, 4] as [UInt64]) func protobuf(seed: UInt64) async throws {
        try await withServedStore { _, port in
            try await withChannel(port) { channel in
                var maker = RequestMaker(seed: seed)
                for round in 0..<40 {
                    for fuzzed in FuzzedCall.all where round % 4 == 0 || !fuzzed.isCostly {
                        try await ask(channel, fuzzed, &maker)
                    }
                }
                let store = RemoteStore(channel: channel)
                try await store.put("still", "here")
                #expect(try await store.get("still") == "here")
            }
        }
    }

    /// The same with users: asked by root, by somebody with a few rights, and by nobody.
    @Test(arguments: [1, 2] as [UInt64]) func protobufOfUsers(seed: UInt64) async throws {
        let tokens = TokenTable()
        try await withServedStore(tokens: tokens) { store, port in
            var maker = RequestMaker(seed: seed)
            for round in 0..<12 {
                store.enableAuth(user: Self.user)
                let callers: [Bytes] = [AuthState.root, Self.user, []]
                let caller = callers[round % 3]
                let token = tokens.issue(for: caller, store.keyspace.auth.state)
                #expect((token == nil) == caller.isEmpty)
                try await withChannel(port, token: token) { channel in
                    for fuzzed in FuzzedCall.all { try await ask(channel, fuzzed, &maker) }
                }
            }
            #expect(store.keyspace.auth.state.users[AuthState.root] != nil)
        }
    }

    // MARK: Asking

    private func ask(
        _ channel: GRPCChannel, _ fuzzed: FuzzedCall, _ maker: inout RequestMaker
    ) async throws {
        let message = maker.protobuf(fuzzed.request)
        guard !fuzzed.isStream else {
            let others = (0..<3).map { _ in maker.protobuf(fuzzed.request) }
            return try await converse(
                channel, fuzzed, [message] + others, endsRequest: maker.isOdd())
        }
        switch await channel.call(fuzzed.method, message) {
        case .success(let answer):
            fuzzed.check(answer, message)
            #expect(!FuzzedCall.isGarbage(message), "\(fuzzed.method) took \(message)")
        case .failure(let status): fuzzed.check(status, message)
        }
    }

    /// What comes until another call is answered, and then the call is given up. One that begins
    /// with no message has to end by itself.
    private func converse(
        _ channel: GRPCChannel, _ fuzzed: FuzzedCall, _ messages: [Bytes], endsRequest: Bool
    ) async throws {
        let ear = StreamEar()
        let stream = channel.stream(fuzzed.method, receiver: ear)
        for message in messages { stream.send(message) }
        if endsRequest { stream.end() }
        if FuzzedCall.isGarbage(messages[0]) {
            #expect(try await ear.status().code != .ok, "\(fuzzed.method) took \(messages[0])")
        }
        _ = await channel.call("/etcdserverpb.Maintenance/Status")
        stream.cancel()
        let status = try await ear.status()
        if status.code != .ok { fuzzed.check(status, messages) }
        for answer in ear.messages { fuzzed.check(answer, messages) }
    }
}
