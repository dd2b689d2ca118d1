package import Basics
package import Keyspace

/// One call of a client and what came of it, as the client saw it.
package struct LoadOperation: Sendable {
    package enum Call: Sendable {
        /// Puts `mark` under a key of the client's own too, so that its revision can be found.
        case write(TransactionRequest, mark: Bytes)
        /// A linearizable read, at the newest or at an older revision.
        case read(RangeRequest)
        case compact(Int64)
        /// Of an id that nobody else asks for.
        case grant(Int64, seconds: Int64)
        case keepAlive(Int64)
        case timeToLive(Int64)
        case revoke(Int64)
        /// A watcher of everything that takes one batch.
        case watch(from: Int64)
    }

    package enum Answer: Sendable {
        /// Nothing was heard, or nothing that says whether it took effect.
        case unknown
        /// Of a write or a read: a digest (`ResultDigest`).
        case digest(UInt64, revision: Int64)
        /// Of a compaction or a revoke.
        case revision(Int64)
        case lease(LeaseStatus)
        case watched(WatchSighting)
        /// It had no effect, and will have none.
        case refused(StoreError)
    }

    package struct Moment: Sendable {
        /// In the order of calls and answers of all clients.
        package var position: Int
        package var microseconds: UInt64

        package static let never = Moment(position: .max, microseconds: .max)

        package init(position: Int, microseconds: UInt64) {
            self.position = position
            self.microseconds = microseconds
        }
    }

    package var name: String
    package var call: Call
    package var answer: Answer
    package var called: Moment
    /// `never` where the answer is unknown.
    package var returned: Moment

    package init(
        _ name: String, _ call: Call, _ answer: Answer, called: Moment, returned: Moment
    ) {
        self.name = name
        self.call = call
        self.answer = answer
        self.called = called
        self.returned = returned
    }

    package var isWrite: Bool {
        if case .write = call { true } else { false }
    }

    /// The store's revision, where the answer tells it.
    package var revision: Int64? {
        switch answer {
        case .digest(_, let revision), .revision(let revision): revision
        case .unknown, .lease, .watched, .refused: nil
        }
    }

    /// The lease that a write would hang keys on.
    var lease: Int64? {
        guard case .write(let request, _) = call else { return nil }
        for case .put(let put) in request.success + request.failure where put.lease != 0 {
            return put.lease
        }
        return nil
    }
}
