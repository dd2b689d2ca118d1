import Basics
import Glibc
import Keyspace
import LMDB
import TestSupport
import Testing

/// What becomes of a file with damage that no checksum of a record can tell.
@Suite struct DamageTests {
    /// A damaged LMDB page may end the process; the second time the file is not opened again.
    @Test func crashesInsideTheFileAreCounted() async throws {
        let fixture = try Fixture()
        for number in 0..<200 { try fixture.put("k\(number)", "value \(number)") }
        fixture.keyspace.stop()
        try BootMark.markRunning(directory: fixture.path)
        let path = fixture.path
        #expect(try BootMark.verdict(directory: path) == .trusted)
        for _ in 0..<2 {
            await #expect(processExitsWith: .signal(SIGSEGV)) { [path = path as String] in
                var options = Keyspace.Options()
                options.mapBytes = 1 << 30
                options.countsCrashes = true
                let keyspace = try Keyspace.open(directory: path, options: options)
                unsafe UnsafeMutablePointer<UInt8>(bitPattern: 8)?.pointee = 1
                keyspace.stop()
            }
        }
        #expect(
            try BootMark.verdict(directory: path)
                == .damaged("the process crashed 2 times with the file open"))
        try BootMark.markClean(directory: path)
        #expect(try BootMark.verdict(directory: path) == .trusted)
    }

    /// LMDB would end the process with a bus error.
    @Test func aFileThatIsCutShortIsFoundWhenItIsOpened() throws {
        let fixture = try Fixture()
        for number in 0..<200 { try fixture.put("k\(number)", "value \(number)") }
        fixture.keyspace.stop()
        try #require(unsafe truncate(fixture.path + "/data.mdb", 3 * 4096) == 0)
        for open in [
            { _ = try Keyspace.open(directory: fixture.path, options: fixture.options) },
            { _ = try KeyspaceInspector(directory: fixture.path) },
        ] {
            let error = #expect(throws: KeyspaceError.self) { try open() }
            #expect(error?.code == .corrupt)
            #expect(error?.message.contains("/data.mdb at byte 12288: the file ends") == true)
        }
    }

    @Test func aKilledProcessIsNoCrash() async throws {
        let fixture = try Fixture()
        fixture.keyspace.stop()
        try BootMark.markRunning(directory: fixture.path)
        for _ in 0..<3 {
            await #expect(processExitsWith: .signal(SIGKILL)) {
                [path = fixture.path as String] in
                var options = Keyspace.Options()
                options.mapBytes = 1 << 30
                options.countsCrashes = true
                let keyspace = try Keyspace.open(directory: path, options: options)
                kill(getpid(), SIGKILL)
                keyspace.stop()
            }
        }
        #expect(try BootMark.verdict(directory: fixture.path) == .trusted)
    }

    @Test func theMarkKeepsTheReason() throws {
        let fixture = try Fixture()
        try BootMark.markDamaged(directory: fixture.path, "table records,\nrevision 7")
        #expect(
            try BootMark.verdict(directory: fixture.path)
                == .damaged("table records, revision 7"))
    }

    @Test(arguments: [0, 16, 20, 4096, 4096 + 16])
    func aDamagedMetaPageIsDamageNotANewerFormat(offset: Int) throws {
        let fixture = try Fixture()
        try fixture.put("a", "1")
        fixture.keyspace.stop()
        var bytes = try fixture.directory.read("keyspace/data.mdb")
        for page in [0, 4096] { bytes[page + offset % 4096 + 1] ^= 0x55 }
        try fixture.directory.write("keyspace/data.mdb", bytes)
        do throws(KeyspaceError) {
            _ = try Keyspace.open(directory: fixture.path, options: fixture.options)
        } catch {
            #expect(error.code == .corrupt)
        }
    }

    /// Under a right checksum there is a record whose commit ends behind the last revision.
    @Test func aCommitWithoutAnEndIsDamage() throws {
        let fixture = try Fixture()
        try fixture.put("a", "1")
        fixture.keyspace.stop()
        let key: Bytes = [0x7f] + Bytes(repeating: 0xff, count: 7) + Bytes(repeating: 0, count: 8)
        // Flags, a key of one byte, one revision that follows; all else is 0.
        let fields: Bytes = [0, 0, 1, 0, 1, 0, 0, 0] + Bytes(repeating: 0, count: 44)
        let rest: Bytes = fields + Bytes("k".utf8)
        var value = ByteWriter(reserving: 57)
        value.writeLittleEndian(CRC32C.checksum(rest, continuing: CRC32C.checksum(key)))
        value.write(rest)
        try Self.put(key, value.bytes, in: "records", of: fixture.path)
        try fixture.reopen()
        let listener = Listener(fixture.keyspace.watch(WatchRequest(.all, startRevision: 2)))
        listener.pull()
        #expect(listener.text.contains("table records, revision 9223372036854775807.0, chunk 0"))
    }

    private static func put(
        _ key: Bytes, _ value: Bytes, in name: String, of path: String
    ) throws {
        var options = Environment.Options()
        options.mapBytes = 1 << 30
        let environment = try Environment(path: path, options: options)
        let transaction = try environment.beginWrite()
        let table = try transaction.create(name)
        try unsafe key.withUnsafeBytes { key in
            try unsafe value.withUnsafeBytes { value in
                unsafe try transaction.changes.put(key, value, in: table)
            }
        }
        try transaction.commit()
    }

    /// Every byte of every table's entries is under a checksum that binds the table's key.
    @Test func everyFlippedByteIsFoundOrHarmless() throws {
        let fixture = try Fixture()
        let blob = Bytes("a blob in the meta table".utf8)
        try fixture.apply(.leaseGrant(id: 77, ttlSeconds: 60))
        try fixture.put("the-key", String(repeating: "value", count: 600), lease: 77)
        try fixture.keyspace.setMeta("name", blob)
        let long = String(repeating: "long", count: 700)
        try fixture.put(long, "2")
        fixture.keyspace.stop()
        let bytes = try fixture.directory.read("keyspace/data.mdb")
        let needles = ["valueval", "the-key", "a blob in", "longlong"].map { Bytes($0.utf8) }
        var tried = 0
        for needle in needles {
            let places = (0..<(bytes.count - needle.count)).filter {
                bytes[$0] == needle[0] && bytes[$0...].starts(with: needle)
            }
            #expect(!places.isEmpty)
            var altered = bytes
            for place in places { altered[place + 5] ^= 1 }
            try fixture.directory.write("keyspace/data.mdb", altered)
            tried += 1
            let keyspace: Keyspace
            do throws(KeyspaceError) {
                keyspace = try Keyspace.open(directory: fixture.path, options: fixture.options)
            } catch {
                #expect(error.code == .corrupt)
                continue
            }
            defer { keyspace.stop() }
            var failed = false
            for key in ["the-key", long] {
                let request = RangeRequest(.key(key))
                switch keyspace.range(request) {
                case .success(let response):
                    let found = try #require(response.keyValues.first, "\(string(needle)) hides it")
                    #expect(string(found.key) == key)
                    #expect(string(found.value).allSatisfy { "value2".contains($0) })
                case .failure: failed = true
                }
            }
            if case .failure = keyspace.range(RangeRequest(.all)) { failed = true }
            if case .failure = keyspace.lease(77, keys: true) { failed = true }
            do { if try keyspace.meta("name") != blob { failed = true } } catch { failed = true }
            #expect(failed, "\(string(needle)) was not missed")
        }
        #expect(tried == needles.count)
    }
}
