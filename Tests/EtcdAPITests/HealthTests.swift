import Basics
import EtcdAPI
import EtcdMessages
import HTTP
import Keyspace
import NIOPosix
import TestSupport
import Testing

/// What probes and load balancers are told, and when they are told that something is wrong.
@Suite(.timeLimit(.minutes(1)))
struct HealthTests {
    // MARK: grpc.health.v1

    private static let check = "/grpc.health.v1.Health/Check"
    private static let watch = "/grpc.health.v1.Health/Watch"
    private static let serving: Bytes = [0x08, 1]
    private static let notServing: Bytes = [0x08, 2]
    private static let serviceUnknown: Bytes = [0x08, 3]

    private func service(_ name: String) -> Bytes {
        var writer = ProtobufWriter()
        writer.write(1, name)
        return writer.bytes
    }

    @Test func checkKnowsTheServerAsAWhole() async throws {
        try await withServedStore { store, port in
            try await withChannel(port) { channel in
                let serves = await channel.call(Self.check)
                #expect(serves == .success(Self.serving))
                store.leaderID = 0
                let isAlone = await channel.call(Self.check)
                #expect(isAlone == .success(Self.notServing))
                for name in ["etcdserverpb.KV", "nobody"] {
                    let refusal = await channel.refusal(Self.check, service(name))
                    #expect(refusal == GRPCStatus(.notFound, "unknown service"), "\(name)")
                }
            }
        }
    }

    @Test func watchTellsWhatChanges() async throws {
        try await withServedStore { store, port async throws -> Void in
            try await withChannel(port) { channel async throws -> Void in
                let (ear, other) = (StreamEar(), StreamEar())
                let stream = channel.stream(Self.watch, receiver: ear)
                stream.send([])
                let otherStream = channel.stream(Self.watch, receiver: other)
                otherStream.send(service("nobody"))
                var told = [Self.serving]
                #expect(try await ear.messages(1) == told)
                for (leader, message) in [(0, Self.notServing), (0xa1, Self.serving)]
                    as [(UInt64, Bytes)]
                {
                    store.leaderID = leader
                    told.append(message)
                    #expect(try await ear.messages(told.count) == told)
                }
                // Goes on too: the service might come to be.
                #expect(try await other.messages(1) == [Self.serviceUnknown])
                stream.cancel()
                otherStream.cancel()
                #expect(try await other.status().code == .cancelled)
            }
        }
    }

    // MARK: Pages

    private struct Page: Equatable, CustomStringConvertible {
        var status: Int
        var text: String

        var description: String { "\(status): \(text)" }
    }

    private static func health(_ reason: String) -> Page {
        let isGood = reason.isEmpty
        return Page(
            status: isGood ? 200 : 503, text: #"{"health":"\#(isGood)","reason":"\#(reason)"}"#)
    }

    private static let ok = Page(status: 200, text: "ok\n")

    private func expect(_ pages: [(path: String, page: Page)], at port: Int) async throws {
        let client = try await HTTPClientConnection.connect(
            host: "127.0.0.1", port: port, group: MultiThreadedEventLoopGroup.singleton)
        defer { client.close() }
        for (path, page) in pages {
            let response = try await client.request(HTTPClientRequest(target: path))
            let found = Page(
                status: response.status, text: String(decoding: response.body, as: UTF8.self))
            #expect(found == page, "\(path)")
        }
    }

    private func raise(_ kind: AlarmChange.Kind, _ store: KeyspaceStore) {
        store.changeAlarm(AlarmChange(isRaised: true, memberID: 0xa1, kind: kind)) { _ in }
    }

    @Test func aDiskThatIsFullIsUnhealthyAndReady() async throws {
        try await withServedStore { store, port in
            raise(.noSpace, store)
            try await expect(
                [
                    ("/health", Self.health("ALARM NOSPACE")),
                    ("/health?serializable=true", Self.health("ALARM NOSPACE")),
                    ("/health?exclude=CORRUPT", Self.health("ALARM NOSPACE")),
                    ("/health?exclude=NOSPACE", Self.health("")),
                    ("/livez", Self.ok), ("/readyz", Self.ok),
                ], at: port)
        }
    }

    @Test func replicasThatDifferAreNotReady() async throws {
        try await withServedStore { store, port in
            raise(.noSpace, store)
            raise(.corrupt, store)
            let failed = "[-]data_corruption failed: alarm activated: CORRUPT\n"
            let others =
                "[+]serializable_read ok\n[+]linearizable_read ok\n[+]non_learner ok\n"
            try await expect(
                [
                    ("/health?exclude=NOSPACE", Self.health("ALARM CORRUPT")),
                    ("/health?exclude=NOSPACE&exclude=CORRUPT", Self.health("")),
                    ("/livez", Self.ok),
                    ("/readyz", Page(status: 503, text: failed + others)),
                    ("/readyz?verbose", Page(status: 503, text: failed + others)),
                    ("/readyz/data_corruption", Page(status: 503, text: failed)),
                    ("/readyz/linearizable_read", Self.ok),
                    ("/readyz?exclude=data_corruption", Self.ok),
                    (
                        "/readyz?exclude=data_corruption&verbose",
                        Page(status: 200, text: others + "ok\n")
                    ),
                ], at: port)
        }
    }

    @Test func aReplicaThatIsCutOffLivesAndIsNotReady() async throws {
        try await withServedStore { store, port in
            store.leaderID = 0
            store.readRefusal = .noLeader
            let failed = "[-]linearizable_read failed: range error: etcdserver: no leader\n"
            try await expect(
                [
                    ("/health", Self.health("RAFT NO LEADER")),
                    ("/health?serializable=true", Self.health("")),
                    ("/livez", Self.ok),
                    ("/livez?verbose", Page(status: 200, text: "[+]serializable_read ok\nok\n")),
                    ("/readyz/linearizable_read", Page(status: 503, text: failed)),
                    ("/readyz/serializable_read", Self.ok),
                    (
                        "/readyz",
                        Page(
                            status: 503,
                            text: "[+]data_corruption ok\n[+]serializable_read ok\n" + failed
                                + "[+]non_learner ok\n")
                    ),
                    ("/readyz?exclude=linearizable_read", Self.ok),
                ], at: port)
            store.leaderID = 0xa1
            store.readRefusal = .timeout
            let reason = "RANGE ERROR:etcdserver: request timed out"
            try await expect([("/health", Self.health(reason))], at: port)
        }
    }

    @Test func aLearnerIsNotReady() async throws {
        try await withServedStore { store, port in
            store.isLearner = true
            let failed = "[-]non_learner failed: not supported for learner\n"
            try await expect(
                [
                    ("/readyz/non_learner", Page(status: 503, text: failed)),
                    ("/readyz?exclude=non_learner", Self.ok), ("/livez", Self.ok),
                    ("/livez/non_learner", Page(status: 404, text: "404 page not found\n")),
                ], at: port)
        }
    }
}
