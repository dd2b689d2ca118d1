package import Basics
package import Keyspace

/// Reads the pieces of a range ahead of the client: while it takes a piece, the next ones are
/// read, at the same time but for where they begin. Pieces that wait for the client count as
/// memory of answers; where that is short, nothing is read ahead.
///
/// Whoever waits for the client or for a piece holds this object; it goes when all have ended.
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

    /// A piece that is read or waits for the client.
    private struct Slot {
        var piece: Piece?
        /// Of the piece.
        var share: BudgetShare?
    }

    private struct State {
        /// In order.
        var slots: [Slot] = []
        /// The number of the first slot: how many pieces were handed on.
        var handedOn = 0
        /// Where the last slot's piece ends is not known yet.
        var isLocating = false
        var isWritable = true
        var isOver = false

        /// The number of a piece that may be read now.
        mutating func begin(isMemoryShort: Bool) -> Int? {
            guard !isOver, !isLocating else { return nil }
            let hasRoom =
                isMemoryShort ? slots.isEmpty && isWritable : slots.count < PieceFlow.piecesMax
            guard hasRoom else { return nil }
            isLocating = true
            slots.append(Slot())
            return handedOn + slots.count - 1
        }

        /// The next piece, when it is read and the client can take it.
        mutating func takeReady() -> Piece? {
            guard isWritable, let piece = slots.first?.piece else { return nil }
            slots.removeFirst()
            handedOn += 1
            isWritable = false
            return piece
        }
    }

    /// With what stands before it in a message a piece fits a buffer of 256 KiB: buffers have
    /// powers of two.
    private static let pieceBytes = 256 * 1024 - 32
    /// Of one answer, under way at a time: one for each thread that reads, and one that waits for
    /// the client.
    private static let piecesMax = 3

    private let pieces: any RangePieces
    private let sink: any Sink
    private let state = Locked(State())

    package static func start(_ pieces: any RangePieces, into sink: any Sink) {
        PieceFlow(pieces, sink).readOn()
    }

    private init(_ pieces: any RangePieces, _ sink: any Sink) {
        self.pieces = pieces
        self.sink = sink
    }

    private func readOn() {
        let isMemoryShort = sink.budget?.isExhausted ?? false
        let number = state.withLock { $0.begin(isMemoryShort: isMemoryShort) }
        guard let number else { return }
        let located: @Sendable () -> Void = { self.join { $0.isLocating = false } }
        pieces.next(bytesMax: Self.pieceBytes, located: located) { result in
            let count = (try? result.get())?.count ?? 0
            let share = self.sink.budget.map { BudgetShare(count, of: $0) }
            self.join { $0.slots[number - $0.handedOn] = Slot(piece: result, share: share) }
        }
    }

    /// Hands a piece on when it is read and the client can take it, whichever comes last, and reads
    /// on where there is room.
    private func join(_ change: (inout State) -> Void) {
        let ready = state.withLock { state -> Piece? in
            change(&state)
            return state.takeReady()
        }
        if let ready {
            guard sink.take(ready) else { return state.withLock { $0.isOver = true } }
            sink.whenWritable { self.join { $0.isWritable = true } }
        }
        readOn()
    }
}
