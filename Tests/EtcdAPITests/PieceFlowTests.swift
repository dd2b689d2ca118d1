import Basics
import EtcdAPI
import Keyspace
import Testing

/// Pieces of a range on their way to a client that takes them one by one.
@Suite struct PieceFlowTests {
    /// Answers at once, and counts how often it was asked.
    private final class Pieces: RangePieces {
        let summary = RangeSummary(revision: 1, more: false, count: 0, bytes: 0)
        let asked = Locked(0)
        let count: Int
        init(_ count: Int) { self.count = count }

        func next(bytesMax: Int, _ done: @escaping @Sendable (Result<Bytes, StoreError>) -> Void) {
            let number = asked.withLock { asked in
                asked += 1
                return asked
            }
            done(.success(number > count ? [] : [UInt8(number)]))
        }
    }

    private final class Client: PieceFlow.Sink {
        let budget: MemoryBudget?
        let taken = Locked<[Bytes]>([])
        private let waiting = Locked<(@Sendable () -> Void)?>(nil)
        init(_ budget: MemoryBudget) { self.budget = budget }

        func take(_ piece: PieceFlow.Piece) -> Bool {
            guard let part = try? piece.get() else { return false }
            taken.withLock { $0.append(part) }
            return !part.isEmpty
        }

        func whenWritable(_ callback: @escaping @Sendable () -> Void) {
            waiting.withLock { $0 = callback }
        }

        /// The client has taken what was sent, or, with false, is gone.
        func proceed(_ isThere: Bool = true) {
            let callback = waiting.withLock { waiting in
                defer { waiting = nil }
                return waiting
            }
            if isThere { callback?() }
        }
    }

    @Test func `One piece is read ahead, counted, and none is lost`() {
        let (pieces, client) = (Pieces(3), Client(MemoryBudget(limitBytes: 100)))
        PieceFlow.start(pieces, into: client)
        #expect(client.taken.withLock { $0 } == [[1]])
        #expect(pieces.asked.withLock { $0 } == 2)
        #expect(client.budget?.usedBytes == 1)
        client.proceed()
        #expect(client.taken.withLock { $0 } == [[1], [2]])
        #expect(pieces.asked.withLock { $0 } == 3)
        client.proceed()
        client.proceed()
        #expect(client.taken.withLock { $0 } == [[1], [2], [3], []])
        #expect(client.budget?.usedBytes == 0)
    }

    @Test func `Without memory to spare nothing is read ahead`() {
        let (pieces, client) = (Pieces(2), Client(MemoryBudget(limitBytes: 100)))
        client.budget?.take(101)
        PieceFlow.start(pieces, into: client)
        #expect(pieces.asked.withLock { $0 } == 1)
        client.proceed()
        #expect(client.taken.withLock { $0 } == [[1], [2]])
        client.budget?.give(101)
        client.proceed()
        #expect(client.taken.withLock { $0 } == [[1], [2], []])
    }

    @Test func `Who goes lets go of what was read`() {
        let client = Client(MemoryBudget(limitBytes: 100))
        PieceFlow.start(Pieces(3), into: client)
        #expect(client.budget?.usedBytes == 1)
        client.proceed(false)
        #expect(client.budget?.usedBytes == 0)
    }
}
