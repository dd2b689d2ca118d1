import Basics
import Keyspace
import WriteAheadLog

/// When the keyspace file gets its next steady point.
struct SteadyState {
    var isSaving = false
    /// The entry that the newest point begun is at.
    var index: UInt64?
    /// Of `Keyspace.pagesRewritten`, then: what is rewritten since cannot be reused.
    var pages = 0
    var dueAtTick: UInt64 = 0
}

extension ReplicaCore {
    /// Begins a steady point if there is something new, and enough of it or for long enough; or if
    /// a snapshot waits for one that is as new.
    func advanceSteadyPoint() throws(ReplicaFailure) {
        guard !steady.isSaving, isStateKnown, snapshots.installing == nil else { return }
        let applied = keyspace.appliedIndex
        if let saved = snapshots.saved, let index = steady.index, index >= saved.index {
            try releaseLog()
        }
        let isDue =
            (keyspace.pagesRewritten - steady.pages) * 4096 >= settings.steadyPointBytes
            || ticks >= steady.dueAtTick
            || snapshots.saved != nil
        guard settings.keyspace.way == .steadyPoints else { return try releaseLog() }
        guard isDue, steady.index != applied else { return }
        do throws(KeyspaceError) { try keyspace.beginSteadyPoint() } catch {
            throw ReplicaFailure(error)
        }
        steady.isSaving = true
        steady.index = applied
        steady.pages = keyspace.pagesRewritten
        steady.dueAtTick =
            ticks + settings.steadyPointMilliseconds / max(1, settings.heartbeatMilliseconds)
        environment.saveSteadyPoint(of: keyspace)
    }

    func steadyPointSaved(_ result: Result<Bool, KeyspaceError>) throws(ReplicaFailure) {
        steady.isSaving = false
        if case .failure(let error) = result {
            // A full disk must not end the replica, nor keep the log from being released: without
            // a newer point the next start after a power cut builds the keyspace anew.
            guard error.code == .noSpace else { throw ReplicaFailure(error) }
        }
        try advanceSteadyPoint()
    }
}
