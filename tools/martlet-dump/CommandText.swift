import Basics
import Keyspace
import Raft

/// Commands in a line each: keys and sizes, never values.
enum CommandText {
    static func describe(_ command: Command) -> String {
        switch command {
        case .nothing: "nothing (a new leader's first entry)"
        case .transaction(let request): describe(request)
        case .commit(let request): describe(request)
        case .compact(let revision): "compact to revision \(revision)"
        case .leaseGrant(let id, let ttl): "grant lease \(id) for \(ttl) s"
        case .leaseRevoke(let id): "revoke lease \(id)"
        case .alarm(let change):
            "alarm \(change.kind) \(change.isRaised ? "raised" : "cleared") by "
                + String(change.memberID, radix: 16)
        case .leaseCheckpoint(let leases):
            "checkpoint of "
                + leases.map { "lease \($0.id): \($0.remainingSeconds) s" }
                .joined(separator: ", ")
        case .hashCheck: "check of the hashes"
        case .hashReport(let report):
            "member \(String(report.member, radix: 16)) has hash"
                + " \(String(report.hash, radix: 16)) at entry \(report.index)"
        case .membership(let blob): "membership, \(blob.count) bytes"
        case .auth(let change): describe(change)
        case .stamped(let stamp, let command):
            stamp.user.isEmpty
                ? describe(command) : "\(describe(command)), as \(stamp.user.readable)"
        }
    }

    static let types = [
        "transaction", "commit", "compact", "lease-grant", "lease-revoke", "lease-checkpoint",
        "membership", "alarm", "hash-check", "hash-report", "auth", "nothing", "damaged",
    ]

    /// A membership change.
    static func describe(membership payload: Bytes) -> String {
        guard let change = try? MembershipChange(decoding: payload) else {
            return "membership change that does not decode"
        }
        if change.isLeavingJoint { return "membership: the joint membership ends" }
        let steps = change.steps.map { "\($0.action) \(String($0.id, radix: 16))" }
        return "membership: \(steps.joined(separator: ", "))"
    }

    /// What `log --type` goes by.
    static func type(_ command: Command) -> String {
        switch command {
        case .nothing: "nothing"
        case .transaction: "transaction"
        case .commit: "commit"
        case .compact: "compact"
        case .leaseGrant: "lease-grant"
        case .leaseRevoke: "lease-revoke"
        case .leaseCheckpoint: "lease-checkpoint"
        case .membership: "membership"
        case .alarm: "alarm"
        case .hashCheck: "hash-check"
        case .hashReport: "hash-report"
        case .auth: "auth"
        case .stamped(_, let command): type(command)
        }
    }

    /// Never a hash or a secret.
    private static func describe(_ change: AuthChange) -> String {
        switch change {
        case .enable: "enable auth"
        case .disable: "disable auth"
        case .addUser(let name, _): "add user \(name.readable)"
        case .deleteUser(let name): "delete user \(name.readable)"
        case .changePassword(let name, _): "new password of user \(name.readable)"
        case .grantRole(let user, let role):
            "grant role \(role.readable) to user \(user.readable)"
        case .revokeRole(let user, let role):
            "revoke role \(role.readable) from user \(user.readable)"
        case .addRole(let name): "add role \(name.readable)"
        case .deleteRole(let name): "delete role \(name.readable)"
        case .grantPermission(let role, let permission):
            "grant \(permission.kind) of \(describe(permission.range)) to role \(role.readable)"
        case .revokePermission(let role, let range):
            "revoke \(describe(range)) from role \(role.readable)"
        }
    }

    private static func describe(_ request: TransactionRequest) -> String {
        let then = list(request.success)
        if request.compares.isEmpty, request.failure.isEmpty { return then }
        let conditions = request.compares.map(describe).joined(separator: " and ")
        let otherwise = request.failure.isEmpty ? "" : " else \(list(request.failure))"
        return "if \(conditions.isEmpty ? "nothing" : conditions) then \(then)\(otherwise)"
    }

    private static func list(_ operations: [Operation]) -> String {
        if operations.isEmpty { return "nothing" }
        return operations.map { operation in
            switch operation {
            case .put(let put): self.put(put.key, put.value, put.lease)
            case .deleteRange(let delete): "delete \(describe(delete.range))"
            case .range(let range): "get \(describe(range.range))"
            case .transaction(let nested): "(\(describe(nested)))"
            }
        }.joined(separator: "; ")
    }

    private static func describe(_ request: CommitRequest) -> String {
        let changes = request.mutations.map { mutation in
            switch mutation {
            case .put(let key, let value, let lease): put(key, value, lease)
            case .delete(let key): "delete \(key.readable)"
            }
        }.joined(separator: "; ")
        let guards = request.guards.map { condition in
            switch condition {
            case .modRevision(let key, let revision): "\(key.readable) is of \(revision)"
            case .createRevision(let key, let revision):
                "\(key.readable) was created at \(revision)"
            case .unchanged(let range, let revision):
                "\(describe(range)) is unchanged since \(revision)"
            }
        }.joined(separator: " and ")
        return "commit \(changes.isEmpty ? "nothing" : changes)"
            + (guards.isEmpty ? "" : " if \(guards)")
    }

    private static func put(_ key: Bytes, _ value: Bytes, _ lease: Int64) -> String {
        "put \(key.readable) (\(value.count) bytes\(lease == 0 ? "" : ", lease \(lease)"))"
    }

    private static func describe(_ compare: Compare) -> String {
        let relation =
            switch compare.relation {
            case .equal: "="
            case .notEqual: "!="
            case .less: "<"
            case .greater: ">"
            }
        let target =
            switch compare.target {
            case .version(let value): "version \(relation) \(value)"
            case .createRevision(let value): "create revision \(relation) \(value)"
            case .modRevision(let value): "mod revision \(relation) \(value)"
            case .lease(let value): "lease \(relation) \(value)"
            case .value(let value): "value \(relation) \(value.count) bytes"
            }
        return "\(describe(compare.range)) \(target)"
    }

    private static func describe(_ range: KeyRange) -> String {
        switch range.end {
        case .single: range.start.readable
        case .before(let end): "[\(range.start.readable), \(end.readable))"
        case .unbounded: "[\(range.start.readable), end)"
        }
    }
}
