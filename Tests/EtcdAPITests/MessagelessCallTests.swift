import Basics
import Documents
import EtcdAPI
import HTTP
import NIOPosix
import Testing

/// Calls that take one message and get none.
@Suite(.timeLimit(.minutes(1)))
struct MessagelessCallTests {
    @Test(arguments: [
        "/etcdserverpb.KV/Range", "/etcdserverpb.Lease/LeaseLeases",
        "/etcdserverpb.KV/RangeStream", "/etcdserverpb.Maintenance/Snapshot",
        "/v3lockpb.Lock/Lock", "/v3electionpb.Election/Campaign",
        "/v3electionpb.Election/Observe", "/grpc.health.v1.Health/Watch",
    ])
    func theyAreRefusedAtTheirEnd(method: String) async throws {
        try await withServedStore { _, port in
            try await withChannel(port) { channel in
                let ear = StreamEar()
                channel.stream(method, receiver: ear).end()
                let status = try await ear.status()
                #expect(
                    status == GRPCStatus(.internalError, "grpc: request without a message"))
            }
        }
    }

    /// As grpc-gateway has it, no body is an empty message.
    @Test func theGatewayMakesOneOfNoBody() async throws {
        try await withServedStore { _, port in
            let client = try await HTTPClientConnection.connect(
                host: "127.0.0.1", port: port, group: MultiThreadedEventLoopGroup.singleton)
            defer { client.close() }
            for body in ["", " \n", "{}", "{}\n"] {
                let response = try await client.request(
                    HTTPClientRequest(method: "POST", target: "/v3/maintenance/snapshot"),
                    body: Bytes(body.utf8))
                #expect(response.status == 200)
                var count = 0
                for line in response.body.split(separator: 0x0a) {
                    let result = try JSON.parse(Bytes(line))["result"]
                    let blob = try #require(result?["blob"]?.stringValue)
                    count += try Base64.decode(blob).get().count
                }
                #expect(count == OneMember.snapshotBytes, "\(body)")
            }
        }
    }
}
