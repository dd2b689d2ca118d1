import Basics
import Keyspace
import TestSupport
import Testing

@Suite struct SnapshotTests {
    let fixture: Fixture
    let file: String

    init() throws {
        fixture = try Fixture()
        file = fixture.directory.path + "/s"
        try fixture.apply(.membership([9, 8]))
        try fixture.apply(.leaseGrant(id: 4, ttlSeconds: 50))
        for number in 0..<30 {
            try fixture.put("k\(number % 7)", String(repeating: "v\(number)", count: 400))
        }
        try fixture.put("leased", "1", lease: 4)
        _ = try fixture.compact(20)
    }

    @Test func aRestoredKeyspaceIsTheSame() throws {
        let header = try SnapshotFile.save(fixture.keyspace.snapshot(clusterID: 5), to: file)
        #expect(header.clusterID == 5)
        #expect(header.membership == [9, 8])
        #expect(header.index == fixture.keyspace.appliedIndex)
        // What comes later is not in it.
        let after = try fixture.put("later", "1")
        #expect(try SnapshotFile.verify(file) == header)
        let target = fixture.directory.path + "/restored"
        #expect(try SnapshotFile.restore(file, into: target) == header)
        #expect(try BootMark.isTrusted(directory: target))
        let restored = try Keyspace.open(directory: target)
        defer { restored.stop() }
        #expect(restored.revision == after - 1)
        for revision in Int64(20)...(after - 1) {
            let request = RangeRequest(.all, revision: revision)
            var expected = try fixture.keyspace.range(request).get()
            expected.revision -= 1
            #expect(try restored.range(request).get() == expected)
        }
        #expect(try restored.lease(4, keys: true).get().keys == [Bytes("leased".utf8)])
        #expect(try restored.meta(Keyspace.membershipName) == [9, 8])
    }

    /// Chunks of what does not compress are stored as they are.
    @Test func valuesThatDoNotCompressComeBack() throws {
        var random = SeededRandom(seed: 3)
        let values = (0..<40).map { _ in (0..<2_000).map { _ in UInt8(random.below(256)) } }
        for (number, value) in values.enumerated() {
            let put = PutRequest(key: Bytes("r\(number)".utf8), value: value)
            try fixture.transaction(TransactionRequest(success: [.put(put)]))
        }
        try SnapshotFile.save(fixture.keyspace.snapshot(clusterID: 5), to: file)
        #expect(try fixture.directory.read("s").count > 40 * 2_000)
        let target = fixture.directory.path + "/restored"
        try SnapshotFile.restore(file, into: target)
        let restored = try Keyspace.open(directory: target)
        defer { restored.stop() }
        for (number, value) in values.enumerated() {
            let found = try restored.range(RangeRequest(.key("r\(number)"))).get()
            #expect(found.keyValues.map(\.value) == [value])
        }
    }

    @Test func truncatedAndAlteredFilesAreRefusedBeforeAnythingIsWritten() throws {
        try SnapshotFile.save(fixture.keyspace.snapshot(clusterID: 5), to: file)
        let whole = try fixture.directory.read("s")
        var random = SeededRandom(seed: 1)
        func refuses(_ bytes: Bytes, _ what: String) throws {
            try fixture.directory.write("bad", bytes)
            let target = fixture.directory.path + "/restored"
            let error = #expect(throws: KeyspaceError.self, "\(what)") {
                try SnapshotFile.restore(fixture.directory.path + "/bad", into: target)
            }
            #expect(error?.message.contains("/bad") == true || error?.code == .corrupt)
            #expect(TemporaryDirectory.entries(fixture.directory.path) == ["bad", "keyspace", "s"])
        }
        for count in [0, 5, 16, 40, 100, whole.count - 29, whole.count - 1] {
            try refuses(Bytes(whole[..<count]), "cut to \(count)")
        }
        try refuses(whole + [0], "one byte more")
        for _ in 0..<300 {
            var bytes = whole
            let at = random.below(bytes.count)
            bytes[at] ^= 1 << UInt8(random.below(8))
            try refuses(bytes, "bit at \(at)")
        }
    }

    @Test func aDirectoryThatIsNotEmptyIsRefused() throws {
        try SnapshotFile.save(fixture.keyspace.snapshot(clusterID: 5), to: file)
        let error = #expect(throws: KeyspaceError.self) {
            try SnapshotFile.restore(file, into: fixture.path)
        }
        #expect(error?.code == .notEmpty)
    }
}

@Suite struct DirectoryTests {
    @Test func aChangedRecordIsDetectedAndNeverReturned() throws {
        let fixture = try Fixture()
        let marker = String(repeating: "needle-in-the-page", count: 200)
        try fixture.put("a", marker)
        try fixture.put("b", "fine")
        fixture.keyspace.stop()
        var bytes = try fixture.directory.read("keyspace/data.mdb")
        let needle = Bytes("needle-in-the-page".utf8)
        // Older copies of the page may lie about too.
        let places = (0..<(bytes.count - needle.count)).filter {
            bytes[$0] == needle[0] && bytes[$0...].starts(with: needle)
        }
        #expect(!places.isEmpty)
        for place in places { bytes[place + 3] ^= 4 }
        try fixture.directory.write("keyspace/data.mdb", bytes)
        try fixture.reopen()
        let result = fixture.keyspace.range(RangeRequest(.key("a")))
        guard case .failure(let error) = result else {
            Issue.record("damaged data was returned")
            return
        }
        #expect(error.code == .unavailable)
        #expect(error.message.contains("table records, revision 2.0, chunk 0"))
        #expect(fixture.keyspace.damage?.place?.table == "records")
        #expect(try fixture.text(.key("b")) == ["b=fine"])
        let listener = Listener(
            fixture.keyspace.watch(WatchRequest(.all, startRevision: 2)))
        listener.pull()
        #expect(listener.text.contains("replica is damaged"))
        // Damage does not spread into snapshots either.
        #expect(throws: KeyspaceError.self) {
            try SnapshotFile.save(
                fixture.keyspace.snapshot(clusterID: 1), to: fixture.directory.path + "/s")
        }
    }

    @Test func whatAKilledProcessLeavesHoldsEveryAppliedBatch() throws {
        let fixture = try Fixture()
        try fixture.directory.makeDirectory("copy")
        for number in 1...20 {
            try fixture.put("k\(number % 3)", String(repeating: "\(number)", count: 3000))
            // Nothing was synced or closed: the page cache is all there is.
            try fixture.directory.write(
                "copy/data.mdb", fixture.directory.read("keyspace/data.mdb"))
            let copy = try Keyspace.open(directory: fixture.directory.path + "/copy")
            defer { copy.stop() }
            #expect(copy.state == fixture.keyspace.state)
            #expect(
                copy.range(RangeRequest(.all)) == fixture.keyspace.range(RangeRequest(.all)))
        }
    }

    @Test func anInspectorReadsBesideTheWriter() throws {
        let fixture = try Fixture()
        for number in 0..<500 { try fixture.put("k/\(number % 100)", "\(number)") }
        try fixture.delete("k/7")
        let writer = fixture.keyspace
        // Another process would open the file in place; in this one a copy has to do.
        try fixture.directory.makeDirectory("copy")
        try fixture.directory.write(
            "copy/data.mdb", fixture.directory.read("keyspace/data.mdb"))
        let inspector = try KeyspaceInspector(directory: fixture.directory.path + "/copy")
        let summary = try inspector.summary()
        #expect(summary.state == writer.state)
        #expect(summary.keys == 99 && summary.changes == 501)
        var keys = 0
        try inspector.keys(.prefix("k/")) { _ in keys += 1 }
        #expect(keys == 99)
        var changes: [Int64] = []
        try inspector.changes(.key("k/7")) { changes.append($0.isDelete ? -1 : $0.version) }
        #expect(changes == [1, 2, 3, 4, 5, -1])
        let old = try inspector.get(Bytes("k/7".utf8), revision: 200).get()
        #expect(old?.value == Bytes("107".utf8))
    }

    @Test func compactionGivesPagesBack() throws {
        let fixture = try Fixture()
        for round in 0..<20 {
            for _ in 0..<50 { try fixture.put("hot", String(repeating: "x", count: 1500)) }
            _ = try fixture.compact(fixture.keyspace.revision)
            while try fixture.keyspace.compactStep(records: 20) {}
            #expect(fixture.keyspace.fileUsage().bytesInUse < 200_000, "round \(round)")
        }
        #expect(fixture.keyspace.fileUsage().bytes < 1_000_000)
    }

    @Test func theBootMarkTellsWhetherTheFileCanBeTrusted() throws {
        let fixture = try Fixture()
        let path = fixture.path
        try fixture.put("a", "1")
        #expect(try !BootMark.isTrusted(directory: path))
        try BootMark.markRunning(directory: path)
        #expect(try BootMark.isTrusted(directory: path))
        try fixture.directory.write("keyspace/boot", Bytes("running another-boot\n".utf8))
        #expect(try !BootMark.isTrusted(directory: path))
        try fixture.keyspace.sync()
        try BootMark.markClean(directory: path)
        #expect(try BootMark.isTrusted(directory: path))
        fixture.keyspace.stop()
        try BootMark.discard(directory: path)
        #expect(TemporaryDirectory.entries(path) == [])
        try fixture.reopen()
        #expect(fixture.keyspace.appliedIndex == 0)
    }

    @Test func metaBlobsAreKept() throws {
        let fixture = try Fixture()
        try fixture.keyspace.setMeta("member", [1, 2])
        try fixture.keyspace.setMeta("gone", [1])
        try fixture.keyspace.setMeta("gone", nil)
        try fixture.reopen()
        #expect(try fixture.keyspace.meta("member") == [1, 2])
        #expect(try fixture.keyspace.meta("gone") == nil)
    }
}

@Suite struct CommandTests {
    @Test func aStampChangesNothingButTheTime() throws {
        let command = Command.leaseGrant(id: 7, ttlSeconds: 60)
        var payload = command.encode()
        #expect(Command.milliseconds(of: payload) == 0)
        Command.stamp(&payload, milliseconds: 0x0102_0304_0506_0708)
        #expect(Command.milliseconds(of: payload) == 0x0102_0304_0506_0708)
        #expect(try Command(decoding: payload) == command)
        var empty: Bytes = []
        Command.stamp(&empty, milliseconds: 5)
        #expect(empty.isEmpty && Command.milliseconds(of: empty) == 0)
    }

    @Test func garbageIsRefusedAndNeverCrashes() throws {
        var operations = RandomOperations(random: SeededRandom(seed: 5))
        let model = Model()
        for _ in 0..<2000 {
            var bytes = operations.command(model).encode()
            if bytes.isEmpty { continue }
            if operations.random.chance(1, in: 2) {
                bytes.removeLast(1 + operations.random.below(bytes.count))
            } else {
                bytes[operations.random.below(bytes.count)] ^= UInt8(operations.random.below(256))
            }
            if let decoded = try? Command(decoding: bytes) {
                #expect(try Command(decoding: decoded.encode()) == decoded)
            }
        }
        let error = #expect(throws: DecodingFailure.self) { try Command(decoding: [3, 1]) }
        #expect(error?.description == "command version at byte 1: 3 is not known")
    }

    /// LMDB frees the reader slots of its process when it closes a file, also of one that was
    /// opened anew meanwhile.
    @Test func `A stream ends with its keyspace, and readers of the file opened anew keep theirs`()
        throws
    {
        let fixture = try Fixture()
        for number in 0..<2_000 {
            try fixture.put("k\(number)", String(repeating: "v", count: 500))
        }
        var stream: SnapshotStream? = try fixture.keyspace.snapshot(clusterID: 5)
        #expect(try stream?.next() != nil)
        #expect(try stream?.next() != nil)
        try fixture.reopen()
        #expect(try fixture.keyspace.range(RangeRequest(.key("k7"))).get().count == 1)
        let failure = #expect(throws: KeyspaceError.self) { try stream?.next() }
        #expect(failure?.code == .closed)
        stream = nil
        #expect(try fixture.keyspace.range(RangeRequest(.key("k7"))).get().count == 1)
        fixture.keyspace.stop()
        let late = #expect(throws: KeyspaceError.self) {
            try fixture.keyspace.snapshot(clusterID: 5)
        }
        #expect(late?.code == .closed)
    }
}
