import Basics
import Glibc
import LMDB
import Testing

/// A directory in memory that goes when it is no longer used.
final class TemporaryDirectory {
    let path: String

    init() {
        var template = Array("/dev/shm/martlet-lmdb-XXXXXX".utf8CString)
        path = unsafe template.withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress, unsafe mkdtemp(base) != nil else {
                preconditionFailure("mkdtemp: \(errno)")
            }
            return unsafe String(cString: base)
        }
    }

    deinit {
        for name in ["data.mdb", "lock.mdb"] { unsafe unlink(path + "/" + name) }
        unsafe rmdir(path)
    }
}

private func put(
    _ key: String, _ value: String, _ transaction: borrowing WriteTransaction, _ table: Database
) throws {
    try unsafe Bytes(key.utf8).withUnsafeBytes { key in
        try unsafe Bytes(value.utf8).withUnsafeBytes { value in
            try unsafe transaction.changes.put(key, value, in: table)
        }
    }
}

private func get(_ key: String, _ view: TransactionView, _ table: Database) throws -> String? {
    try unsafe Bytes(key.utf8).withUnsafeBytes { key in
        try unsafe view.get(key, in: table).map { unsafe String(decoding: $0, as: UTF8.self) }
    }
}

private func key(_ entry: Cursor.Entry?) -> String? {
    unsafe entry.map { unsafe String(decoding: $0.key, as: UTF8.self) }
}

private func seek(_ cursor: borrowing Cursor, atLeast bound: String) throws -> String? {
    let bytes = Bytes(bound.utf8)
    return try unsafe bytes.withUnsafeBytes { unsafe key(try cursor.seek(atLeast: $0)) }
}

private func seek(_ cursor: borrowing Cursor, below bound: String) throws -> String? {
    let bytes = Bytes(bound.utf8)
    return try unsafe bytes.withUnsafeBytes { unsafe key(try cursor.seek(below: $0)) }
}

@Suite struct LMDBTests {
    let directory = TemporaryDirectory()

    @Test func whatIsCommittedIsReadAndWhatIsAbortedIsNot() throws {
        let environment = try Environment(path: directory.path)
        let first = try environment.beginWrite()
        let table = try first.create("t")
        try put("a", "1", first, table)
        try first.commit()
        do {
            let second = try environment.beginWrite()
            try put("a", "2", second, table)
            #expect(try unsafe get("a", second.view, table) == "2")
        }
        let read = try environment.beginRead()
        #expect(try unsafe get("a", read.view, table) == "1")
        #expect(try unsafe get("b", read.view, table) == nil)
    }

    @Test func aReadTransactionKeepsItsSnapshotUntilItIsRenewed() throws {
        let environment = try Environment(path: directory.path)
        let first = try environment.beginWrite()
        let table = try first.create("t")
        try put("a", "1", first, table)
        try first.commit()
        let read = try environment.beginRead()
        let second = try environment.beginWrite()
        try put("a", "2", second, table)
        try second.commit()
        #expect(try unsafe get("a", read.view, table) == "1")
        read.reset()
        try read.renew()
        #expect(try unsafe get("a", read.view, table) == "2")
    }

    @Test func cursorsWalkAndSeekInOrder() throws {
        let environment = try Environment(path: directory.path)
        let write = try environment.beginWrite()
        let table = try write.create("t")
        for key in ["b", "d", "a", "c"] { try put(key, key + key, write, table) }
        try write.commit()
        let read = try environment.beginRead()
        let cursor = try unsafe read.view.cursor(table)
        var seen = ""
        var next = try unsafe cursor.first()
        while let entry = unsafe next {
            seen += unsafe String(decoding: entry.value, as: UTF8.self)
            unsafe next = try cursor.next()
        }
        #expect(seen == "aabbccdd")
        let atLeast = try unsafe [seek(cursor, atLeast: "bb"), seek(cursor, atLeast: "z")]
        #expect(atLeast == ["c", nil])
        let below = try ["bb", "a", "z"].map { try unsafe seek(cursor, below: $0) }
        #expect(below == ["b", nil, "d"])
    }

    @Test func appendRefusesKeysThatDoNotAscend() throws {
        let environment = try Environment(path: directory.path)
        let write = try environment.beginWrite()
        let table = try write.create("t")
        for key: UInt8 in [1, 3] {
            try unsafe [key].withUnsafeBytes { raw in
                let room = try unsafe write.changes.append(raw, count: 2, in: table)
                unsafe room.copyBytes(from: [key, key])
            }
        }
        var refused = false
        do {
            try unsafe [UInt8(2)].withUnsafeBytes { raw in
                _ = try unsafe write.changes.append(raw, count: 2, in: table)
            }
        } catch is LMDBError {
            refused = true
        }
        #expect(refused)
    }

    @Test func errorsSayWhatWasBeingDone() throws {
        let error = #expect(throws: LMDBError.self) {
            _ = try Environment(path: directory.path + "/absent")
        }
        #expect(error?.code == ENOENT)
        #expect(error?.description.contains("/absent: No such file") == true)
    }

    @Test func aFullMapIsAnErrorAndKeepsWhatWasThere() throws {
        var options = Environment.Options()
        options.mapBytes = 1 << 20
        let environment = try Environment(path: directory.path, options: options)
        let first = try environment.beginWrite()
        let table = try first.create("t")
        try put("a", "1", first, table)
        try first.commit()
        let error = #expect(throws: LMDBError.self) {
            let second = try environment.beginWrite()
            for number in 0..<2000 {
                try put("k\(number)", String(repeating: "x", count: 1000), second, table)
            }
            try second.commit()
        }
        #expect(error?.isMapFull == true)
        let read = try environment.beginRead()
        #expect(try unsafe get("a", read.view, table) == "1")
        let usage = try environment.usage(of: [table])
        #expect(usage.bytesInUse > 0)
        #expect(usage.bytesInUse <= usage.fileBytes)
    }
}
