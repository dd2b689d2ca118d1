/// What replicas say to each other. Any message may be lost, delayed, repeated or reordered.
package struct Message: Sendable, Hashable {
    package var from: UInt64
    package var to: UInt64
    /// The sender's term; of pre-votes and granted pre-votes, the term that would be campaigned in.
    package var term: UInt64
    package var body: Body

    /// About what its entries take encoded.
    package var entryBytes: Int {
        guard case .append(_, _, let entries, _) = body else { return 0 }
        return entries.reduce(0) { $0 + $1.cost }
    }

    package enum Body: Sendable, Hashable {
        /// Would you vote for me? Changes nothing at the receiver.
        case preVote(lastIndex: UInt64, lastTerm: UInt64)
        case preVoteResponse(granted: Bool)
        /// `isTransfer`: the leader asked for this election, so that nobody defends it.
        case vote(lastIndex: UInt64, lastTerm: UInt64, isTransfer: Bool)
        case voteResponse(granted: Bool)
        /// `entries` follow the entry `prevIndex`, which has `prevTerm` on the leader.
        case append(prevIndex: UInt64, prevTerm: UInt64, entries: [Entry], commit: UInt64)
        /// The sender's durable log agrees with the leader's up to `index`.
        case appended(index: UInt64)
        /// The sender has no entry `index` of the term asked for. Its log might agree at
        /// `hintIndex`, where it has `hintTerm`, and certainly nowhere between the two. Index 0
        /// asks for a snapshot.
        case appendRejected(index: UInt64, hintIndex: UInt64, hintTerm: UInt64)
        /// `read`: number of the newest batch of reads that waits for confirmation; 0 for none.
        case heartbeat(commit: UInt64, read: UInt64)
        case heartbeatResponse(read: UInt64)
        /// A follower's reads, to be confirmed by the leader.
        case readIndex(tokens: [UInt64])
        case readIndexResponse(index: UInt64, tokens: [UInt64])
        /// The receiving shell holds the whole, verified snapshot that the leader streamed to it.
        case installSnapshot(SnapshotMeta)
        /// The leader hands over: campaign at once.
        case timeoutNow
    }

    package init(from: UInt64, to: UInt64, term: UInt64, body: Body) {
        self.from = from
        self.to = to
        self.term = term
        self.body = body
    }
}
