import Basics
import Replica

/// Lays out a replica's directory from a snapshot, before the replica's first start.
enum ReplicaSeed {
    static func lay(
        snapshot: String, into path: String, layout: ClusterLayout, replica: ClusterLayout.Replica
    ) throws(CommandError) {}
}
