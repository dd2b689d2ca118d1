import Basics
import Glibc
import LMDB
import Testing

/// What is told of a file before LMDB opens it: never of one in order, always of one that would
/// end the process.
@Suite struct PageFileOpeningTests {
    let directory = TemporaryDirectory()
    private var path: String { directory.path + "/data.mdb" }

    private func put(_ key: String, _ count: Int, _ write: borrowing WriteTransaction) throws {
        let table = try write.create("t")
        let value = Bytes(repeating: UInt8(truncatingIfNeeded: count), count: count)
        try unsafe Bytes(key.utf8).withUnsafeBytes { key in
            try unsafe value.withUnsafeBytes { value in
                try unsafe write.changes.put(key, value, in: table)
            }
        }
    }

    /// Keys with values of a page and more, then the same in other sizes, so that pages are free.
    private func fill(_ environment: Environment) throws {
        for round in 1...3 {
            let write = try environment.beginWrite()
            for number in 0..<40 { try put("key \(number)", 100 + number * 70 * round, write) }
            try write.commit()
        }
    }

    /// Takes pages at the end of the file and gives them back in one transaction.
    private func takeAndLeave(_ count: Int, _ write: borrowing WriteTransaction) throws {
        try put("large", count, write)
        let table = try write.create("t")
        try unsafe Bytes("large".utf8).withUnsafeBytes { key in
            _ = try unsafe write.changes.delete(key, in: table)
        }
    }

    private func damage() throws -> PageFile.Damage? {
        try PageFile(path).damageAtOpening()
    }

    /// Bytes of all values, read by LMDB.
    private func readAll() throws -> [Int] {
        var options = Environment.Options()
        options.isReadOnly = true
        let environment = try Environment(path: directory.path, options: options)
        let read = try environment.beginRead()
        let table = try #require(try unsafe read.view.open("t"))
        let cursor = try unsafe read.view.cursor(table)
        var found: [Int] = []
        var next = try unsafe cursor.first()
        while let entry = unsafe next {
            unsafe found.append(entry.value.count)
            // The last byte lies on the last page of the value.
            #expect(
                unsafe entry.value[entry.value.count - 1]
                    == UInt8(truncatingIfNeeded: entry.value.count))
            unsafe next = try cursor.next()
        }
        return found
    }

    private func set(_ value: UInt64, at offset: Int) throws {
        let file = unsafe open(path, O_WRONLY)
        try #require(file >= 0)
        defer { close(file) }
        var value = value.littleEndian
        try #require(unsafe pwrite(file, &value, 8, off_t(offset)) == 8)
    }

    /// Pages that were taken and given back at the end are never written: the file is shorter than
    /// its meta page says, and in order.
    @Test func aFileInOrderIsInOrderAfterEveryCommit() throws {
        let environment = try Environment(path: directory.path)
        #expect(try damage() == nil)
        var random = SeededRandom(seed: 1)
        var short = 0
        for _ in 0..<300 {
            let write = try environment.beginWrite()
            for _ in 0..<random.below(20) {
                try put("key \(random.below(200))", 100 + random.below(6000), write)
            }
            if random.chance(1, in: 3) { try takeAndLeave(5000 + random.below(400_000), write) }
            try write.commit()
            let file = try PageFile(path)
            let last = try #require(file.metas().metas.first?.lastPage)
            if file.fileBytes < (last + 1) * 4096 { short += 1 }
            #expect(file.damageAtOpening() == nil)
        }
        #expect(short > 10)
    }

    @Test func aFileCutAnywhereIsDamagedOrWhole() throws {
        do {
            let environment = try Environment(path: directory.path)
            try fill(environment)
            let write = try environment.beginWrite()
            try takeAndLeave(300_000, write)
            try write.commit()
        }
        let whole = try readAll()
        var pages = Int(try PageFile(path).fileBytes / 4096)
        var damaged = 0
        while pages > 1 {
            pages -= 1
            try #require(unsafe truncate(path, off_t(pages * 4096 - pages % 3)) == 0)
            if try damage() == nil {
                #expect(try readAll() == whole)
            } else {
                damaged += 1
            }
        }
        #expect(damaged > 100)
    }

    /// Bytes of the newest meta page that send LMDB astray.
    @Test(
        arguments: [
            ("last page too low", 136, 3), ("last page too high", 136, 1 << 20),
            ("another transaction", 144, 1000), ("root of the tables", 128, 1 << 20),
            ("root of the tables is another's page", 128, 1), ("root of free pages", 80, 1 << 20),
            ("page size", 40, 8192), ("flags", 8, 0),
        ] as [(String, Int, UInt64)])
    func aMetaPageThatLies(what: String, offset: Int, value: UInt64) throws {
        try fill(try Environment(path: directory.path))
        let newest = try #require(try PageFile(path).metas().metas.first).transaction & 1
        try set(value, at: Int(newest) * 4096 + offset)
        #expect(try damage() != nil, "\(what)")
    }
}
