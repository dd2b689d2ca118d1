import ArgumentParser
import Basics
import EtcdAPI
import HTTP

struct StoreScrub: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "scrub", abstract: "Read and check everything that the replicas have on disk.",
        discussion: """
            Keyspace file, free list and log of every replica, now; by themselves they do it once \
            an hour. A replica that finds damage rebuilds itself.
            """)

    @OptionGroup var connection: StoreConnectionOptions

    func run() async throws {
        try await reportingErrors {
            let connection = try await StoreConnection(connection)
            var failures = 0
            for (index, endpoint) in connection.endpoints.enumerated() {
                switch await scrub(connection.channel(to: endpoint)) {
                case .success(let text): print("replica-\(index + 1): \(text)")
                case .failure(let status):
                    failures += 1
                    print("replica-\(index + 1): \(status.message)")
                }
            }
            if failures > 0 {
                throw CommandError(
                    "\(failures) of \(connection.endpoints.count) have damage or"
                        + " do not answer")
            }
        }
    }

    private func scrub(_ channel: GRPCChannel) async -> Result<String, GRPCStatus> {
        await withCheckedContinuation { continuation in
            channel.unary(AdminService.scrubPath, [], timeoutMilliseconds: 3_600_000) { result in
                continuation.resume(returning: result.map { String(decoding: $0, as: UTF8.self) })
            }
        }
    }
}
