/// What a replica must find again after a restart, besides its log.
package struct HardState: Sendable, Hashable {
    package var term: UInt64
    /// Whom this replica voted for in `term`; 0 for nobody.
    package var vote: UInt64
    /// A lower bound of what is committed. Losing an increase of it does no harm.
    package var commit: UInt64

    package init(term: UInt64 = 0, vote: UInt64 = 0, commit: UInt64 = 0) {
        self.term = term
        self.vote = vote
        self.commit = commit
    }
}
