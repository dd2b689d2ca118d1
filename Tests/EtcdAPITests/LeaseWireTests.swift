import EtcdMessages
import HTTP
import Store
import TestSupport
import Testing

/// What the wire says of leases beside what the store does.
@Suite(.timeLimit(.minutes(1)))
struct LeaseWireTests {
    /// With the header that `HeaderSource` remembers it is the revision from before the put.
    @Test func `The header of a renewal has the revision as it is now`() async throws {
        try await withServedStore { store, port in
            _ = try await store.leaseGrant(id: 7, ttlSeconds: 60)
            let written = try await store.put("a", "1", lease: 7)
            try await withChannel(port) { channel in
                let ear = StreamEar()
                let stream = channel.stream("/etcdserverpb.Lease/LeaseKeepAlive", receiver: ear)
                stream.send(LeaseRequest(id: 7).protobufBytes)
                stream.end()
                let status = try await ear.status()
                #expect(status.code == .ok)
                let message = try #require(ear.messages.first)
                let answer = try LeaseResponse(protobuf: message)
                #expect(answer.id == 7)
                #expect(answer.header.revision == written)
            }
        }
    }
}
