/// What all clients of a new store saw.
package struct StoreHistory: Sendable {
    package var operations: [LoadOperation]
    /// Of each watcher of everything from revision 2 on, in order, across its streams.
    package var watchers: [[WatchSighting]]

    package init(operations: [LoadOperation] = [], watchers: [[WatchSighting]] = []) {
        self.operations = operations
        self.watchers = watchers
    }
}
