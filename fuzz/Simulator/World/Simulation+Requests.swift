import Basics
import Keyspace

/// What clients ask.
extension Simulation {
    private func key(_ number: Int) -> Bytes { Array("key-\(number)".utf8) }

    private func drawKey() -> Bytes { key(random.below(scenario.keys)) }

    /// Values are unique: they begin with the number of the operation.
    private func drawValue() -> Bytes {
        var value = Array("\(operations.count)".utf8)
        if random.chance(1, in: 8) {
            value += Bytes(repeating: 0x2e, count: random.below(600))
        }
        return value
    }

    private func drawRange() -> KeyRange {
        switch random.below(4) {
        case 0: .all
        case 1:
            KeyRange(
                start: key(random.below(scenario.keys)),
                end: .before(key(random.below(scenario.keys) + 1)))
        default: .key(drawKey())
        }
    }

    func drawRequest(_ client: Int) -> ClientRequest {
        if scenario.isOfLeases, random.chance(1, in: 2), let lease = drawLease(client) {
            return .keepAlive(lease)
        }
        switch random.below(40) {
        case 0..<12: return .range(RangeRequest(drawRange()))
        case 12..<26: return .command(.transaction(drawTransaction(client)))
        case 26..<29: return .command(.commit(drawCommit(client)))
        case 29..<31:
            // Every command is unlike any other.
            let target = drawCompaction(client)
            guard compactions.insert(target).inserted else { break }
            return .command(.compact(target))
        case 31..<34:
            nextLease += 1
            return .command(.leaseGrant(id: nextLease, ttlSeconds: drawSeconds()))
        case 34..<38:
            guard let lease = drawLease(client) else { break }
            return .keepAlive(lease)
        case 38:
            guard let lease = drawLease(client) else { break }
            clients[client].leases.removeAll { $0 == lease }
            return .command(.leaseRevoke(id: lease))
        default: break
        }
        return .range(RangeRequest(.all))
    }

    /// Some leases are so long that the followers are told of the remaining time.
    private func drawSeconds() -> Int64 {
        Int64(random.chance(1, in: 3) ? 11 + random.below(15) : 1 + random.below(6))
    }

    private func drawLease(_ client: Int) -> Int64? {
        // Old ones too, of whose time not much is left.
        let leases = clients[client].leases.suffix(random.chance(1, in: 4) ? 12 : 3)
        guard !leases.isEmpty else { return nil }
        return leases[leases.startIndex + random.below(leases.count)]
    }

    private func drawTransaction(_ client: Int) -> TransactionRequest {
        // Holds always; makes the command unlike any other.
        let mark = Compare(
            .key(Array("~".utf8)), .equal, .version(0))
        var request = TransactionRequest(compares: [mark], success: [])
        if let seen = drawSeen(client), random.chance(1, in: 2) {
            request.compares.append(
                random.chance(1, in: 2)
                    ? Compare(.key(seen.key), .equal, .modRevision(seen.modRevision))
                    : Compare(.key(seen.key), .equal, .value(seen.value)))
            request.failure = [.range(RangeRequest(.key(seen.key)))]
        }
        let first = random.below(scenario.keys)
        let count = 1 + random.below(min(3, scenario.keys))
        for offset in 0..<count {
            let key = key((first + offset) % scenario.keys)
            switch random.below(6) {
            case 0:
                request.success.append(
                    .deleteRange(DeleteRangeRequest(.key(key), wantsPrevious: true)))
            case 1: request.success.append(.range(RangeRequest(.all)))
            default:
                request.success.append(
                    .put(
                        PutRequest(
                            key: key, value: drawValue(), lease: drawPutLease(client),
                            wantsPrevious: random.chance(1, in: 2))))
            }
        }
        if random.chance(1, in: 12) {
            request.success = [.deleteRange(DeleteRangeRequest(drawRange(), wantsPrevious: true))]
        }
        let number = Array("#\(operations.count)".utf8)
        request.compares.append(Compare(.key(number), .equal, .version(0)))
        return request
    }

    private func drawPutLease(_ client: Int) -> Int64 {
        random.chance(1, in: 3) ? drawLease(client) ?? 0 : 0
    }

    private func drawSeen(_ client: Int) -> KeyValue? {
        let seen = clients[client].seen
        return seen.isEmpty ? nil : seen[random.below(seen.count)]
    }

    private func drawCommit(_ client: Int) -> CommitRequest {
        var guards: [CommitRequest.Guard] = []
        if let seen = drawSeen(client), random.chance(2, in: 3) {
            guards.append(.modRevision(key: seen.key, equals: seen.modRevision))
        }
        guards.append(.modRevision(key: Array("#\(operations.count)".utf8), equals: 0))
        let first = random.below(scenario.keys)
        var mutations: [CommitRequest.Mutation] = []
        for offset in 0..<1 + random.below(min(3, scenario.keys)) {
            let key = key((first + offset) % scenario.keys)
            mutations.append(
                random.chance(1, in: 4)
                    ? .delete(key: key) : .put(key: key, value: drawValue(), lease: 0))
        }
        return CommitRequest(guards: guards, mutations: mutations)
    }

    /// Often the revision of a change just seen: compaction exactly there is where watches break.
    private func drawCompaction(_ client: Int) -> Int64 {
        let newest = max(clients[client].revision, 2)
        return max(1, newest - [0, 0, 1, 2, 5, 20][random.below(6)])
    }
}
