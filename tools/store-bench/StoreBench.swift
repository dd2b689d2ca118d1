import ArgumentParser
import Basics
import HTTP
import NIOCore
import NIOPosix

/// Load on any store that speaks etcd's API, and what it measured as one line of JSON.
///
/// All of it runs on one event loop, so that it takes one core at most and the server what is left.
struct StoreBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "store-bench", abstract: "Measure an etcd or Martlet server.")

    @Option(help: "Plaintext server, HOST:PORT.") var endpoint: String
    @Option(help: "\(Workload.Kind.allCases.map(\.rawValue).joined(separator: ", ")).")
    var workload = Workload.Kind.put
    @Option(help: "Connections.") var connections = 50
    @Option(help: "Requests under way on each connection; watchers for the workload watch.")
    var streams = 20
    @Option(help: "How long to load, in milliseconds; what is under way then is waited for.")
    var milliseconds: UInt64 = 3_000
    @Option(help: "Requests at most; 0 is no limit.") var requests = 0
    @Option(help: "Bytes of a value.") var valueBytes = 256
    @Option(help: "Keys that are chosen among.") var keys = 10_000
    @Option(help: "Eighths of the requests that read, for mixed.") var reads = 4
    @Option(help: "Keys of one answer, for list; 0 is all.") var page: Int64 = 0
    @Option(help: "Seed of the choice of keys.") var seed: UInt64 = 1
    @Option(help: "A user's token, as Authenticate gives it.") var token = ""

    static func start() async { await main() }

    func run() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let connections = try await connect(group)
        let report: String
        if workload == .watch {
            report = try await WatchLoad(connections, watchersEach: streams).run(
                events: max(1, requests), valueBytes: valueBytes)
        } else {
            let workload = Workload(
                workload, valueBytes: valueBytes, keys: keys, readEighths: reads, page: page)
            let load = ClosedLoad(
                workload, seed: seed, requestsMax: requests, token: token)
            report = await load.run(
                on: connections, streams: streams, milliseconds: milliseconds)
        }
        print(report)
        for connection in connections { connection.close() }
        try await group.shutdownGracefully()
    }

    private func connect(_ group: MultiThreadedEventLoopGroup) async throws
        -> [HTTPClientConnection]
    {
        let parts = endpoint.split(separator: ":")
        guard parts.count == 2, let port = Int(parts[1]) else {
            throw ValidationError("--endpoint is HOST:PORT, not \(endpoint)")
        }
        var all: [HTTPClientConnection] = []
        for _ in 0..<connections {
            all.append(
                try await HTTPClientConnection.connect(
                    host: String(parts[0]), port: port, group: group))
        }
        return all
    }
}

extension Workload.Kind: ExpressibleByArgument {}
