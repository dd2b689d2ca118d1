package import Keyspace

/// What etcd says about members, word for word: clients match on it.
extension StoreError {
    package static let memberNotFound = StoreError(.notFound, "etcdserver: member not found")
    package static let memberExists = StoreError(
        .failedPrecondition, "etcdserver: member ID already exist")
    package static let peerURLExists = StoreError(
        .failedPrecondition, "etcdserver: Peer URLs already exists")
    package static let notEnoughStarted = StoreError(
        .failedPrecondition,
        "etcdserver: re-configuration failed due to not enough started members")
    package static let notLearner = StoreError(
        .failedPrecondition, "etcdserver: can only promote a learner member")
    package static let learnerNotReady = StoreError(
        .failedPrecondition,
        "etcdserver: can only promote a learner member which is in sync with leader")
    package static let badTransferee = StoreError(
        .failedPrecondition, "etcdserver: bad leader transferee")
    package static let notLeader = StoreError(.failedPrecondition, "etcdserver: not leader")
    package static let badPeerURL = StoreError(
        .invalid, "etcdserver: given member URLs are invalid")
}
