package import Basics

/// One change of users, roles, or whether they count. Passwords come hashed.
package enum AuthChange: Sendable, Hashable {
    /// With the secret that tokens are signed with from now on.
    case enable(secret: Bytes)
    case disable
    /// Without a hash the user has no password, and logs in by certificate only.
    case addUser(Bytes, passwordHash: Bytes?)
    case deleteUser(Bytes)
    case changePassword(Bytes, passwordHash: Bytes?)
    case grantRole(user: Bytes, role: Bytes)
    case revokeRole(user: Bytes, role: Bytes)
    case addRole(Bytes)
    case deleteRole(Bytes)
    case grantPermission(role: Bytes, Permission)
    case revokePermission(role: Bytes, KeyRange)
}
