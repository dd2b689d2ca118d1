import Basics
import EtcdMessages
import HTTP
import Keyspace
import NIOCore
import Store

/// A place in a queue of keys under one name, first come first served: what etcd's lock and
/// election recipes are made of (`clientv3/concurrency`).
///
/// A claim is a key `NAME/LEASE` that hangs on a lease; it is held when no older key is left under
/// the name. A claim whose lease has ended is gone. All of it is ordinary transactions and watches
/// on the store: whoever follows the recipe with clients of their own stands in the same queue.
final class Claim: @unchecked Sendable {
    // Sendable because all state belongs to the event loop.
    typealias Done = @Sendable (Result<Held, GRPCStatus>) -> Void

    /// A claim whose turn has come.
    struct Held: Sendable {
        var key: Bytes
        var lease: Int64
        var createRevision: Int64
        /// The store's revision when it was seen to be held.
        var storeRevision: Int64
    }

    /// Seconds of a lease that the server grants because the request named none.
    static let defaultTTLSeconds: Int64 = 60

    private let store: any Store
    private let eventLoop: any EventLoop
    private let prefix: Bytes
    private let value: Bytes
    private let done: Done
    private var lease: Int64
    private var key = Bytes()
    /// Create revision of the key; 0 until it is there.
    private var revision: Int64 = 0
    private var watch: (any WatchStream)?
    private var isOver = false

    /// - Parameter done: called once, on the loop; not after `cancel`.
    init(
        _ store: any Store, on eventLoop: any EventLoop, name: Bytes, lease: Int64,
        value: Bytes = [], done: @escaping Done
    ) {
        self.store = store
        self.eventLoop = eventLoop
        prefix = name + [UInt8(ascii: "/")]
        self.value = value
        self.lease = lease
        self.done = done
    }

    func begin() {
        guard lease == 0 else { return enter() }
        store.leaseGrant(id: 0, ttlSeconds: Self.defaultTTLSeconds) { result in
            self.then(result) { granted in
                self.lease = granted.id
                self.enter()
            }
        }
    }

    /// The client went away: a place in the queue that nobody waits for is given up.
    func cancel() {
        guard !isOver else { return }
        isOver = true
        watch?.cancel()
        guard !key.isEmpty else { return }
        store.transaction(
            TransactionRequest(success: [.deleteRange(DeleteRangeRequest(.key(key)))])
        ) { _ in }
    }

    /// Makes the key, or finds the one that this lease has already.
    private func enter() {
        key = prefix + Bytes(String(UInt64(bitPattern: lease), radix: 16).utf8)
        let request = TransactionRequest(
            compares: [Compare(.key(key), .equal, .createRevision(0))],
            success: [.put(PutRequest(key: key, value: value, lease: lease))],
            failure: [.range(RangeRequest(.key(key)))])
        store.transaction(request) { result in
            self.then(result) { self.entered($0) }
        }
    }

    private func entered(_ response: TransactionResponse) {
        revision = response.revision
        if case .range(let found)? = response.responses.first, let held = found.keyValues.first {
            revision = held.createRevision
            // A campaign that is run again may bring another value.
            guard held.value == value else { return proclaim() }
        }
        waitForOlder()
    }

    private func proclaim() {
        let request = TransactionRequest(
            compares: [Compare(.key(key), .equal, .createRevision(revision))],
            success: [.put(PutRequest(key: key, value: value, lease: lease))])
        store.transaction(request) { result in
            self.then(result) { response in
                guard response.succeeded else { return self.enter() }
                self.waitForOlder()
            }
        }
    }

    /// Looks for the key just before this one, and waits until it is gone; then looks again, since
    /// that one may have left before its own turn.
    private func waitForOlder() {
        var request = RangeRequest(.prefix(prefix), limit: 1)
        request.sortOrder = .descending
        request.sortTarget = .create
        request.maxCreateRevision = revision - 1
        store.range(request) { result in
            self.then(result) { response in
                guard let older = response.keyValues.first else { return self.confirm() }
                self.waitForDeletion(of: older.key, from: response.revision + 1)
            }
        }
    }

    private func waitForDeletion(of other: Bytes, from revision: Int64) {
        let watch = store.watch(
            WatchRequest(.key(other), startRevision: revision, excludesPuts: true))
        self.watch = watch
        next(watch)
    }

    private func next(_ watch: any WatchStream) {
        watch.next(bytesMax: 1 << 16) { result in
            self.then(result) { batch in
                guard batch.events.contains(where: { $0.kind == .delete }) else {
                    return self.next(watch)
                }
                watch.cancel()
                self.watch = nil
                self.waitForOlder()
            }
        }
    }

    /// The own lease may have ended while others were waited for.
    private func confirm() {
        store.range(RangeRequest(.key(key))) { result in
            self.then(result) { response in
                guard response.keyValues.first?.createRevision == self.revision else {
                    return self.finish(.failure(GRPCStatus(.unknown, "mutex: session is expired")))
                }
                self.finish(
                    .success(
                        Held(
                            key: self.key, lease: self.lease, createRevision: self.revision,
                            storeRevision: response.revision)))
            }
        }
    }

    private func then<Value: Sendable>(
        _ result: Result<Value, StoreError>, _ body: @escaping @Sendable (Value) -> Void
    ) {
        eventLoop.execute {
            guard !self.isOver else { return self.giveUpLateKey() }
            switch result {
            case .success(let value): body(value)
            case .failure(let error): self.finish(.failure(GRPCStatus(error)))
            }
        }
    }

    /// A key that was being made when the client left is there only now.
    private func giveUpLateKey() {
        guard revision == 0, !key.isEmpty else { return }
        revision = -1
        store.transaction(
            TransactionRequest(success: [.deleteRange(DeleteRangeRequest(.key(key)))])
        ) { _ in }
    }

    private func finish(_ result: Result<Held, GRPCStatus>) {
        isOver = true
        watch?.cancel()
        done(result)
    }
}

extension Claim {
    /// Serves a call that waits until its claim is held, and answers with what `content` makes of
    /// it. Answers what to do when the client leaves before.
    static func serve(
        _ message: Bytes, _ stream: GRPCServerStream, _ store: any Store, _ headers: HeaderSource,
        _ content: @escaping @Sendable (RecipeRequest, Held) -> RecipeResponse.Content
    ) -> (() -> Void)? {
        let request: RecipeRequest
        do throws(DecodingFailure) {
            request = try RecipeRequest(named: message)
        } catch {
            stream.finish(GRPCStatus(error))
            return nil
        }
        let claim = Claim(
            store, on: stream.eventLoop, name: request.name, lease: request.lease,
            value: request.value
        ) { result in
            switch result {
            case .success(let held):
                let header = headers.header(revision: held.storeRevision)
                stream.answer(
                    RecipeResponse(header: header, content(request, held)).protobufBytes)
            case .failure(let status): stream.finish(status)
            }
        }
        claim.begin()
        return { claim.cancel() }
    }
}
