/// Limits that more than one floor must agree on. A limit of one floor alone stands in that floor.
package enum Limits {
    /// Longest key of the store.
    package static let keyBytesMax = 4096
    /// Largest client request, as etcd's `--max-request-bytes` (1.5 MiB).
    package static let requestBytesMax = 1_572_864
    /// Largest API request body, as kube-apiserver's (3 MiB).
    package static let apiBodyBytesMax = 3_145_728
    /// Operations in one client transaction; etcd's default is 128.
    package static let transactionOperationsMax = 128
    /// Transactions within a transaction. Each takes one of the operations that there may be, so
    /// that what is nested deeper has too many of them.
    package static let transactionDepthMax = transactionOperationsMax + 1
    /// Mutations in one plugin commit.
    package static let commitMutationsMax = 10_000
    /// One entry of the Raft log, frame included.
    package static let entryBytesMax = 64 * 1_048_576
    /// Bytes of entries that a leader has in flight to one follower; one append may go over it.
    package static let inflightBytesMax = 16 * 1_048_576
    /// Bytes of entries that a leader accepts beyond its commit index. One proposal always fits
    /// where there is nothing else.
    package static let uncommittedBytesMax = 64 * 1_048_576
    /// How long ports and locks of a killed process are waited for. It has them until the kernel
    /// has taken its memory down: with gigabytes of a keyspace mapped that takes a moment.
    package static let killedProcessMilliseconds: UInt64 = 2_000
}
