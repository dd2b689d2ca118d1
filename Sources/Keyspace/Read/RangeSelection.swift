import Basics

/// What a range keeps of the keys that it visits.
///
/// As in etcd `count` minds neither limit nor filters, and sorting and filtering come before the
/// limit. A sort target without an order sorts, if nothing is filtered, only what the limit lets
/// through and one key more.
struct RangeSelection {
    /// How much is held.
    struct Bounds {
        /// Nil measures nothing.
        var encoding: (any RangeEncoding)?
        var wholeBytesMax: Int
        var sortedBytesMax: Int

        /// For answers that are held whole, whatever they are.
        static let none = Bounds(wholeBytesMax: .max, sortedBytesMax: .max)
    }

    let request: RangeRequest
    let bounds: Bounds
    /// Without values; empty once the answer is too large to hold and in the order of keys.
    private(set) var found: [IndexedKey] = []
    private(set) var count: Int64 = 0
    /// Of what is found, encoded.
    private(set) var bytes = 0
    private(set) var isHeld = true
    /// False of a large answer whose totals nobody wants before its keys: not all were visited.
    private(set) var hasTotals = true
    /// Of the keys that have not been visited only the count is wanted.
    private(set) var wantsCount = false
    /// Keys that pass the filters.
    private var matching: Int64 = 0
    /// About the memory of `found`, and of the values if they are to be compared.
    private var heldBytes = 0

    init(_ request: RangeRequest, _ bounds: Bounds) {
        self.request = request
        self.bounds = bounds
        wantsCount = request.countOnly
    }

    var more: Bool { request.limit > 0 && matching > request.limit && !request.countOnly }

    mutating func add(unvisited keys: Int64) {
        count += keys
    }

    /// The count of all keys is known without a visit of the rest.
    mutating func settle(count keys: Int64) {
        count = keys
    }

    /// False when the rest need not be visited: `isHeld`, `hasTotals` and `wantsCount` say why.
    mutating func visit(
        _ key: @autoclosure () -> Bytes, keyBytes: Int, _ entry: IndexEntry
    ) -> Bool {
        count += 1
        guard !request.countOnly, request.passes(entry) else { return true }
        matching += 1
        if request.sortsBeforeLimit {
            hold(IndexedKey(key: key(), entry: entry))
            if heldBytes > bounds.sortedBytesMax {
                trim()
                if heldBytes > bounds.sortedBytesMax { isHeld = false }
            }
            return isHeld
        }
        if request.limit > 0, matching > request.limit {
            if !request.isInKeyOrder { hold(IndexedKey(key: key(), entry: entry)) }
            wantsCount = !request.isFiltered
            return !wantsCount
        }
        bytes += bounds.bytes(entry, keyBytes: keyBytes, request)
        if isHeld, bytes > bounds.wholeBytesMax, request.isInKeyOrder {
            isHeld = false
            found = []
            hasTotals = bounds.wantsTotalsFirst || request.limit > 0 || request.isFiltered
        }
        if isHeld { hold(IndexedKey(key: key(), entry: entry)) }
        return hasTotals
    }

    private mutating func hold(_ item: IndexedKey) {
        found.append(item)
        heldBytes += MemoryLayout<IndexedKey>.stride + 32 + item.key.count
        if request.sortTarget == .value { heldBytes += Int(item.entry.valueBytes) }
    }

    /// Lets go of what the limit will cut off whatever comes yet.
    private mutating func trim() {
        guard request.limit > 0, request.sortTarget != .value else { return }
        request.sort(&found)
        cut()
        let held = found
        found = []
        heldBytes = 0
        for item in held { hold(item) }
    }

    private mutating func cut() {
        if request.limit > 0, Int64(found.count) > request.limit {
            found.removeLast(found.count - Int(request.limit))
        }
    }

    /// Puts what is held into the order that was asked for.
    mutating func finish(_ view: StateView) throws(KeyspaceError) {
        if request.sortTarget == .value {
            try view.sortByValue(&found, isDescending: request.sortOrder == .descending)
        } else {
            request.sort(&found)
        }
        cut()
        guard !request.isInKeyOrder else { return }
        // Whatever was cut off.
        bytes = found.reduce(0) { sum, item in
            sum + bounds.bytes(item.entry, keyBytes: item.key.count, request)
        }
    }
}

extension RangeSelection.Bounds {
    var wantsTotalsFirst: Bool { encoding?.wantsTotalsFirst ?? true }

    func bytes(_ entry: IndexEntry, keyBytes: Int, _ request: RangeRequest) -> Int {
        guard let encoding else { return 0 }
        return encoding.bytes(
            entry.keyValue([]), keyBytes: keyBytes,
            valueBytes: request.keysOnly ? 0 : Int(entry.valueBytes))
    }
}

extension RangeRequest {
    /// Whether the keys are wanted as they come.
    var isInKeyOrder: Bool { sortTarget == .key && sortOrder != .descending }

    /// Whether it may be one page of a list, behind whose keys others follow in order.
    var isPage: Bool { limit > 0 && isInKeyOrder && !isFiltered && !countOnly }

    fileprivate var isFiltered: Bool {
        (minModRevision, maxModRevision, minCreateRevision, maxCreateRevision) != (0, 0, 0, 0)
    }

    fileprivate var sortsBeforeLimit: Bool {
        !isInKeyOrder && (sortOrder != .none || isFiltered)
    }

    func passes(_ entry: IndexEntry) -> Bool {
        (maxModRevision == 0 || entry.revision <= maxModRevision)
            && (minModRevision == 0 || entry.revision >= minModRevision)
            && (maxCreateRevision == 0 || entry.createRevision <= maxCreateRevision)
            && (minCreateRevision == 0 || entry.createRevision >= minCreateRevision)
    }

    /// By everything but values; what is equal stays in the order of keys.
    fileprivate func sort(_ found: inout [IndexedKey]) {
        let isDescending = sortOrder == .descending
        let field: (IndexEntry) -> Int64
        switch sortTarget {
        case .key:
            if isDescending { found.sort { isOrderedBefore($1.key, $0.key) } }
            return
        case .version: field = \.version
        case .create: field = \.createRevision
        case .mod: field = \.revision
        case .value: return
        }
        found.sort {
            isDescending ? field($0.entry) > field($1.entry) : field($0.entry) < field($1.entry)
        }
    }
}
