import ArgumentParser
import Basics
import EtcdAPI
import HTTP

struct StoreMemberReplace: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replace", abstract: "Rebuild a replica that lost its directory.",
        discussion: "The cluster runs; the replica gets a new member id and its peers' data.")

    @OptionGroup var connection: StoreConnectionOptions
    @Argument(help: "Number of the replica, as in replica-2.") var number: Int

    func run() async throws {
        try await reportingErrors {
            let connection = try StoreConnection(connection)
            let name = "replica-\(number)"
            var refusal = "no replica answers"
            for (index, endpoint) in connection.endpoints.enumerated()
            where index + 1 != number {
                switch await replace(name, through: connection.channel(to: endpoint)) {
                case .success(let id):
                    print("\(name) is rebuilt; its member id is \(id)")
                    return
                case .failure(let status):
                    refusal = status.message
                    guard status.code == .unavailable || status.code == .deadlineExceeded else {
                        throw CommandError(refusal)
                    }
                }
            }
            throw CommandError("\(name) is not replaced: \(refusal)")
        }
    }

    private func replace(
        _ name: String, through channel: GRPCChannel
    ) async -> Result<String, GRPCStatus> {
        await withCheckedContinuation { continuation in
            channel.unary(
                AdminService.replaceMemberPath, Bytes(name.utf8), timeoutMilliseconds: 60_000
            ) { result in
                continuation.resume(returning: result.map { String(decoding: $0, as: UTF8.self) })
            }
        }
    }
}
