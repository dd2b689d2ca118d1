package import Keyspace
package import Replica

/// The auth state of the replica of this process.
package struct LocalAuth: StoreAuth {
    private let replica: Replica
    private let whole: LocalStore

    package init(_ replica: Replica) {
        self.replica = replica
        whole = LocalStore(replica)
    }

    package var auth: AuthSnapshot? { replica.keyspace?.auth }

    package func newestAuth(_ done: @escaping Completion<AuthSnapshot>) {
        replica.readBarrier { done($0.map(\.auth)) }
    }

    package func change(
        _ change: AuthChange, by permit: AuthPermit, _ done: @escaping Completion<Int64>
    ) {
        LocalStore(whole, permit: permit).change(change, done)
    }

    package func store(for permit: AuthPermit) -> any Store {
        LocalStore(whole, permit: permit)
    }
}
