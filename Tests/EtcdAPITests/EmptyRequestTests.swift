import Basics
import EtcdAPI
import EtcdMessages
import HTTP
import Testing

/// Requests without fields are messages too.
@Suite(.timeLimit(.minutes(1)))
struct EmptyRequestTests {
    private static let etcdMethods = [
        "Auth/AuthStatus", "Auth/UserList", "Auth/RoleList", "Auth/AuthDisable",
        "Maintenance/Status", "Maintenance/Defragment", "Maintenance/Hash", "Lease/LeaseLeases",
    ].map { "/etcdserverpb." + $0 }
    private static let methods =
        etcdMethods + [AdminService.openSnapshotPath, AdminService.scrubPath]

    /// No field tag, a field that ends early, a length beyond the end.
    private static let garbage: [Bytes] = [[0x00], [0xff], [0x08], [0x0a, 0x05, 0x61]]
    /// Fields 1 and 1000, which are nobody's.
    private static let unknownFields: Bytes = [0x08, 0x07, 0xc2, 0x3e, 0x01, 0x61]

    private func isRefusal(_ status: GRPCStatus?) -> Bool {
        guard let status else { return false }
        return status.code == .internalError
            && status.message.hasPrefix("grpc: error unmarshalling request: ")
    }

    @Test func garbageIsRefusedAndUnknownFieldsAreNot() async throws {
        try await withServedStore { _, port in
            try await withChannel(port) { channel in
                for method in Self.methods {
                    for message in [[], Self.unknownFields] as [Bytes] {
                        let refusal = await channel.refusal(method, message)
                        #expect(refusal == nil, "\(method) \(message)")
                    }
                    for message in Self.garbage {
                        let refusal = await channel.refusal(method, message)
                        #expect(
                            isRefusal(refusal),
                            "\(method) \(message): \(refusal?.description ?? "accepted")")
                    }
                }
                // Without a root user it is refused, but only if it is a message.
                let enable = "/etcdserverpb.Auth/AuthEnable"
                let refusal = await channel.refusal(enable, Self.unknownFields)
                #expect(refusal?.message == "etcdserver: root user does not exist")
                for message in Self.garbage {
                    let refusal = await channel.refusal(enable, message)
                    #expect(isRefusal(refusal), "\(message)")
                }
            }
        }
    }

    @Test func soAreThoseOfStreams() async throws {
        try await withServedStore { _, port in
            try await withChannel(port) { channel in
                for message in Self.garbage {
                    // `progress_request`, the third field of a watch's, is without fields too.
                    var progress = ProtobufWriter()
                    progress.writeElement(3, message)
                    for (method, message) in [
                        ("/etcdserverpb.Maintenance/Snapshot", message),
                        ("/etcdserverpb.Watch/Watch", progress.bytes),
                    ] {
                        let ear = StreamEar()
                        let stream = channel.stream(method, receiver: ear)
                        stream.send(message)
                        let status = try await ear.status()
                        #expect(isRefusal(status), "\(method) \(message): \(status)")
                    }
                }
            }
        }
    }
}
