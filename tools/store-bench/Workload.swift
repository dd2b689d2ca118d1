import Basics
import EtcdMessages
import Keyspace

/// What the clients ask for.
struct Workload: Sendable {
    enum Kind: String, CaseIterable, Sendable {
        case fill, put, get, getSerializable = "get-serializable", transaction, mixed, list
        case listStream = "list-stream"
        case grant, keepAlive = "keep-alive", watch
    }

    /// A call, and whether it changes the store: then the revision has to move.
    struct Request {
        var path: String
        var message: Bytes
        var writes = false
        var isStream = false
    }

    let kind: Kind
    let keys: Int
    let readEighths: Int
    let page: Int64
    private let value: Bytes

    init(_ kind: Kind, valueBytes: Int, keys: Int, readEighths: Int, page: Int64) {
        self.kind = kind
        self.keys = keys
        self.readEighths = readEighths
        self.page = page
        var random = SeededRandom(seed: 7)
        value = Bytes((0..<valueBytes).map { _ in UInt8.random(in: 0x20...0x7e, using: &random) })
    }

    static let prefix = Bytes("/bench/".utf8)

    static func key(_ number: Int) -> Bytes {
        let digits = Bytes(String(number).utf8)
        return prefix + Bytes(repeating: 0x30, count: max(0, 9 - digits.count)) + digits
    }

    /// - Parameter number: how many requests there were before.
    func request(_ number: Int, _ random: inout SeededRandom) -> Request {
        switch kind {
        case .fill: filling(number)
        case .put: put(&random)
        case .get: get(&random, isSerializable: false)
        case .getSerializable: get(&random, isSerializable: true)
        case .transaction: transaction(&random)
        case .mixed:
            random.chance(readEighths, in: 8)
                ? get(&random, isSerializable: false) : put(&random)
        case .list: list(number, "/etcdserverpb.KV/Range", isStream: false)
        case .listStream: list(number, "/etcdserverpb.KV/RangeStream", isStream: true)
        case .grant: grant(number)
        // What the stream says is the lane's business.
        case .keepAlive: Request(path: "", message: [])
        case .watch: preconditionFailure("watch has a load of its own")
        }
    }

    private func put(_ random: inout SeededRandom) -> Request {
        let put = PutRequest(key: Self.key(random.below(keys)), value: value)
        return Request(path: "/etcdserverpb.KV/Put", message: put.protobufBytes, writes: true)
    }

    private func get(_ random: inout SeededRandom, isSerializable: Bool) -> Request {
        var range = RangeRequest(.key(Self.key(random.below(keys))))
        range.isSerializable = isSerializable
        return Request(path: "/etcdserverpb.KV/Range", message: range.protobufBytes)
    }

    /// Eight compares that hold, and eight puts.
    private func transaction(_ random: inout SeededRandom) -> Request {
        let first = random.below(max(1, keys - 8))
        var request = TransactionRequest(success: [])
        for number in first..<first + 8 {
            request.compares.append(Compare(.key(Self.key(number)), .greater, .createRevision(-1)))
            request.success.append(.put(PutRequest(key: Self.key(number), value: value)))
        }
        return Request(path: "/etcdserverpb.KV/Txn", message: request.protobufBytes, writes: true)
    }

    static func lease(_ number: Int) -> Int64 { Int64(number) + 1 }

    private func grant(_ number: Int) -> Request {
        var message = ProtobufWriter()
        message.write(1, 600 as Int64)
        message.write(2, Self.lease(number))
        return Request(path: "/etcdserverpb.Lease/LeaseGrant", message: message.bytes)
    }

    private static let fillAtOnce = 100

    /// Every key once, in transactions.
    private func filling(_ number: Int) -> Request {
        var request = TransactionRequest(success: [])
        let first = number * Self.fillAtOnce % keys
        for number in first..<min(keys, first + Self.fillAtOnce) {
            request.success.append(.put(PutRequest(key: Self.key(number), value: value)))
        }
        return Request(path: "/etcdserverpb.KV/Txn", message: request.protobufBytes, writes: true)
    }

    /// In pages each begins behind the last key of the one before, as clients do it.
    private func list(_ number: Int, _ path: String, isStream: Bool) -> Request {
        var range = RangeRequest(KeyRange.prefix(Self.prefix))
        range.limit = page
        let first = page > 0 ? number * Int(page) % keys : 0
        if first > 0 { range.range.start = Self.key(first - 1) + [0] }
        return Request(path: path, message: range.protobufBytes, isStream: isStream)
    }
}
