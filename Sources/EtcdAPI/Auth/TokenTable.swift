package import Basics
package import Keyspace

/// Tokens that `Authenticate` gives out, and who is known by one: docs/decisions/0011-auth.md.
package final class TokenTable: Sendable {
    private struct Session {
        var permit: AuthPermit
        var used: MonotonicTime
        /// See `TokenReading`.
        var ends: UInt64?
    }

    package static let lifeSeconds: UInt64 = 300
    private static let sessionsMax = 65_536

    private let mint: any TokenMint
    private let lifeSeconds: UInt64
    private let sessions = Locked<[String: Session]>([:])
    private let now: @Sendable () -> MonotonicTime
    private let wallSeconds: @Sendable () -> UInt64

    /// - Parameter lifeSeconds: How long a token that says nothing of its end is good unused.
    package init(
        _ mint: (any TokenMint)? = nil, lifeSeconds: UInt64 = lifeSeconds,
        now: @escaping @Sendable () -> MonotonicTime = { .now() },
        wallSeconds: @escaping @Sendable () -> UInt64 = { UInt64(max(0, WallTime.now().seconds)) }
    ) {
        self.mint = mint ?? SimpleMint(lifeSeconds: lifeSeconds)
        self.lifeSeconds = lifeSeconds
        self.now = now
        self.wallSeconds = wallSeconds
    }

    /// A new token, for somebody whose password was right; nil if they are gone by now.
    package func issue(for user: Bytes, _ auth: AuthState) -> String? {
        mint.issue(for: user, auth, now: wallSeconds())
    }

    /// What the token's user may do now.
    package func permit(_ token: String, _ auth: AuthSnapshot) throws(StoreError) -> AuthPermit {
        let now = now()
        let known = sessions.withLock { sessions -> Session? in
            guard let session = sessions[token] else { return nil }
            guard !isOver(session, now) else {
                sessions[token] = nil
                return nil
            }
            sessions[token]?.used = now
            return session
        }
        if let known, known.permit.version == auth.state.version { return known.permit }
        let reading: TokenReading
        do throws(StoreError) {
            reading = try mint.read(
                token, auth.state, isKnown: known != nil, now: wallSeconds())
        } catch {
            sessions.withLock { $0[token] = nil }
            throw error
        }
        let permit = auth.permit(reading.user)
        sessions.withLock { sessions in
            if sessions.count >= Self.sessionsMax {
                sessions = sessions.filter { !isOver($0.value, now) }
            }
            // When it is full of others it is read anew every time, and lives its five minutes.
            if sessions.count < Self.sessionsMax || known != nil {
                sessions[token] = Session(permit: permit, used: now, ends: reading.ends)
            }
        }
        return permit
    }

    private func isOver(_ session: Session, _ now: MonotonicTime) -> Bool {
        if let ends = session.ends { return wallSeconds() >= ends }
        return now.milliseconds(since: session.used) >= lifeSeconds * 1000
    }
}
