package import Basics

/// What a snapshot says about itself before its content.
package struct SnapshotHeader: Sendable, Hashable {
    package var clusterID: UInt64
    /// The last entry of the log that is in the snapshot.
    package var index: UInt64
    package var term: UInt64
    package var revision: Int64
    package var compactRevision: Int64
    /// `Keyspace.membershipName`'s blob at that point; empty if there was none.
    package var membership: Bytes
    /// `Keyspace.authName`'s blob at that point; empty if there was none.
    package var auth: Bytes
    /// When it was made, milliseconds since 1970 by the maker's clock; 0 when nobody said.
    package var createdMilliseconds: UInt64
    /// Keys that exist at `revision`.
    package var keys: UInt64

    package init(
        clusterID: UInt64, index: UInt64, term: UInt64, revision: Int64, compactRevision: Int64,
        membership: Bytes, auth: Bytes = [], createdMilliseconds: UInt64 = 0, keys: UInt64 = 0
    ) {
        self.clusterID = clusterID
        self.index = index
        self.term = term
        self.revision = revision
        self.compactRevision = compactRevision
        self.membership = membership
        self.auth = auth
        self.createdMilliseconds = createdMilliseconds
        self.keys = keys
    }
}
