import Basics
import Keyspace
import Replica

/// A range in pieces, each read on a reading thread, in turn with what others want to read.
final class LocalRange: RangePieces {
    private let pieces: any RangePieces
    private let replica: Replica

    init(_ pieces: any RangePieces, _ replica: Replica) {
        self.pieces = pieces
        self.replica = replica
    }

    var summary: RangeSummary { pieces.summary }

    func next(
        bytesMax: Int, located: @escaping @Sendable () -> Void,
        _ done: @escaping @Sendable (Result<Bytes, StoreError>) -> Void
    ) {
        let pieces = pieces
        // A state that was replaced since refuses by itself.
        replica.readLocally { result in
            if case .failure(let error) = result { return done(.failure(error)) }
            pieces.next(bytesMax: bytesMax, located: located, done)
        }
    }
}
