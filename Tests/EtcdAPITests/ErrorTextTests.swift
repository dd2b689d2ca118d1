import EtcdAPI
import HTTP
import Keyspace
import ReplicaCore
import Testing

/// Errors are etcd's (`api/v3/v3rpc/rpctypes`), code and text: clients compare both.
@Suite struct ErrorTextTests {
    private static func etcd(_ code: GRPCStatus.Code, _ text: String) -> GRPCStatus {
        GRPCStatus(code, "etcdserver: " + text)
    }

    private static let ofKeys: [(StoreError, GRPCStatus)] = [
        (.emptyKey, etcd(.invalidArgument, "key is not provided")),
        (.keyNotFound, etcd(.invalidArgument, "key not found")),
        (.valueProvided, etcd(.invalidArgument, "value is provided")),
        (.leaseProvided, etcd(.invalidArgument, "lease is provided")),
        (.tooManyOperations, etcd(.invalidArgument, "too many operations in txn request")),
        (.duplicateKey, etcd(.invalidArgument, "duplicate key given in txn request")),
        (.requestTooLarge, etcd(.invalidArgument, "request is too large")),
        (
            .compacted(at: 5),
            etcd(.outOfRange, "mvcc: required revision has been compacted")
        ),
        (.futureRevision, etcd(.outOfRange, "mvcc: required revision is a future revision")),
        (.noSpace, etcd(.resourceExhausted, "mvcc: database space exceeded")),
        (.tooManyRequests, etcd(.resourceExhausted, "too many requests")),
        (.leaseNotFound, etcd(.notFound, "requested lease not found")),
        (.leaseExists, etcd(.failedPrecondition, "lease already exists")),
        (.leaseTTLTooLarge, etcd(.outOfRange, "too large lease TTL")),
        (.cancelled, etcd(.cancelled, "watch canceled")),
    ]

    private static let ofClusters: [(StoreError, GRPCStatus)] = [
        (.noLeader, etcd(.unavailable, "no leader")),
        (.leaderChanged, etcd(.unavailable, "leader changed")),
        (.stopped, etcd(.unavailable, "server stopped")),
        (.timeout, etcd(.unavailable, "request timed out")),
        (.corrupt, etcd(.dataLoss, "corrupt cluster")),
        (.notLeader, etcd(.failedPrecondition, "not leader")),
        (.badTransferee, etcd(.failedPrecondition, "bad leader transferee")),
        (.memberNotFound, etcd(.notFound, "member not found")),
        (.memberExists, etcd(.failedPrecondition, "member ID already exist")),
        (.peerURLExists, etcd(.failedPrecondition, "Peer URLs already exists")),
        (.badPeerURL, etcd(.invalidArgument, "given member URLs are invalid")),
        (
            .notEnoughStarted,
            etcd(
                .failedPrecondition,
                "re-configuration failed due to not enough started members")
        ),
        (.notLearner, etcd(.failedPrecondition, "can only promote a learner member")),
        (
            .learnerNotReady,
            etcd(
                .failedPrecondition,
                "can only promote a learner member which is in sync with leader")
        ),
    ]

    private static let ofUsers: [(StoreError, GRPCStatus)] = [
        (.rootUserNotFound, etcd(.failedPrecondition, "root user does not exist")),
        (.rootRoleNotFound, etcd(.failedPrecondition, "root user does not have root role")),
        (.userExists, etcd(.failedPrecondition, "user name already exists")),
        (.userEmpty, etcd(.invalidArgument, "user name is empty")),
        (.userNotFound, etcd(.failedPrecondition, "user name not found")),
        (.roleExists, etcd(.failedPrecondition, "role name already exists")),
        (.roleNotFound, etcd(.failedPrecondition, "role name not found")),
        (.roleEmpty, etcd(.invalidArgument, "role name is empty")),
        (
            .authFailed,
            etcd(.invalidArgument, "authentication failed, invalid user ID or password")
        ),
        (.permissionNotGiven, etcd(.invalidArgument, "permission not given")),
        (.permissionDenied, etcd(.permissionDenied, "permission denied")),
        (.roleNotGranted, etcd(.failedPrecondition, "role is not granted to the user")),
        (
            .permissionNotGranted,
            etcd(.failedPrecondition, "permission is not granted to the role")
        ),
        (.authNotEnabled, etcd(.failedPrecondition, "authentication is not enabled")),
        (.invalidAuthToken, etcd(.unauthenticated, "invalid auth token")),
        (.invalidAuthManagement, etcd(.invalidArgument, "invalid auth management")),
        (.authRevisionOld, etcd(.invalidArgument, "revision of auth store is old")),
    ]

    @Test func everyErrorHasEtcdsCodeAndText() {
        for (error, status) in Self.ofKeys + Self.ofClusters + Self.ofUsers {
            #expect(GRPCStatus(error) == status)
        }
    }
}
