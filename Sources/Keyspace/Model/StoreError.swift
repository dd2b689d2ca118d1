/// Why the store did not do what was asked. `message` is etcd's text where etcd has one.
package struct StoreError: Error, Sendable, Hashable, CustomStringConvertible {
    /// Extensible without breaking a `switch` elsewhere, hence a struct round an enum.
    package struct Code: Sendable, Hashable {
        private enum Value: Hashable {
            case compacted, futureRevision, invalid, notFound, alreadyExists, precondition
            case tooLarge, noSpace, overloaded, unavailable, timeout, permissionDenied, corrupt
            case cancelled, ttlTooLarge, unauthenticated
        }
        private let value: Value

        /// The revision asked for is compacted (`compactRevision` says up to where).
        package static let compacted = Code(value: .compacted)
        package static let futureRevision = Code(value: .futureRevision)
        package static let invalid = Code(value: .invalid)
        package static let notFound = Code(value: .notFound)
        package static let alreadyExists = Code(value: .alreadyExists)
        package static let failedPrecondition = Code(value: .precondition)
        package static let tooLarge = Code(value: .tooLarge)
        package static let noSpace = Code(value: .noSpace)
        package static let overloaded = Code(value: .overloaded)
        /// No leader, leader changed, server stopped: whether a write took effect is unknown.
        package static let unavailable = Code(value: .unavailable)
        package static let timeout = Code(value: .timeout)
        package static let permissionDenied = Code(value: .permissionDenied)
        package static let corrupt = Code(value: .corrupt)
        package static let cancelled = Code(value: .cancelled)
        /// A token that is not, or no more, good.
        package static let unauthenticated = Code(value: .unauthenticated)
        /// etcd answers OutOfRange.
        package static let ttlTooLarge = Code(value: .ttlTooLarge)
    }

    package var code: Code
    package var message: String
    package var compactRevision: Int64

    package init(_ code: Code, _ message: String, compactRevision: Int64 = 0) {
        self.code = code
        self.message = message
        self.compactRevision = compactRevision
    }

    package var description: String { message }
}

extension StoreError {
    package static func compacted(at revision: Int64) -> StoreError {
        StoreError(
            .compacted, "etcdserver: mvcc: required revision has been compacted",
            compactRevision: revision)
    }
    package static let futureRevision = StoreError(
        .futureRevision, "etcdserver: mvcc: required revision is a future revision")
    package static let leaseNotFound = StoreError(
        .notFound, "etcdserver: requested lease not found")
    package static let leaseExists = StoreError(
        .failedPrecondition, "etcdserver: lease already exists")
    package static let keyNotFound = StoreError(.invalid, "etcdserver: key not found")
    package static let emptyKey = StoreError(.invalid, "etcdserver: key is not provided")
    package static let tooManyOperations = StoreError(
        .invalid, "etcdserver: too many operations in txn request")
    package static let duplicateKey = StoreError(
        .invalid, "etcdserver: duplicate key given in txn request")
    package static let requestTooLarge = StoreError(
        .tooLarge, "etcdserver: request is too large")
    package static let noSpace = StoreError(
        .noSpace, "etcdserver: mvcc: database space exceeded")
    package static let tooManyRequests = StoreError(
        .overloaded, "etcdserver: too many requests")
    package static let noLeader = StoreError(.unavailable, "etcdserver: no leader")
    package static let leaderChanged = StoreError(.unavailable, "etcdserver: leader changed")
    package static let stopped = StoreError(.unavailable, "etcdserver: server stopped")
    package static let timeout = StoreError(.timeout, "etcdserver: request timed out")
    package static let permissionDenied = StoreError(
        .permissionDenied, "etcdserver: permission denied")
    package static let valueProvided = StoreError(.invalid, "etcdserver: value is provided")
    package static let leaseProvided = StoreError(.invalid, "etcdserver: lease is provided")
    package static let leaseTTLTooLarge = StoreError(
        .ttlTooLarge, "etcdserver: too large lease TTL")
    package static let keyTooLong = StoreError(
        .invalid, "martlet: key is longer than 4096 bytes")
    package static let corrupt = StoreError(.corrupt, "etcdserver: corrupt cluster")
    package static let cancelled = StoreError(.cancelled, "etcdserver: watch canceled")
}
