import ArgumentParser
import Basics
import Glibc
import HTTP
import NIOCore
import NIOPosix
import Store

/// Clients and watchers that keep what they saw, against a running store that is being tormented,
/// and the simulator's oracles over it at the end.
///
/// The store must be new: the oracles know of no writes but these.
struct StoreLoad: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "store-load",
        abstract: "Load a new store, and check that what clients saw can be explained.",
        discussion: "The store must be new. Exits 0, or 129 with the violation.")

    @Option(help: "Comma-separated HOST:PORT of every replica.") var endpoints: String
    @Option(help: "Folder with ca.crt, client.crt and client.key; without it plaintext.")
    var pki: String?
    @Option(help: "How long to load, in seconds.") var seconds = 60
    @Option(help: "Clients; each has one operation under way.") var clients = 6
    @Option(help: "Keys.") var keys = 12
    @Option(help: "Seed of what the clients do.") var seed: UInt64 = 1
    @Option(help: "A client that heard nothing for so long goes on.")
    var timeoutMilliseconds: Int64 = 1_000

    static func start() async { await main() }

    func run() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let all = try parsedEndpoints()
        let tls = try tlsOptions()
        let journal = Journal()
        let stores = all.map { endpoint in
            RemoteStore(
                channel: GRPCChannel(endpoints: [endpoint], tls: tls, group: group),
                timeoutMilliseconds: timeoutMilliseconds)
        }
        let watchers = stores.map { Watcher($0, journal) }
        let isOver = Locked(false)
        let end = MonotonicTime.now().advanced(milliseconds: UInt64(seconds) * 1_000)
        await withTaskGroup(of: Void.self) { tasks in
            for watcher in watchers { tasks.addTask { await watcher.run(until: isOver) } }
            await withTaskGroup(of: Void.self) { load in
                for number in 0..<clients {
                    var client = LoadClient(
                        number: number, stores: stores, watchers: watchers, journal: journal,
                        keys: keys, random: SeededRandom(seed: seed &* 1_000 &+ UInt64(number)))
                    load.addTask { await client.run(until: end) }
                }
            }
            isOver.withLock { $0 = true }
            for watcher in watchers { watcher.stop() }
        }
        let verdict = await Judgement(journal: journal, watchers: watchers).reach(asking: stores)
        print(verdict.text)
        throw ExitCode(verdict.isGood ? 0 : 129)
    }

    private func parsedEndpoints() throws -> [GRPCChannel.Endpoint] {
        try endpoints.split(separator: ",").map { text in
            let parts = text.split(separator: ":")
            guard parts.count == 2, let port = Int(parts[1]) else {
                throw ValidationError("--endpoints is HOST:PORT,…, not \(text)")
            }
            return GRPCChannel.Endpoint(host: String(parts[0]), port: port)
        }
    }

    private func tlsOptions() throws -> TLSClientOptions? {
        guard let pki else { return nil }
        return TLSClientOptions(
            authorityPEM: try text(pki + "/ca.crt"),
            certificateChainPEM: try text(pki + "/client.crt"),
            privateKeyPEM: try text(pki + "/client.key"))
    }

    private func text(_ path: String) throws -> String {
        guard let file = unsafe fopen(path, "r") else {
            throw ValidationError("cannot read \(path)")
        }
        defer { unsafe fclose(file) }
        var bytes = Bytes(repeating: 0, count: 1 << 16)
        let count = unsafe bytes.withUnsafeMutableBytes {
            unsafe fread($0.baseAddress, 1, $0.count, file)
        }
        return String(decoding: bytes[..<count], as: UTF8.self)
    }
}
