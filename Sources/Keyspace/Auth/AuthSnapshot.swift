package import Basics

/// The auth state at one version, with the permits that were asked for.
package final class AuthSnapshot: Sendable {
    package static let initial = AuthSnapshot(AuthState())

    package let state: AuthState
    /// Of a request without a token.
    package let anonymous: AuthPermit
    private let permits = Locked<[Bytes: AuthPermit]>([:])

    package init(_ state: AuthState) {
        self.state = state
        anonymous = AuthPermit([], state)
    }

    package func permit(_ user: Bytes) -> AuthPermit {
        if user.isEmpty { return anonymous }
        // Names that are nobody's are not kept.
        guard state.users[user] != nil else { return AuthPermit(user, state) }
        return permits.withLock { permits in
            if let permit = permits[user] { return permit }
            let permit = AuthPermit(user, state)
            permits[user] = permit
            return permit
        }
    }

    /// The same somebody's permit as things stand now.
    package func renewed(_ permit: AuthPermit) -> AuthPermit {
        permit.version == state.version ? permit : self.permit(permit.user)
    }
}
