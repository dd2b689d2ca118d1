import Basics
import Crypto
import Keyspace
import NIOPosix

/// Hashes and checks passwords on threads of their own: a hash takes longer than a thousand
/// requests.
///
/// A password that was right is remembered, as a keyed hash that is good in this process only: a
/// client that logs in for every request costs one slow check and not thousands.
final class PasswordDesk: Sendable {
    private static let waitingMax = 256
    private static let rememberedMax = 16_384
    /// A hash of nothing in particular: a user who does not exist takes as long as one who does.
    private static let nobody = Bcrypt.hash([]) ?? []

    private let key = SymmetricKey(size: .bits256)
    private let waiting = Locked(0)
    private let remembered = Locked<Set<Bytes>>([])

    /// Answers the hash of a new password.
    func hash(
        _ password: Bytes, _ done: @escaping @Sendable (Result<Bytes, StoreError>) -> Void
    ) {
        run(done) {
            Bcrypt.hash(password).map { .success($0) } ?? .failure(.unusablePassword)
        }
    }

    /// Answers whether the password has the hash; nil stands for a user without one.
    func check(
        _ password: Bytes, _ hash: Bytes?,
        _ done: @escaping @Sendable (Result<Bool, StoreError>) -> Void
    ) {
        let note = self.note(password, hash ?? [])
        if hash != nil, remembered.withLock({ $0.contains(note) }) { return done(.success(true)) }
        run(done) {
            let matches = Bcrypt.matches(password, hash ?? Self.nobody) && hash != nil
            if matches { self.remember(note) }
            return .success(matches)
        }
    }

    private func run<Value: Sendable>(
        _ done: @escaping @Sendable (Result<Value, StoreError>) -> Void,
        _ work: @escaping @Sendable () -> Result<Value, StoreError>
    ) {
        let isTaken = waiting.withLock { waiting in
            guard waiting < Self.waitingMax else { return false }
            waiting += 1
            return true
        }
        guard isTaken else { return done(.failure(.tooManyRequests)) }
        NIOThreadPool.singleton.submit { state in
            self.waiting.withLock { $0 -= 1 }
            guard case .active = state else { return done(.failure(.stopped)) }
            done(work())
        }
    }

    private func note(_ password: Bytes, _ hash: Bytes) -> Bytes {
        Bytes(HMAC<SHA256>.authenticationCode(for: hash + [0] + password, using: key))
    }

    private func remember(_ note: Bytes) {
        remembered.withLock { remembered in
            if remembered.count >= Self.rememberedMax { remembered = [] }
            remembered.insert(note)
        }
    }
}

extension StoreError {
    static let unusablePassword = StoreError(
        .invalid,
        "martlet: a password has \(Bcrypt.passwordBytesMax) bytes at most, and none of them is 0")
}
