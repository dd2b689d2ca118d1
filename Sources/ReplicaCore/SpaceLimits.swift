/// How much of its file system a replica leaves free, and how much its log may take of it. Bytes.
package struct SpaceLimits: Sendable, Hashable {
    /// Below this the space alarm is raised: enough for the log to take what makes room again.
    package var reserve: UInt64
    /// The alarm is cleared only well above the reserve, or it would come and go.
    package var enough: UInt64
    /// The file system itself, however much the keyspace file could take in: log and snapshot
    /// files need it.
    package var bareMin: UInt64
    package var logSegment: UInt64
    /// By how much the log grows at most before a snapshot lets it go.
    package var snapshotLog: UInt64
    /// What the keyspace may hold; 0: what there is room for.
    package var quota: UInt64

    package init(totalBytes: UInt64, quota: UInt64 = 0) {
        self.quota = quota
        reserve = min(256 << 20, totalBytes / 8)
        enough = reserve + reserve / 2
        bareMin = reserve / 2
        logSegment = min(64 << 20, max(1 << 20, totalBytes / 32))
        snapshotLog = max(2 << 20, totalBytes / 16)
    }

    /// - Parameter reusable: what the keyspace file has free within itself.
    func isShort(_ space: DiskSpace, reusable: UInt64) -> Bool {
        space.freeBytes < bareMin || space.freeBytes + reusable < reserve
    }

    /// A file that does not fit takes the last bytes from everybody on the disk before that turns
    /// out. Half of the data is what compresses badly.
    ///
    /// - Parameter used: bytes that the keyspace holds.
    package func fitsSnapshot(_ space: DiskSpace, of used: UInt64) -> Bool {
        space.freeBytes >= used / 2 + bareMin / 4
    }

    func isOverQuota(_ used: UInt64) -> Bool { quota > 0 && used >= quota }

    /// Well within it, or the alarm would come and go.
    func isWithinQuota(_ used: UInt64) -> Bool { quota == 0 || used < quota - quota / 10 }

    func isEnough(_ space: DiskSpace, reusable: UInt64) -> Bool {
        space.freeBytes >= bareMin + bareMin / 4 && space.freeBytes + reusable >= enough
    }
}

/// Of the file system that a replica's directory is on.
package struct DiskSpace: Sendable, Hashable {
    package var freeBytes: UInt64
    package var totalBytes: UInt64

    package init(freeBytes: UInt64, totalBytes: UInt64) {
        self.freeBytes = freeBytes
        self.totalBytes = totalBytes
    }
}
