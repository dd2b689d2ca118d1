import Basics
import Glibc
import Keyspace
import LMDB
import Raft

/// The production keyspace in a directory of its own, as a replica's state machine.
final class LMDBState: SimulatedState {
    private let directory: String
    /// Nil only while the file is closed: LMDB must not open it twice in one process.
    private var opened: Keyspace?

    init(directory: String, restoring image: StateImage?) throws(Violation) {
        self.directory = directory
        if let image {
            try Self.restore(image, into: directory)
        } else {
            unsafe mkdir(directory, 0o700)
        }
        opened = try Self.open(directory)
    }

    private var keyspace: Keyspace {
        guard let opened else { preconditionFailure("the keyspace of \(directory) is closed") }
        return opened
    }

    private static func open(_ directory: String) throws(Violation) -> Keyspace {
        var options = Keyspace.Options()
        options.mapBytes = 64 << 20
        options.servesHistoryOnCaller = true
        return try attempt("open") { () throws(KeyspaceError) in
            try Keyspace.open(directory: directory, options: options)
        }
    }

    private static func restore(
        _ image: StateImage, into directory: String
    ) throws(Violation) {
        guard case .file(let bytes) = image.content else {
            throw .correctness("a snapshot of the other kind arrived")
        }
        let path = directory + ".snapshot"
        try write(bytes, to: path)
        defer { unsafe unlink(path) }
        let header = try attempt("restore") { () throws(KeyspaceError) in
            try SnapshotFile.restore(path, into: directory)
        }
        guard header.index == image.meta.index, header.term == image.meta.term else {
            throw .correctness("snapshot \(image.meta) says that it is \(header)")
        }
    }

    private static func write(_ bytes: Bytes, to path: String) throws(Violation) {
        let file = unsafe Glibc.open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        defer { close(file) }
        guard file >= 0, unsafe Glibc.write(file, bytes, bytes.count) == bytes.count else {
            throw .correctness("cannot write \(path): errno \(errno)")
        }
    }

    var appliedIndex: UInt64 { keyspace.appliedIndex }
    var appliedTerm: UInt64 { keyspace.appliedTerm }

    func membership() throws(Violation) -> Bytes? {
        try attempt("membership") { () throws(KeyspaceError) in
            try keyspace.meta(Keyspace.membershipName)
        }
    }

    func apply(_ batch: [AppliedEntry]) throws(Violation) -> [CommandResult] {
        try attempt("apply") { () throws(KeyspaceError) in try keyspace.apply(batch) }
    }

    func value(of key: Bytes) throws(Violation) -> Bytes? {
        try range(RangeRequest(.key(key))).keyValues.first?.value
    }

    func digest() throws(Violation) -> UInt64 {
        let response = try range(RangeRequest(.all))
        return ResultDigest.ofState(response.keyValues, revision: response.revision)
    }

    private func range(_ request: RangeRequest) throws(Violation) -> RangeResponse {
        switch keyspace.range(request) {
        case .success(let response): return response
        case .failure(let error): throw .correctness("keyspace, range: \(error)")
        }
    }

    func image() throws(Violation) -> StateImage {
        let (header, bytes) = try attempt("snapshot") { () throws(KeyspaceError) in
            let stream = try keyspace.snapshot(clusterID: Simulation.clusterID)
            var bytes: Bytes = []
            while let frame = try stream.next() { bytes += frame }
            return (stream.header, bytes)
        }
        return StateImage(
            meta: SnapshotMeta(
                index: header.index, term: header.term, membership: try decodedMembership()),
            content: .file(bytes))
    }

    /// Lets go of the file without a sync, and opens it again.
    func reopen() throws(Violation) {
        keyspace.stop()
        opened = nil
        opened = try Self.open(directory)
    }

    func discard() {
        opened?.stop()
        opened = nil
        ScratchDirectory.remove(directory)
    }
}

/// Runs a call of the keyspace, whose errors are violations here: the disk below it is sound.
private func attempt<Result>(
    _ what: String, _ body: () throws(KeyspaceError) -> Result
) throws(Violation) -> Result {
    do {
        return try body()
    } catch {
        throw .correctness("keyspace, \(what): \(error)")
    }
}
