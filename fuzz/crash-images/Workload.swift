import Basics
import CRecorder
import Keyspace
import ReplicaCore

/// What the recorded replica is asked to do, and what the store must hold after each write.
struct Workload {
    /// Values by key after the first n writes.
    private(set) var states: [[String: Bytes]] = [[:]]
    private var commands: [Command] = []
    private var random: SeededRandom

    init(seed: UInt64, writes: Int) {
        random = SeededRandom(seed: seed)
        for number in 1...writes { add(UInt64(number)) }
    }

    /// Every write also sets `count`, so that an image says how many it holds.
    private mutating func add(_ number: UInt64) {
        var state = states[states.count - 1]
        let key = "k\(random.below(40))"
        var operations = [put("count", Bytes("\(number)".utf8), &state)]
        if random.chance(1, in: 6) {
            state[key] = nil
            operations.append(.deleteRange(DeleteRangeRequest(.key(Bytes(key.utf8)))))
        } else {
            let size = random.chance(1, in: 20) ? 9000 : random.below(1800)
            let value = Bytes((0..<size).map { _ in UInt8(truncatingIfNeeded: random.next()) })
            operations.append(put(key, value, &state))
        }
        states.append(state)
        commands.append(.transaction(TransactionRequest(success: operations)))
    }

    private func put(_ key: String, _ value: Bytes, _ state: inout [String: Bytes]) -> Operation {
        state[key] = value
        return .put(PutRequest(key: Bytes(key.utf8), value: value))
    }

    /// Writes in batches of one to eight; now and then compacts, stops cleanly, is killed or loses
    /// power, and starts again.
    ///
    /// - Parameter boot: a file with the boot id.
    mutating func run(in directory: String, boot: String)
        throws(ReplicaFailure)
    {
        var replica = try SoloReplica(directory: directory, isNewCluster: true)
        try replica.becomeReady()
        var done = 0
        while done < commands.count {
            let last = min(commands.count, done + 1 + random.below(8))
            let first = done
            try replica.write(Array(commands[done..<last])) { index in
                recorder_note(UInt64(first + index + 1))
            }
            done = last
            if random.chance(1, in: 12) {
                let revision = replica.keyspace?.revision ?? 1
                try replica.write([.compact(revision - 3)]) { _ in }
            }
            let end = random.below(24)
            if end < 3 {
                if end == 0 { try replica.stop() } else { replica.abandon() }
                if end == 2 { try FileSystem.replace(boot, Bytes("boot-\(done)\n".utf8)) }
                replica = try SoloReplica(directory: directory, isNewCluster: false)
                try replica.becomeReady()
            }
        }
        replica.abandon()
    }

    /// What is wrong with a store that acknowledged the first writes; nil if nothing.
    func check(_ keyspace: Keyspace, acknowledged: Int) -> String? {
        guard case .success(let found) = keyspace.range(RangeRequest(.prefix([]))) else {
            return "the store cannot be read"
        }
        let values = Dictionary(
            uniqueKeysWithValues: found.keyValues.map {
                (String(decoding: $0.key, as: UTF8.self), $0.value)
            })
        let held = values["count"].flatMap { Int(String(decoding: $0, as: UTF8.self)) } ?? 0
        guard held >= acknowledged else {
            return "\(acknowledged) writes were acknowledged, \(held) are there"
        }
        guard held < states.count, values == states[held] else {
            return "the values are not those after write \(held)"
        }
        return nil
    }
}
