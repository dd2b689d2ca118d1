extension Keyspace {
    /// Raises the revision of a restored keyspace, so that whoever remembers a revision of the
    /// cluster it was saved from never meets one of the new cluster with the same number.
    ///
    /// - Parameter markCompacted: also compacts up to the new revision: watches from a remembered
    ///   revision on are then refused instead of silently missing what happened between.
    ///   etcd's `--bump-revision` and `--mark-compacted`.
    package func bumpRevision(by count: Int64, markCompacted: Bool) throws(KeyspaceError) {
        precondition(count >= 0)
        try change(loadsPrevious: false) { applier throws(KeyspaceError) in
            applier.stored.state.revision += count
            guard markCompacted else { return }
            _ = try applier.compact(to: applier.stored.state.revision)
        }
        while markCompacted, try compactStep(records: 10_000) {}
    }
}
