package import Basics

/// Users, roles, and whether they count: etcd's auth store, as a value.
package struct AuthState: Sendable, Hashable {
    package struct User: Sendable, Hashable {
        /// Nil for a user without a password.
        package var passwordHash: Bytes?
        /// Sorted.
        package var roles: [Bytes] = []

        package init(passwordHash: Bytes? = nil) { self.passwordHash = passwordHash }
    }

    package static let root = Bytes("root".utf8)

    package var isEnabled = false
    package var users: [Bytes: User] = [:]
    /// Permissions sorted as etcd sorts them.
    package var roles: [Bytes: [Permission]] = [:]
    /// What etcd counts, and shows.
    package var revision: UInt64 = 1
    /// Changes with everything that changes here, enabling too: equal versions of a cluster are
    /// equal states.
    package var version: UInt64 = 0
    /// What tokens are signed with.
    package var secret = Bytes()

    package init() {}

    /// Whether the user has the role `root`, which may do everything.
    package func isRoot(_ user: Bytes) -> Bool {
        users[user]?.roles.contains(Self.root) ?? false
    }

    /// What a role holds; `root` holds everything whatever was granted to it.
    package func permissions(ofRole role: Bytes) -> [Permission]? {
        guard let permissions = roles[role] else { return nil }
        return role == Self.root ? [Permission(.readWrite, .all)] : permissions
    }
}
