/// Watchers that wait, in the order in which they began to. One leaves without a search: a client
/// that goes may take ten thousand with it.
struct WaitingList {
    /// With holes where watchers have left. A watcher's progress knows its slot.
    private var slots: [KeyspaceWatch?] = []
    private var count = 0

    var isEmpty: Bool { count == 0 }

    mutating func append(_ watch: KeyspaceWatch) {
        watch.progress.value.slot = slots.count
        slots.append(watch)
        count += 1
    }

    mutating func remove(_ progress: HubGuarded<KeyspaceWatch.Progress>) {
        guard let slot = progress.value.slot, slots[slot]?.progress === progress else {
            preconditionFailure("a watcher that does not wait here")
        }
        slots[slot] = nil
        progress.value.slot = nil
        count -= 1
        if slots.count > 16 + 2 * count { _ = take { _ in false } }
    }

    /// Takes out, in order, those that the predicate wants.
    mutating func take(_ isWanted: (KeyspaceWatch) -> Bool) -> [KeyspaceWatch] {
        var taken: [KeyspaceWatch] = []
        var left = WaitingList()
        for watch in slots {
            guard let watch else { continue }
            if isWanted(watch) {
                watch.progress.value.slot = nil
                taken.append(watch)
            } else {
                left.append(watch)
            }
        }
        self = left
        return taken
    }
}
