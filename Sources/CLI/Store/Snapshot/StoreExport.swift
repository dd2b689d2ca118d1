import ArgumentParser
import Basics
import EtcdAPI
import EtcdMessages
import Glibc
import HTTP
import Keyspace

struct StoreExport: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Write a snapshot for etcd of the running cluster.",
        discussion: """
            FILE is what `etcdctl snapshot save` makes: `etcdutl snapshot restore` and `martlet \
            store import` take it. It is made whole, checked and synced, or not at all. `martlet \
            store snapshot save` makes a smaller one, which only Martlet reads.
            """)

    @OptionGroup var connection: StoreConnectionOptions
    @Argument(help: "File to make.") var file: String

    func run() async throws {
        try await reportingErrors {
            let connection = try await StoreConnection(connection)
            if Files.isFolder(file) { throw CommandError("\(file) is a folder") }
            let part = file + ".part"
            let descriptor = unsafe open(part, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
            guard descriptor >= 0 else { throw Files.failure("cannot write", part) }
            defer { close(descriptor) }
            do {
                let done = try await download(connection, descriptor)
                do throws(EtcdDatabaseError) { try EtcdDatabase.checkHash(part) } catch {
                    throw CommandError("what came is not whole: \(error)")
                }
                guard fsync(descriptor) == 0 else { throw Files.failure("cannot sync", part) }
                guard unsafe rename(part, file) == 0 else {
                    throw Files.failure("cannot write", file)
                }
                try Files.syncFolder(of: file)
                print("exported revision \(done.revision), \(byteText(done.bytes)) to \(file)")
            } catch {
                unsafe unlink(part)
                throw error
            }
        }
    }

    /// Asks one replica after the other.
    private func download(
        _ connection: StoreConnection, _ descriptor: Int32
    ) async throws(CommandError) -> DatabaseDownload.Done {
        var reasons: [String] = []
        for endpoint in connection.endpoints {
            guard ftruncate(descriptor, 0) == 0, lseek(descriptor, 0, SEEK_SET) == 0 else {
                throw Files.failure("cannot write", file + ".part")
            }
            let channel = connection.channel(to: endpoint)
            defer { channel.close() }
            switch await DatabaseDownload.run(channel, descriptor) {
            case .success(let done): return done
            case .failure(let error):
                reasons.append("\(endpoint.host):\(endpoint.port): \(error.message)")
            }
        }
        throw CommandError("no replica gave a snapshot: \(reasons.joined(separator: "; "))")
    }
}

/// One stream of `Maintenance.Snapshot` on its way into a file.
final class DatabaseDownload: GRPCClientReceiver, @unchecked Sendable {
    // Sendable because all state belongs to the channel's event loop once the stream is open.

    struct Done: Sendable {
        var revision: Int64 = 0
        var bytes: UInt64 = 0
    }

    private let descriptor: Int32
    private let ended: @Sendable (Result<Done, StoreError>) -> Void
    private var done = Done()
    private var failure: String?
    private var progress = ProgressBar()
    private let stream = Locked<GRPCClientStream?>(nil)

    private init(
        _ descriptor: Int32, _ ended: @escaping @Sendable (Result<Done, StoreError>) -> Void
    ) {
        self.descriptor = descriptor
        self.ended = ended
    }

    static func run(_ channel: GRPCChannel, _ descriptor: Int32) async -> Result<Done, StoreError> {
        await withCheckedContinuation { continuation in
            let download = DatabaseDownload(descriptor) { continuation.resume(returning: $0) }
            let stream = channel.stream(
                "/etcdserverpb.Maintenance/Snapshot", receiver: download)
            download.stream.withLock { $0 = stream }
            stream.send([])
            stream.end()
        }
    }

    func receive(_ message: Bytes) {
        guard failure == nil else { return }
        do {
            let piece = try SnapshotPiece(protobuf: message)
            try write(piece.blob)
            done.revision = piece.revision
            done.bytes += UInt64(piece.blob.count)
            progress.update(done: done.bytes, of: done.bytes + piece.remainingBytes)
        } catch {
            failure = "\(error)"
            stream.withLock { $0 }?.cancel()
        }
        stream.withLock { $0 }?.consumed(messageBytes: message.count)
    }

    func finished(_ status: GRPCStatus) {
        progress.finish()
        if let failure {
            ended(.failure(StoreError(.corrupt, failure)))
        } else if status.code == .ok {
            ended(.success(done))
        } else {
            ended(.failure(StoreError(.unavailable, status.message)))
        }
    }

    private func write(_ bytes: Bytes) throws(CommandError) {
        var written = 0
        while written < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { raw in
                unsafe Glibc.write(
                    descriptor, raw.baseAddress?.advanced(by: written), raw.count - written)
            }
            guard count > 0 else { throw Files.failure("cannot write", "the file") }
            written += count
        }
    }
}

/// `SnapshotResponse`, as far as it is read.
private struct SnapshotPiece: ProtobufDecodable {
    var revision: Int64 = 0
    var remainingBytes: UInt64 = 0
    var blob = Bytes()

    static var messageName: String { "SnapshotResponse" }

    init(from reader: inout ProtobufReader) throws(DecodingFailure) {
        while let field = try reader.next() {
            switch field {
            case 1: revision = try ResponseHeader(within: &reader).revision
            case 2: remainingBytes = try reader.unsigned()
            case 3: blob = try reader.bytes()
            default: try reader.skip()
            }
        }
    }
}
