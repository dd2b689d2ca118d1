package import Keyspace
package import Store

/// The users and roles of a `KeyspaceStore`.
package struct KeyspaceAuth: StoreAuth {
    private let whole: KeyspaceStore

    package init(_ store: KeyspaceStore) {
        whole = store
    }

    package var auth: AuthSnapshot? { whole.keyspace.auth }

    package func newestAuth(_ done: @escaping Completion<AuthSnapshot>) {
        done(.success(whole.keyspace.auth))
    }

    package func change(
        _ change: AuthChange, by permit: AuthPermit, _ done: @escaping Completion<Int64>
    ) {
        if let error = whole.keyspace.auth.renewed(permit).refusalOfRoot {
            return done(.failure(error))
        }
        guard case .auth(let result) = whole.apply(.auth(change)) else {
            return done(.failure(.stopped))
        }
        done(result)
    }

    package func store(for permit: AuthPermit) -> any Store {
        PermittedStore(whole: whole, permit: permit)
    }
}
