import Basics

/// Keeps the first damage that a keyspace meets, and tells of it once.
final class DamageNote: Sendable {
    private let noted = Locked<KeyspaceError?>(nil)
    private let tell: @Sendable (KeyspaceError) -> Void

    init(_ tell: @escaping @Sendable (KeyspaceError) -> Void) {
        self.tell = tell
    }

    var first: KeyspaceError? { noted.withLock { $0 } }

    func note(_ damage: KeyspaceError) {
        let isFirst = noted.withLock { noted in
            defer { noted = noted ?? damage }
            return noted == nil
        }
        if isFirst { tell(damage) }
    }
}
