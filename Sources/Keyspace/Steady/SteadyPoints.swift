import Basics
import Glibc
import LMDB

/// The steady points of one opening of a keyspace file: states that survive a crash of the
/// operating system although LMDB does not sync.
///
/// In this order: the newest state T is pinned, so that its pages stay as they are; the file is
/// synced, so that they are on disk; a copy of T's meta page is written beside the file and synced;
/// only then the state that was pinned before is let go. So at every moment the newest whole record
/// names a state whose pages are durable and untouched. docs/decisions/0006 has the measurements.
final class SteadyPoints: Sendable {
    static let fileName = "steady"
    /// Records are written in turn at 0 and here: a torn one leaves the other.
    private static let slotBytes = 4096

    private struct State {
        var descriptor: Int32 = -1
        /// Where the next record goes.
        var slot = 0
        var durable: PinnedState?
        var next: (pinned: PinnedState, stored: StoredState)?
        var isBusy = false
        var isClosed = false
    }

    let opening: UInt64
    private let path: String
    private let directory: String
    private let state = Monitor(State())

    /// - Parameter opening: as `BootMark` counts it; records of others do not count.
    init(directory: String, opening: UInt64) {
        self.directory = directory
        self.opening = opening
        path = directory + "/" + Self.fileName
    }

    deinit {
        state.withLock { if $0.descriptor >= 0 { Glibc.close($0.descriptor) } }
    }

    /// The file was set back to this record: its state stays pinned until the next one is saved.
    func goOn(from record: SteadyRecord, slot: Int, pinned: PinnedState) {
        precondition(pinned.meta.transaction == record.meta.transaction)
        state.withLock { state in
            state.durable = pinned
            state.slot = 1 - slot
        }
    }

    /// On the writer's thread, between its transactions.
    func begin(_ pinned: PinnedState, _ stored: StoredState) {
        state.withLock { state in
            precondition(!state.isBusy, "a steady point while one is saved")
            if !state.isClosed { state.next = (pinned, stored) }
        }
    }

    /// Makes what was begun durable; false if the keyspace is closed. On any thread.
    func save(_ sync: () throws(LMDBError) -> Void) throws(KeyspaceError) -> Bool {
        let work = state.withLock { state -> (PinnedState, StoredState, Int)? in
            guard !state.isClosed, let next = state.next else { return nil }
            state.isBusy = true
            return (next.pinned, next.stored, state.slot)
        }
        guard let (pinned, stored, slot) = work else { return false }
        var isSaved = false
        defer {
            state.withLock { state in
                if isSaved {
                    state.durable = pinned
                    state.slot = 1 - slot
                    state.next = nil
                }
                // Else it stays pinned: its record may have reached the disk all the same.
                state.isBusy = false
            }
            state.wakeAll()
        }
        do throws(LMDBError) { try sync() } catch {
            throw KeyspaceError(.syncFailed, "\(directory)/\(Keyspace.fileName): \(error)")
        }
        let record = SteadyRecord(
            opening: opening, fileBytes: pinned.fileBytes, meta: pinned.meta, stored: stored)
        try write(record, slot)
        isSaved = true
        return true
    }

    /// Waits for a point that is being saved, and lets go of the file.
    func close() {
        state.wait { state -> ()? in
            state.isClosed = true
            if state.isBusy { return nil }
            state.next = nil
            state.durable = nil
            return ()
        }
    }

    private func write(_ record: SteadyRecord, _ slot: Int) throws(KeyspaceError) {
        let file = try openFile()
        let bytes = record.encode()
        let count = unsafe pwrite(file, bytes, bytes.count, off_t(slot * Self.slotBytes))
        guard count == bytes.count else { throw Files.failure("write", path) }
        guard fdatasync(file) == 0 else { throw Files.syncFailure(path) }
    }

    private func openFile() throws(KeyspaceError) -> Int32 {
        let opened = state.withLock { $0.descriptor }
        if opened >= 0 { return opened }
        let file = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw Files.failure("open", path) }
        state.withLock { $0.descriptor = file }
        try Files.syncDirectory(directory)
        return file
    }
}

extension SteadyPoints {
    /// The newest whole record of an opening, and its place.
    static func newest(
        directory: String, opening: UInt64
    ) throws(KeyspaceError) -> (record: SteadyRecord, slot: Int)? {
        guard let bytes = try Files.read(directory + "/" + fileName) else { return nil }
        var found: (record: SteadyRecord, slot: Int)?
        for slot in 0...1 {
            let start = slot * slotBytes
            guard bytes.count >= start + SteadyRecord.bytes,
                let record = SteadyRecord(
                    decoding: Bytes(bytes[start..<(start + SteadyRecord.bytes)])),
                record.opening == opening
            else { continue }
            if let other = found, other.record.meta.transaction >= record.meta.transaction {
                continue
            }
            found = (record, slot)
        }
        return found
    }

    /// Sets the file of a directory back to a record; false if it is not to be trusted.
    static func setBack(_ record: SteadyRecord, directory: String) throws(KeyspaceError) -> Bool {
        let path = directory + "/" + Keyspace.fileName
        do throws(LMDBError) {
            guard try PageFile(path).fileBytes >= record.fileBytes else { return false }
            try record.meta.lay(over: path)
            return holds(try PageFile(path), record)
        } catch {
            throw KeyspaceError(error)
        }
    }

    /// Whether the newest state of a file is the one of the record; read without LMDB, which does
    /// not survive every damage.
    private static func holds(_ file: PageFile, _ record: SteadyRecord) -> Bool {
        var isSound = true
        guard let meta = file.metas().metas.first,
            meta.transaction == record.meta.transaction,
            let table = file.tables(meta, { _ in isSound = false })
                .first(where: { $0.name == TableName.meta.rawValue })
        else { return false }
        let wanted = record.stored.encode()
        var isThere = false
        file.walk(table.tree, after: nil) { node in
            if node.key == Bytes(StoredState.name.utf8) {
                isThere = node.value == wanted
            }
            return true
        } damaged: { _ in
            isSound = false
        }
        return isSound && isThere
    }
}
