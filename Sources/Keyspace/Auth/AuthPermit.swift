package import Basics

/// What somebody may do under one version of the auth state. Without auth everybody may everything.
package final class AuthPermit: Sendable {
    enum Rights: Sendable {
        case all
        case some(read: KeySpans, write: KeySpans)
        /// Nobody who is known.
        case none(StoreError)
    }

    /// Empty for a request without a token.
    package let user: Bytes
    /// `AuthState.version`.
    package let version: UInt64
    private let rights: Rights

    init(_ user: Bytes, _ state: AuthState) {
        self.user = user
        version = state.version
        rights = Rights(user, state)
    }

    package var isUnrestricted: Bool {
        if case .all = rights { true } else { false }
    }

    /// Why this is not somebody who is known.
    package var refusalOfAnybody: StoreError? {
        if case .none(let error) = rights { error } else { nil }
    }

    /// Why what only root may is refused.
    package var refusalOfRoot: StoreError? {
        switch rights {
        case .all: nil
        case .some: .permissionDenied
        case .none(let error): error
        }
    }

    package func refusal(reading range: KeyRange) -> StoreError? {
        switch rights {
        case .all: nil
        case .some(let read, _): read.covers(range) ? nil : .permissionDenied
        case .none(let error): error
        }
    }

    package func refusal(writing range: KeyRange) -> StoreError? {
        switch rights {
        case .all: nil
        case .some(_, let write): write.covers(range) ? nil : .permissionDenied
        case .none(let error): error
        }
    }

    package func refusal(readingAll keys: [Bytes]) -> StoreError? {
        for key in keys {
            if let error = refusal(reading: .key(key)) { return error }
        }
        return nil
    }

    package func refusal(writingAll keys: [Bytes]) -> StoreError? {
        for key in keys {
            if let error = refusal(writing: .key(key)) { return error }
        }
        return nil
    }

    /// Why a transaction is refused: both branches count, and those below them. Which keys a lease
    /// holds is not looked at here.
    package func refusal(of request: TransactionRequest) -> StoreError? {
        if isUnrestricted { return nil }
        if let error = refusalOfAnybody { return error }
        for compare in request.compares {
            if let error = refusal(reading: compare.range) { return error }
        }
        for operation in request.success {
            if let error = refusal(of: operation) { return error }
        }
        for operation in request.failure {
            if let error = refusal(of: operation) { return error }
        }
        return nil
    }

    private func refusal(of operation: Operation) -> StoreError? {
        switch operation {
        case .range(let request): return refusal(reading: request.range)
        case .put(let request):
            let key = KeyRange.key(request.key)
            return refusal(writing: key) ?? (request.wantsPrevious ? refusal(reading: key) : nil)
        case .deleteRange(let request):
            return refusal(writing: request.range)
                ?? (request.wantsPrevious ? refusal(reading: request.range) : nil)
        case .transaction(let request): return refusal(of: request)
        }
    }
}

extension AuthPermit.Rights {
    init(_ name: Bytes, _ state: AuthState) {
        guard state.isEnabled else {
            self = .all
            return
        }
        guard let user = state.users[name] else {
            self = .none(name.isEmpty ? .userEmpty : .permissionDenied)
            return
        }
        if user.roles.contains(AuthState.root) {
            self = .all
            return
        }
        let permissions = user.roles.flatMap { state.roles[$0] ?? [] }
        self = .some(
            read: KeySpans(permissions.filter(\.grantsRead).map(\.range)),
            write: KeySpans(permissions.filter(\.grantsWrite).map(\.range)))
    }
}
