package import Basics

/// On whose behalf a command was proposed, and under which version of the auth state it was
/// allowed. Applying looks again if the version has changed since.
package struct AuthStamp: Sendable, Hashable {
    package var user: Bytes
    package var version: UInt64

    package init(user: Bytes, version: UInt64) {
        self.user = user
        self.version = version
    }

    package init(_ permit: AuthPermit) {
        self.init(user: permit.user, version: permit.version)
    }
}
