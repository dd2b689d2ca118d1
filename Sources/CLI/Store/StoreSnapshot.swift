import ArgumentParser
import Basics
import EtcdAPI
import Glibc
import HTTP
import Keyspace

struct StoreSnapshot: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "snapshot", abstract: "Save, check and restore snapshots.",
        subcommands: [
            StoreSnapshotSave.self, StoreSnapshotStatus.self, StoreSnapshotRestore.self,
        ])
}

struct StoreSnapshotSave: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "save", abstract: "Save a snapshot of the running cluster to a file.")

    @OptionGroup var connection: StoreConnectionOptions
    @Argument(help: "File to make.") var file: String

    func run() async throws {
        try await reportingErrors {
            let connection = try StoreConnection(connection)
            let part = file + ".part"
            let descriptor = unsafe open(
                part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
            guard descriptor >= 0 else { throw Files.failure("cannot write", part) }
            let receiver = SnapshotReceiver(descriptor: descriptor)
            let stream = connection.channel.stream(AdminService.snapshotPath, receiver: receiver)
            receiver.start(stream)
            stream.end()
            let status = await receiver.wait()
            close(descriptor)
            guard status.code == .ok else {
                unsafe unlink(part)
                throw CommandError("the snapshot ended early: \(status.message)")
            }
            let header = try verifySnapshot(part)
            guard unsafe rename(part, file) == 0 else { throw Files.failure("cannot write", file) }
            print("saved revision \(header.revision) to \(file)")
        }
    }
}

/// Writes frames to a file on the event loop; window is given back only for what is written.
private final class SnapshotReceiver: GRPCClientReceiver, @unchecked Sendable {
    // Sendable because `receive` and `finished` run on one event loop and the rest is locked.
    private struct State {
        var stream: GRPCClientStream?
        var ended: GRPCStatus?
        var waiter: CheckedContinuation<GRPCStatus, Never>?
    }
    private let descriptor: Int32
    private let state = Locked(State())
    private var failure: GRPCStatus?

    init(descriptor: Int32) {
        self.descriptor = descriptor
    }

    func start(_ stream: GRPCClientStream) {
        state.withLock { $0.stream = stream }
    }

    func receive(_ message: Bytes) {
        var offset = 0
        while offset < message.count, failure == nil {
            let count = unsafe message.withUnsafeBytes { buffer in
                unsafe write(
                    descriptor, buffer.baseAddress?.advanced(by: offset), buffer.count - offset)
            }
            if count < 0 {
                failure = GRPCStatus(.resourceExhausted, systemMessage(errno))
            } else {
                offset += count
            }
        }
        let stream = state.withLock { $0.stream }
        stream?.consumed(messageBytes: message.count)
        if failure != nil { stream?.cancel() }
    }

    func finished(_ status: GRPCStatus) {
        let outcome = failure ?? status
        let waiter = state.withLock { state -> CheckedContinuation<GRPCStatus, Never>? in
            state.ended = outcome
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume(returning: outcome)
    }

    func wait() async -> GRPCStatus {
        await withCheckedContinuation { continuation in
            let ended = state.withLock { state -> GRPCStatus? in
                if state.ended == nil { state.waiter = continuation }
                return state.ended
            }
            if let ended { continuation.resume(returning: ended) }
        }
    }
}

/// Checks a snapshot file; a damaged one is one clear line.
func verifySnapshot(_ path: String) throws(CommandError) -> SnapshotHeader {
    do {
        return try SnapshotFile.verify(path)
    } catch {
        throw CommandError("\(path) is damaged or no snapshot: \(error)")
    }
}

struct StoreSnapshotStatus: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Check a snapshot file and say what it holds.")

    @Argument var file: String

    func run() throws {
        do {
            let header = try verifySnapshot(file)
            print(
                table([
                    ["CLUSTER", "TERM", "INDEX", "REVISION", "COMPACTED"],
                    [
                        hexadecimal(header.clusterID), String(header.term), String(header.index),
                        String(header.revision), String(header.compactRevision),
                    ],
                ]))
        } catch {
            reportError(error)
            throw ExitCode(error.exitCode)
        }
    }
}
