import ArgumentParser
import Basics
import EtcdAPI
import HTTP
import ReplicaCore

struct StoreMemberReplace: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replace", abstract: "Rebuild a replica that lost its directory.",
        discussion: "The cluster runs; the replica gets a new member id and its peers' data.")

    @OptionGroup var connection: StoreConnectionOptions
    @Argument(help: "Number of the replica, as in replica-2.") var number: Int

    func run() async throws {
        try await reportingErrors {
            let connection = try await StoreConnection(connection)
            // A running replica takes a moment to notice that its folder is gone; until then its
            // peers find it in good order.
            var patience = hasLostDirectory ? 50 : 0
            while true {
                let refusal: GRPCStatus
                switch await replaceThroughAny(connection) {
                case .success(let id):
                    print("replica-\(number) is rebuilt; its member id is \(id)")
                    return
                case .failure(let status): refusal = status
                }
                guard patience > 0, refusal.code == .failedPrecondition else {
                    throw CommandError("replica-\(number) is not replaced: \(refusal.message)")
                }
                patience -= 1
                try await Task.sleep(for: .milliseconds(200))
            }
        }
    }

    /// Whether the cluster's folder is here and that of the replica holds no member.
    private var hasLostDirectory: Bool {
        let directory = DataDirectory(connection.dataDir)
        return connection.endpoints == nil && directory.hasLayout
            && !Files.exists(directory.replicaPath(number) + "/member")
    }

    /// Asks one replica after the other, the lost one aside, until one can be reached.
    private func replaceThroughAny(
        _ connection: StoreConnection
    ) async -> Result<String, GRPCStatus> {
        var last = GRPCStatus(.unavailable, "no replica answers")
        for (index, endpoint) in connection.endpoints.enumerated() where index + 1 != number {
            switch await replace("replica-\(number)", through: connection.channel(to: endpoint)) {
            case .success(let id): return .success(id)
            case .failure(let status):
                last = status
                guard status.code == .unavailable || status.code == .deadlineExceeded else {
                    return .failure(status)
                }
            }
        }
        return .failure(last)
    }

    private func replace(
        _ name: String, through channel: GRPCChannel
    ) async -> Result<String, GRPCStatus> {
        await withCheckedContinuation { continuation in
            channel.unary(
                AdminService.changeMembersPath, MemberRequest.replace(name: name).encoded(),
                timeoutMilliseconds: 60_000
            ) { result in
                continuation.resume(returning: result.map { String(decoding: $0, as: UTF8.self) })
            }
        }
    }
}
