package import Basics

/// The directory of a log: what the log asks of a file system, and no more.
///
/// The real one is `DirectoryLogFiles`; `MemoryLogFiles` loses and tears what was not synced.
/// Used by one thread at a time.
package protocol LogFiles: AnyObject {
    /// What errors call a file: enough to find it.
    func place(of name: String) -> String
    /// Names of all files, sorted by byte.
    func names() throws(LogError) -> [String]
    /// Makes an empty file; one that exists already is an error.
    func create(_ name: String) throws(LogError) -> any LogFile
    func open(_ name: String) throws(LogError) -> any LogFile
    func remove(_ name: String) throws(LogError)
    /// Gives a file another name, which no file has.
    func rename(_ name: String, to newName: String) throws(LogError)
    /// Makes creations, removals and new names survive a power cut.
    func syncDirectory() throws(LogError)
}

/// An open file of a log.
package protocol LogFile: AnyObject {
    func size() throws(LogError) -> UInt64
    /// Up to `count` bytes; fewer only at the end of the file.
    func read(at offset: UInt64, count: Int) throws(LogError) -> Bytes
    /// Writes all of `bytes`, growing the file if need be.
    func write(_ bytes: Bytes, at offset: UInt64) throws(LogError)
    /// Reserves space so that the file is at least `size` long; new space reads as zeros. A
    /// device without space says so here, before anything is written.
    func reserve(_ size: UInt64) throws(LogError)
    func truncate(_ size: UInt64) throws(LogError)
    /// Makes what was written survive a power cut; on failure the file is not to be trusted.
    func sync() throws(LogError)
    func close()
}
