package import Basics
package import Keyspace

/// Reads the pieces of a range one ahead of the client: while it takes a piece, the next is read.
/// A piece that waits for the client counts as memory of answers; where that is short, nothing is
/// read ahead.
///
/// Whoever waits for the client or for a piece holds this object; it goes when both have ended.
package final class PieceFlow: Sendable {
    /// Encoded keys, none at the end.
    package typealias Piece = Result<Bytes, StoreError>

    /// Who gets the pieces, in order; one call at a time, on any thread.
    package protocol Sink: Sendable {
        var budget: MemoryBudget? { get }
        /// False to get no more.
        func take(_ piece: Piece) -> Bool
        /// Calls back once, when the client has taken most of what was sent.
        func whenWritable(_ callback: @escaping @Sendable () -> Void)
    }

    private struct State {
        var piece: Piece?
        /// Of the piece.
        var share: BudgetShare?
        var isWritable: Bool
    }

    private static let pieceBytes = 256 * 1024

    private let pieces: any RangePieces
    private let sink: any Sink
    private let state = Locked(State(isWritable: true))

    package static func start(_ pieces: any RangePieces, into sink: any Sink) {
        PieceFlow(pieces, sink).readOn()
    }

    private init(_ pieces: any RangePieces, _ sink: any Sink) {
        self.pieces = pieces
        self.sink = sink
    }

    private func readOn() {
        pieces.next(bytesMax: Self.pieceBytes) { result in
            let count = (try? result.get())?.count ?? 0
            let share = self.sink.budget.map { BudgetShare(count, of: $0) }
            self.join { ($0.piece, $0.share) = (result, share) }
        }
    }

    /// Hands a piece on when it is read and the client can take it, whichever comes last.
    private func join(_ change: (inout State) -> Void) {
        let ready = state.withLock { state -> Piece? in
            change(&state)
            guard state.isWritable, let piece = state.piece else { return nil }
            state = State(isWritable: false)
            return piece
        }
        guard let ready, sink.take(ready) else { return }
        let readsAhead = !(sink.budget?.isExhausted ?? false)
        sink.whenWritable {
            self.join { $0.isWritable = true }
            if !readsAhead { self.readOn() }
        }
        if readsAhead { readOn() }
    }
}
