import Basics
import EtcdAPI
import Keyspace
import Testing

/// Pieces of a range on their way to a client that takes them one by one.
@Suite struct PieceFlowTests {
    private static let summary = RangeSummary(revision: 1, more: false, count: 0, bytes: 0)

    /// Answers at once, and counts how often it was asked.
    private final class Pieces: RangePieces {
        let summary = PieceFlowTests.summary
        let asked = Locked(0)
        let count: Int
        init(_ count: Int) { self.count = count }

        func next(
            bytesMax: Int, located: @escaping @Sendable () -> Void,
            _ done: @escaping @Sendable (Result<Bytes, StoreError>) -> Void
        ) {
            let number = asked.withLock { asked in
                asked += 1
                return asked
            }
            guard number <= count else { return done(.success([])) }
            located()
            done(.success([UInt8(number)]))
        }
    }

    /// Locates and answers when the test says so. Pieces have numbers from 1 on.
    private final class SlowPieces: RangePieces {
        private struct Asked: Sendable {
            let located: @Sendable () -> Void
            let done: @Sendable (Result<Bytes, StoreError>) -> Void
        }

        let summary = PieceFlowTests.summary
        private let waiting = Locked<[Asked?]>([])

        /// How often it was asked.
        var asked: Int { waiting.withLock { $0.count } }

        func next(
            bytesMax: Int, located: @escaping @Sendable () -> Void,
            _ done: @escaping @Sendable (Result<Bytes, StoreError>) -> Void
        ) {
            waiting.withLock { $0.append(Asked(located: located, done: done)) }
        }

        func locate(_ number: Int) {
            let asked = waiting.withLock { $0[number - 1] }
            asked?.located()
        }

        /// Answers with the number, or with something else. Nobody is known any more then.
        func answer(_ number: Int, _ other: PieceFlow.Piece? = nil) {
            let asked = waiting.withLock { waiting in
                let asked = waiting[number - 1]
                waiting[number - 1] = nil
                return asked
            }
            asked?.done(other ?? .success([UInt8(number)]))
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

    @Test func `Pieces are read ahead, counted, and none is lost`() {
        let (pieces, client) = (Pieces(4), Client(MemoryBudget(limitBytes: 100)))
        PieceFlow.start(pieces, into: client)
        #expect(client.taken.withLock { $0 } == [[1]])
        #expect(pieces.asked.withLock { $0 } == 4)
        #expect(client.budget?.usedBytes == 3)
        client.proceed()
        #expect(client.taken.withLock { $0 } == [[1], [2]])
        #expect(pieces.asked.withLock { $0 } == 5)
        client.proceed()
        client.proceed()
        client.proceed()
        #expect(client.taken.withLock { $0 } == [[1], [2], [3], [4], []])
        #expect(pieces.asked.withLock { $0 } == 5)
        #expect(client.budget?.usedBytes == 0)
    }

    @Test func `Three pieces are under way at most, and come in order`() {
        let (pieces, client) = (SlowPieces(), Client(MemoryBudget(limitBytes: 100)))
        PieceFlow.start(pieces, into: client)
        #expect(pieces.asked == 1, "asked for before it is known where it begins")
        pieces.locate(1)
        #expect(pieces.asked == 2)
        pieces.locate(2)
        #expect(pieces.asked == 3)
        pieces.locate(3)
        #expect(pieces.asked == 3)
        pieces.answer(2)
        #expect(client.taken.withLock { $0 }.isEmpty)
        #expect(client.budget?.usedBytes == 1)
        #expect(pieces.asked == 3)
        pieces.answer(1)
        #expect(client.taken.withLock { $0 } == [[1]])
        #expect(pieces.asked == 4)
        pieces.answer(3)
        #expect(pieces.asked == 4)
        client.proceed()
        #expect(client.taken.withLock { $0 } == [[1], [2]])
        pieces.answer(4, .success([]))
        client.proceed()
        client.proceed()
        #expect(client.taken.withLock { $0 } == [[1], [2], [3], []])
        #expect(pieces.asked == 4)
    }

    @Test func `After a piece that failed nothing comes`() {
        let (pieces, client) = (SlowPieces(), Client(MemoryBudget(limitBytes: 100)))
        PieceFlow.start(pieces, into: client)
        pieces.locate(1)
        pieces.answer(1, .failure(.stopped))
        pieces.locate(2)
        pieces.answer(2)
        client.proceed()
        #expect(client.taken.withLock { $0 }.isEmpty)
        #expect(pieces.asked == 2)
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
        #expect(client.budget?.usedBytes == 2)
        client.proceed(false)
        #expect(client.budget?.usedBytes == 0)
    }

    @Test func `Who goes while a piece is read lets go of it`() {
        let (pieces, client) = (SlowPieces(), Client(MemoryBudget(limitBytes: 100)))
        PieceFlow.start(pieces, into: client)
        pieces.locate(1)
        pieces.answer(1)
        client.proceed(false)
        pieces.answer(2)
        #expect(client.taken.withLock { $0 } == [[1]])
        #expect(client.budget?.usedBytes == 0)
    }
}
