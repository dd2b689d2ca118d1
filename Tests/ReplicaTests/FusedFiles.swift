import Basics
import WriteAheadLog

/// Log files whose syncs fail from a moment on.
final class FusedFiles: LogFiles {
    private let files: DirectoryLogFiles
    private let isBlown: () -> Bool

    init(_ files: DirectoryLogFiles, isBlown: @escaping () -> Bool) {
        self.files = files
        self.isBlown = isBlown
    }

    func place(of name: String) -> String { files.place(of: name) }
    func names() throws(LogError) -> [String] { try files.names() }
    func remove(_ name: String) throws(LogError) { try files.remove(name) }
    func rename(_ name: String, to newName: String) throws(LogError) {
        try files.rename(name, to: newName)
    }
    func syncDirectory() throws(LogError) { try files.syncDirectory() }

    func create(_ name: String) throws(LogError) -> any LogFile {
        FusedFile(try files.create(name), name, isBlown)
    }

    func open(_ name: String) throws(LogError) -> any LogFile {
        FusedFile(try files.open(name), name, isBlown)
    }
}

private final class FusedFile: LogFile {
    private let file: any LogFile
    private let name: String
    private let isBlown: () -> Bool

    init(_ file: any LogFile, _ name: String, _ isBlown: @escaping () -> Bool) {
        self.file = file
        self.name = name
        self.isBlown = isBlown
    }

    func size() throws(LogError) -> UInt64 { try file.size() }
    func read(at offset: UInt64, count: Int) throws(LogError) -> Bytes {
        try file.read(at: offset, count: count)
    }
    func write(_ bytes: Bytes, at offset: UInt64) throws(LogError) {
        try file.write(bytes, at: offset)
    }
    func reserve(_ size: UInt64) throws(LogError) { try file.reserve(size) }
    func truncate(_ size: UInt64) throws(LogError) { try file.truncate(size) }
    func close() { file.close() }

    func sync() throws(LogError) {
        guard !isBlown() else { throw LogError(.syncFailed, file: name, "sync failed: injected") }
        try file.sync()
    }
}
