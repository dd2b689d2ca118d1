import Basics
import Glibc

/// Where things lie in a replica's directory: docs/formats/replica-directory.md.
package struct ReplicaDirectory: Sendable {
    package let path: String

    package init(_ path: String) {
        self.path = path
    }

    package var log: String { path + "/log" }
    package var keyspace: String { path + "/keyspace" }
    package var snapshots: String { path + "/snapshots" }
    /// A keyspace in the making: it takes the place of `keyspace` when it is whole.
    package var keyspaceInMaking: String { path + "/keyspace.new" }
    /// A keyspace that was found to be damaged, kept for repair until the next one is.
    package var damagedKeyspace: String { path + "/keyspace.damaged" }
    package var identity: String { path + "/member" }
    /// The members that the cluster began with: where the log begins with entry 1, entries are
    /// applied from these on.
    package var founders: String { path + "/founders" }
    /// Present once this replica was removed from the cluster.
    package var removal: String { path + "/removed" }
    /// There after a failed sync: nothing else here is to be trusted any more.
    package var failed: String { path + "/failed" }
    /// There while the state here is known to be another than the cluster's.
    package var diverged: String { path + "/diverged" }
    /// Locked by the process that uses the directory.
    package var lock: String { path + "/lock" }

    /// The snapshot file of an entry.
    package func snapshot(index: UInt64) -> String {
        snapshots + "/" + ReplicaDirectory.digits(index) + ".snapshot"
    }

    /// Entries that snapshot files are there for, rising.
    package func snapshotIndexes() throws(ReplicaFailure) -> [UInt64] {
        try FileSystem.names(in: snapshots).compactMap { name in
            guard name.utf8.count == 25, name.hasSuffix(".snapshot") else { return nil }
            return UInt64(name.dropLast(9), radix: 16)
        }.sorted()
    }

    /// A file that a snapshot from this peer is received into.
    package func incoming(from peer: UInt64) -> String {
        snapshots + "/from-" + ReplicaDirectory.digits(peer) + ".incoming"
    }

    /// A keyspace made of the snapshot of this entry, until it takes the place of `keyspace`.
    package func keyspacePrepared(index: UInt64) -> String {
        path + "/keyspace-" + ReplicaDirectory.digits(index) + ".new"
    }

    /// Removes keyspaces that were made of snapshots up to this entry and never used.
    package func removePrepared(through index: UInt64) throws(ReplicaFailure) {
        for name in try FileSystem.names(in: path)
        where name.hasPrefix("keyspace-") && name.hasSuffix(".new") {
            guard let of = UInt64(name.dropFirst(9).prefix(16), radix: 16), of <= index else {
                continue
            }
            try FileSystem.removeTree(path + "/" + name)
        }
    }

    package static func digits(_ value: UInt64) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// Makes what is missing, and removes what a crash left half made.
    package func prepare() throws(ReplicaFailure) {
        for folder in [path, log, snapshots] { try FileSystem.makeDirectory(folder) }
        // What was received of a snapshot is kept: the next transfer goes on behind it.
        for name in try FileSystem.names(in: snapshots)
        where !name.hasSuffix(".snapshot") && !name.hasSuffix(".incoming") {
            try FileSystem.remove(snapshots + "/" + name)
        }
        try removePrepared(through: .max)
        try FileSystem.removeTree(keyspaceInMaking)
        try FileSystem.syncDirectory(path)
    }

    /// A start after this one says at once that the replica was removed. Without the mark, on a
    /// full disk say, it would wait for peers that do not know it.
    package func markRemoved() {
        try? FileSystem.replace(removal, [])
    }

    /// As well as a failing disk lets it.
    package func noteFailure(_ failure: ReplicaFailure) {
        guard failure.fatalExit == .syncFailed else { return }
        FileSystem.leave(failed, Array("\(failure)\n".utf8))
        try? FileSystem.syncDirectory(path)
    }

    /// From now on the state here is not shown, until the leader's has taken its place.
    package func noteDivergence(_ reason: String) throws(ReplicaFailure) {
        try FileSystem.replace(diverged, Array("\(reason)\n".utf8))
        try FileSystem.syncDirectory(path)
    }

    /// A sync that failed may have cost votes and acknowledgements, which no start can know.
    func checkNotFailed() throws(ReplicaFailure) {
        guard let text = try FileSystem.read(failed) else { return }
        let before = String(decoding: text.prefix { $0 != 10 }, as: UTF8.self)
        throw ReplicaFailure(
            .syncFailed,
            "\(path) is not to be trusted since: \(before); see to the disk, remove the directory"
                + " and have the replica rebuilt: martlet store member replace")
    }

    package func readIdentity() throws(ReplicaFailure) -> ReplicaIdentity? {
        guard let bytes = try FileSystem.read(identity) else { return nil }
        let words = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isWhitespace)
        guard words.count == 5, words[0] == "martlet-replica" else {
            throw ReplicaFailure(.corrupt, "\(identity) is damaged")
        }
        guard words[1] == "1" else {
            throw ReplicaFailure(
                .foreignDirectory, "\(identity) has format \(words[1]), newer than this program's 1"
            )
        }
        guard let cluster = UInt64(words[2], radix: 16), let member = UInt64(words[3], radix: 16),
            words[4] == "member" || words[4] == "joining"
        else { throw ReplicaFailure(.corrupt, "\(identity) is damaged") }
        return ReplicaIdentity(
            clusterID: cluster, memberID: member, isJoining: words[4] == "joining")
    }

    package func write(_ value: ReplicaIdentity) throws(ReplicaFailure) {
        let text =
            "martlet-replica 1 " + ReplicaDirectory.digits(value.clusterID) + " "
            + ReplicaDirectory.digits(value.memberID) + (value.isJoining ? " joining" : " member")
            + "\n"
        try FileSystem.replace(identity, Array(text.utf8))
        try FileSystem.syncDirectory(path)
    }
}

/// Which cluster and member a directory belongs to.
package struct ReplicaIdentity: Sendable, Hashable {
    package var clusterID: UInt64
    package var memberID: UInt64
    /// A new id after the loss of the directory, and no state yet. A `member` without a log has
    /// lost it, and with it what it promised: it must not go on under its id.
    package var isJoining: Bool

    package init(clusterID: UInt64, memberID: UInt64, isJoining: Bool) {
        self.clusterID = clusterID
        self.memberID = memberID
        self.isJoining = isJoining
    }
}
