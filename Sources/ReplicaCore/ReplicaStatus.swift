package import Raft

/// Where a replica stands, for status reports; as of its last batch of work.
package struct ReplicaStatus: Sendable, Hashable {
    /// 0 while the replica waits for its replacement.
    package var memberID: UInt64 = 0
    package var role: Role = .follower
    /// 0 while unknown.
    package var leaderID: UInt64 = 0
    package var term: UInt64 = 0
    package var commitIndex: UInt64 = 0
    package var appliedIndex: UInt64 = 0
    package var isLearner = false
    package var members: [ReplicaMember] = []
    package var learners: [UInt64] = []
    package var logBytes: UInt64 = 0
    package var alarms: [ClusterAlarm] = []
    /// An empty directory of a cluster that exists: nothing is answered until it is replaced.
    package var isWaitingForReplacement = false
    /// The state here is not the cluster's: nothing is answered until the leader's has come.
    package var isDivergent = false

    package init() {}
}
