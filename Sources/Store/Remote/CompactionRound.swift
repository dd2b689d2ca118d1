package import Basics
package import Keyspace

/// One server's part in compacting an etcd that several API servers share, ours and
/// kube-apiserver's: who finds the key `compact_rev_key` as its last round left it does the
/// compaction of this interval, the others take note and wait. What is compacted is what was
/// there an interval ago, so that watches and pages have at least that much time.
package struct CompactionRound: Sendable, Hashable {
    package static let key = Bytes("compact_rev_key".utf8)

    /// Version of the key when it was seen last.
    private var version: Int64 = 0
    /// Revision of the store when it was seen last; 0: never.
    private var revision: Int64 = 0

    package init() {}

    /// What to send at the end of an interval.
    package var transaction: TransactionRequest {
        TransactionRequest(
            compares: [Compare(.key(Self.key), .equal, .version(version))],
            success: [.put(PutRequest(key: Self.key, value: Bytes(String(revision).utf8)))],
            failure: [.range(RangeRequest(.key(Self.key)))])
    }

    /// Takes the answer; a revision to compact to, if that is ours to do.
    package mutating func answered(_ response: TransactionResponse) -> Int64? {
        let before = revision
        revision = response.revision
        guard response.succeeded else {
            version = 0
            if case .range(let range)? = response.responses.first {
                version = range.keyValues.first?.version ?? 0
            }
            return nil
        }
        version += 1
        return before > 0 ? before : nil
    }
}
