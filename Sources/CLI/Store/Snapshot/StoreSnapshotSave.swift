import ArgumentParser
import Backup
import Basics
import EtcdAPI
import Glibc
import HTTP
import Keyspace

struct StoreSnapshotSave: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "save", abstract: "Save a snapshot of the running cluster to a file.",
        discussion: """
            Any replica will do. A broken connection is taken up again where it ended, and so is \
            a save that was ended itself, within ten minutes (FILE.part and FILE.part.from are \
            what it left). FILE is made whole, checked and synced, or not at all.
            """)

    @OptionGroup var connection: StoreConnectionOptions
    @Argument(help: "File to make.") var file: String

    func run() async throws {
        try await reportingErrors {
            let connection = try await StoreConnection(connection)
            if Files.isFolder(file) { throw CommandError("\(file) is a folder") }
            let part = file + ".part"
            let descriptor = unsafe open(part, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
            guard descriptor >= 0 else { throw Files.failure("cannot write", part) }
            defer { close(descriptor) }
            do {
                var download = SnapshotDownload(connection, descriptor: descriptor, path: part)
                try await download.run()
                let status = try snapshotStatus(part)
                SnapshotResumeNote.remove(beside: part)
                guard fsync(descriptor) == 0 else { throw Files.failure("cannot sync", part) }
                guard unsafe rename(part, file) == 0 else {
                    throw Files.failure("cannot write", file)
                }
                try Files.syncFolder(of: file)
                print(
                    "saved revision \(status.header.revision), \(status.header.keys) keys,"
                        + " \(byteText(status.bytes)) to \(file)")
            } catch let error as SnapshotDownload.Interrupted {
                throw CommandError(error.description)
            } catch {
                unsafe unlink(part)
                SnapshotResumeNote.remove(beside: part)
                throw error
            }
        }
    }
}

/// Reads a snapshot from one replica in pieces; goes on where it ended when the connection broke,
/// and begins anew at another replica when this one does not come back.
struct SnapshotDownload {
    private static let patience = 20
    private static let pauseMilliseconds = 250

    private let connection: StoreConnection
    private let descriptor: Int32
    private let path: String
    private var progress = ProgressBar()

    init(_ connection: StoreConnection, descriptor: Int32, path: String) {
        self.connection = connection
        self.descriptor = descriptor
        self.path = path
    }

    /// The replica that had begun went away, and no other has a snapshot: what came is kept.
    struct Interrupted: Error {
        var description: String
    }

    mutating func run() async throws {
        defer { progress.finish() }
        var reasons: [String] = []
        if try await goOn(&reasons) { return }
        for round in 0..<2 {
            for endpoint in connection.endpoints {
                let channel = connection.channel(to: endpoint)
                defer { channel.close() }
                progress.say("\(endpoint.host):\(endpoint.port) makes a snapshot ...")
                switch await open(channel) {
                case .success(let opened):
                    let note = SnapshotResumeNote(
                        endpoint: endpoint, token: opened.token, bytes: opened.bytes)
                    try note.write(beside: path)
                    guard ftruncate(descriptor, 0) == 0 else {
                        throw Files.failure("cannot write", path)
                    }
                    guard let reason = try await read(note, from: 0, channel) else { return }
                    reasons.append("\(endpoint.host):\(endpoint.port): \(reason)")
                case .failure(let status):
                    if round == 0 {
                        reasons.append("\(endpoint.host):\(endpoint.port): \(status.message)")
                    }
                }
            }
        }
        let text = "no replica gave a snapshot: \(reasons.joined(separator: "; "))"
        guard received > 0, SnapshotResumeNote(beside: path) != nil else {
            throw CommandError(text)
        }
        throw Interrupted(
            description: text
                + "; for ten minutes the same command goes on at \(byteText(received))")
    }

    /// Goes on with what an earlier process left; false if there is nothing, or nobody who has it.
    private mutating func goOn(_ reasons: inout [String]) async throws(CommandError) -> Bool {
        let received = received
        guard let note = SnapshotResumeNote(beside: path), received > 0, received <= note.bytes,
            connection.endpoints.contains(note.endpoint)
        else { return false }
        let channel = connection.channel(to: note.endpoint)
        defer { channel.close() }
        progress.say("goes on at \(byteText(received)) ...")
        guard let reason = try await read(note, from: received, channel) else { return true }
        reasons.append("\(note.endpoint.host):\(note.endpoint.port): \(reason)")
        return false
    }

    /// Bytes that the file has.
    private var received: UInt64 { UInt64(max(0, lseek(descriptor, 0, SEEK_END))) }

    private struct Opened {
        var token: UInt64
        var bytes: UInt64
    }

    private func open(_ channel: GRPCChannel) async -> Result<Opened, GRPCStatus> {
        let answer = await call(channel, AdminService.openSnapshotPath, [], seconds: 600)
        return answer.flatMap { bytes in
            var reader = ByteReader(bytes)
            guard let token: UInt64 = try? reader.readLittleEndian("token"),
                let length: UInt64 = try? reader.readLittleEndian("length")
            else { return .failure(GRPCStatus(.internalError, "an answer that is no snapshot's")) }
            return .success(Opened(token: token, bytes: length))
        }
    }

    /// nil when everything is written, else why the replica was given up.
    private mutating func read(
        _ opened: SnapshotResumeNote, from start: UInt64, _ channel: GRPCChannel
    ) async throws(CommandError) -> String? {
        var offset = start
        var failures = 0
        while offset < opened.bytes {
            var request = ByteWriter(reserving: 20)
            request.writeLittleEndian(opened.token)
            request.writeLittleEndian(offset)
            request.writeLittleEndian(UInt32(AdminService.snapshotReadBytesMax))
            switch await call(channel, AdminService.readSnapshotPath, request.bytes, seconds: 10) {
            case .success(let bytes):
                guard !bytes.isEmpty else { return "the snapshot ended early" }
                try write(bytes, at: offset)
                offset += UInt64(bytes.count)
                failures = 0
                progress.update(done: offset, of: opened.bytes)
            case .failure(let status):
                failures += 1
                if failures == Self.patience || status.code == .notFound { return status.message }
                progress.say("the connection broke at \(byteText(offset)): once more ...")
                try? await Task.sleep(for: .milliseconds(Self.pauseMilliseconds))
            }
        }
        var token = ByteWriter(reserving: 8)
        token.writeLittleEndian(opened.token)
        _ = await call(channel, AdminService.closeSnapshotPath, token.bytes, seconds: 2)
        return nil
    }

    private func write(_ bytes: Bytes, at offset: UInt64) throws(CommandError) {
        var done = 0
        while done < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { raw in
                unsafe pwrite(
                    descriptor, raw.baseAddress?.advanced(by: done), raw.count - done,
                    off_t(offset) + off_t(done))
            }
            guard count > 0 else { throw Files.failure("cannot write", path) }
            done += count
        }
    }

    private func call(
        _ channel: GRPCChannel, _ path: String, _ message: Bytes, seconds: Int64
    ) async -> Result<Bytes, GRPCStatus> {
        await withCheckedContinuation { continuation in
            channel.unary(path, message, timeoutMilliseconds: seconds * 1000) { result in
                continuation.resume(returning: result)
            }
        }
    }
}
