package import Keyspace

/// Users, roles and whether they count, as the etcd API needs them; beside `Store`, whose own
/// handles may do everything.
package protocol StoreAuth: Sendable {
    typealias Completion<Value> = @Sendable (Result<Value, StoreError>) -> Void

    /// As of the newest entry that is applied here; nil when there is no state to go by.
    var auth: AuthSnapshot? { get }
    /// As of every change that was answered anywhere in the cluster before the call.
    func newestAuth(_ done: @escaping Completion<AuthSnapshot>)
    /// Makes a change, if who asks for it may when it is applied. Answers the store's revision.
    func change(
        _ change: AuthChange, by permit: AuthPermit, _ done: @escaping Completion<Int64>)
    /// The store as it is open to somebody: what they have no right to when it is done, or read,
    /// is refused.
    func store(for permit: AuthPermit) -> any Store
}
