import Basics
import LMDB

/// A keyspace whose file survives a crash of the operating system, as of its newest steady point.
extension Keyspace {
    /// Marks the file as in use and opens it; for one that can be trusted as it is.
    package static func openRunning(
        directory: String, options: Options
    ) throws(KeyspaceError) -> Keyspace {
        // With this mark, steady points of earlier openings do not count any more.
        let opening = try BootMark.markRunning(directory: directory)
        let steady = SteadyPoints(directory: directory, opening: opening)
        return try open(directory, options, steady) { _ in }
    }

    /// Sets a file that was not synced back to its newest steady point and opens it; nil if it has
    /// none that is beyond doubt.
    ///
    /// - Parameter opening: what the mark says of the last opening, which this one continues.
    package static func openAtSteadyPoint(
        directory: String, opening: UInt64, options: Options
    ) throws(KeyspaceError) -> Keyspace? {
        guard let (record, slot) = try SteadyPoints.newest(directory: directory, opening: opening),
            try SteadyPoints.setBack(record, directory: directory)
        else { return nil }
        try BootMark.markRunning(directory: directory, continues: true)
        let steady = SteadyPoints(directory: directory, opening: opening)
        let keyspace = try open(directory, options, steady) { environment throws(LMDBError) in
            // The record goes on to count: nothing of its state may be written over.
            steady.goOn(from: record, slot: slot, pinned: try environment.pinNewest())
        }
        guard keyspace.appliedIndex == record.stored.state.appliedIndex else {
            throw KeyspaceError(.corrupt, "\(directory) is not at its steady point")
        }
        return keyspace
    }

    /// Pins the newest state, to be saved as a steady point. For the thread that applies.
    package func beginSteadyPoint() throws(KeyspaceError) {
        guard options.way == .steadyPoints, let steady, let environment = readers.environment
        else { return }
        let pinned = try lmdb { () throws(LMDBError) in try environment.pinNewest() }
        steady.begin(pinned, stored.withLock { $0 })
    }

    /// Makes the state that was pinned durable. Takes its time, on any thread; a failed sync is
    /// fatal (exit 70). False if the keyspace was stopped meanwhile.
    package func saveSteadyPoint() throws(KeyspaceError) -> Bool {
        guard let steady, let environment = readers.environment else { return false }
        return try steady.save { () throws(LMDBError) in try environment.sync() }
    }
}
