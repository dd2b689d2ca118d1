package import Basics
package import NIOCore
package import ReplicaCore

/// What a replica is told at its start: the settings of its core, and those of its shell.
@dynamicMemberLookup package struct ReplicaConfiguration: Sendable {
    /// PEM texts of the peer authority and of this replica's certificate, which must do for both
    /// ends of a connection.
    package struct PeerTLS: Sendable {
        package var authorityPEM: String
        package var certificatePEM: String
        package var keyPEM: String

        package init(authorityPEM: String, certificatePEM: String, keyPEM: String) {
            self.authorityPEM = authorityPEM
            self.certificatePEM = certificatePEM
            self.keyPEM = keyPEM
        }
    }

    package var settings: ReplicaSettings
    /// nil: plaintext, which is for loopback and tests.
    package var tls: PeerTLS?
    package var group: any EventLoopGroup
    /// Where to listen for peers, if that is not the address that they dial.
    package var peerListener: (host: String, port: Int)?
    /// While the keyspace file is no larger, reads of one key are served where they come in instead
    /// of on threads that may wait for the disk: the whole file may stay in memory then.
    package var inPlaceBytesMax = Int64.max
    /// What requests may take in memory; nil: as much as they like.
    package var budget: MemoryBudget?
    /// Called once, on a thread of the replica, when it cannot go on. It has stopped by then; the
    /// process should end with the code of `ReplicaFailure.exitCode`.
    package var onFailure: @Sendable (ReplicaFailure) -> Void = { _ in }

    package init(
        directory: String, clusterID: UInt64, name: String, members: [ReplicaMember],
        tls: PeerTLS?, group: any EventLoopGroup, seed: UInt64
    ) {
        settings = ReplicaSettings(
            directory: directory, clusterID: clusterID, name: name, members: members, seed: seed)
        self.tls = tls
        self.group = group
    }

    package subscript<Value>(dynamicMember path: WritableKeyPath<ReplicaSettings, Value>) -> Value {
        get { settings[keyPath: path] }
        set { settings[keyPath: path] = newValue }
    }
}
