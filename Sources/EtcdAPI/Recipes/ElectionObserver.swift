import Basics
import EtcdMessages
import HTTP
import Keyspace
import NIOCore
import Store

/// Tells a client who leads, whenever that or the leader's value changes. As etcd's `Observe`,
/// it may pass over leaders that came and went while the client was slow.
final class ElectionObserver: @unchecked Sendable {
    // Sendable because all state belongs to the stream's event loop.
    private let store: any Store
    private let headers: HeaderSource
    private let stream: GRPCServerStream
    private let name: Bytes
    /// Modification of the leader's key that the client was told last.
    private var toldRevision: Int64 = 0
    private var watch: (any WatchStream)?
    private var isOver = false

    init(
        _ store: any Store, _ headers: HeaderSource, _ stream: GRPCServerStream, name: Bytes
    ) {
        self.store = store
        self.headers = headers
        self.stream = stream
        self.name = name
    }

    func begin() { look() }

    func cancel() {
        isOver = true
        watch?.cancel()
    }

    private func look() {
        store.range(.oldest(under: name)) { result in
            self.then(result) { self.tell($0) }
        }
    }

    private func tell(_ response: RangeResponse) {
        if let leader = response.keyValues.first, leader.modRevision != toldRevision {
            toldRevision = leader.modRevision
            let header = headers.header(revision: response.revision)
            stream.send(RecipeResponse(header: header, .keyValue(leader)).protobufBytes)
        }
        guard stream.isWritable else {
            return stream.whenWritable { if !self.isOver { self.look() } }
        }
        waitForChange(after: response.revision)
    }

    /// Any change under the name may make another leader.
    private func waitForChange(after revision: Int64) {
        let watch = store.watch(
            WatchRequest(
                .prefix(name + [UInt8(ascii: "/")]), startRevision: revision + 1))
        self.watch = watch
        next(watch)
    }

    private func next(_ watch: any WatchStream) {
        watch.next(bytesMax: 1 << 16) { result in
            self.then(result) { batch in
                guard !batch.events.isEmpty else { return self.next(watch) }
                watch.cancel()
                self.look()
            }
        }
    }

    private func then<Value: Sendable>(
        _ result: Result<Value, StoreError>, _ body: @escaping @Sendable (Value) -> Void
    ) {
        stream.eventLoop.execute {
            guard !self.isOver else { return }
            switch result {
            case .success(let value): body(value)
            case .failure(let error):
                self.isOver = true
                self.stream.finish(GRPCStatus(error))
            }
        }
    }
}
