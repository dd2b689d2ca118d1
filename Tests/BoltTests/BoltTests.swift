import Basics
import Bolt
import Glibc
import Testing

@Suite struct BoltTests {
    private func withFile(_ body: (String) throws -> Void) rethrows {
        let path = "/tmp/bolt-test-\(getpid())-\(UInt64.random(in: 0 ... .max))"
        defer { unsafe unlink(path) }
        try body(path)
    }

    private func key(_ index: Int) -> Bytes {
        Bytes("key-".utf8) + Bytes(String(index + 10_000_000).utf8)
    }

    /// Sizes that make empty buckets, single pages, several levels and values over many pages.
    @Test(arguments: [(0, 0), (1, 10), (1, 100_000), (60, 40), (20_000, 30), (300, 5_000)])
    func whatWasWrittenIsReadInOrder(count: Int, valueBytes: Int) throws {
        try withFile { path in
            let writer = try BoltWriter(path)
            try writer.begin(bucket: Bytes("a".utf8))
            for index in 0..<count {
                try writer.add(key(index), Bytes(repeating: UInt8(index & 255), count: valueBytes))
            }
            try writer.begin(bucket: Bytes("b".utf8))
            try writer.add([1], [2])
            try writer.finish()

            let reader = try BoltReader(path)
            #expect(try reader.buckets() == [Bytes("a".utf8), Bytes("b".utf8)])
            var index = 0
            let isThere = try reader.forEach(in: Bytes("a".utf8)) { found, value in
                #expect(Bytes(found) == key(index))
                #expect(value.count == valueBytes)
                #expect(value.allSatisfy { $0 == UInt8(index & 255) })
                index += 1
            }
            #expect(isThere && index == count)
            let isAnother = try reader.forEach(in: Bytes("c".utf8)) { _, _ in }
            #expect(!isAnother)
        }
    }

    /// Any one byte changed, and any shorter file, is read as it was, or refused.
    @Test func damageIsAnErrorAndNothingElse() throws {
        try withFile { path in
            let writer = try BoltWriter(path)
            try writer.begin(bucket: Bytes("a".utf8))
            for index in 0..<300 { try writer.add(key(index), Bytes(repeating: 7, count: 20)) }
            try writer.finish()
            let file = unsafe open(path, O_RDWR)
            defer { close(file) }
            let size = Int(lseek(file, 0, SEEK_END))
            for offset in stride(from: 0, to: size, by: 13) {
                var byte: UInt8 = 0
                _ = unsafe pread(file, &byte, 1, off_t(offset))
                var changed = byte ^ 0xff
                _ = unsafe pwrite(file, &changed, 1, off_t(offset))
                read(path)
                _ = unsafe pwrite(file, &byte, 1, off_t(offset))
            }
            for length in stride(from: size - 1, to: 0, by: -997) {
                ftruncate(file, off_t(length))
                #expect(throws: BoltError.self) {
                    _ = try BoltReader(path).forEach(in: Bytes("a".utf8)) { _, _ in }
                }
            }
        }
    }

    private func read(_ path: String) {
        _ = try? BoltReader(path).forEach(in: Bytes("a".utf8)) { _, _ in }
    }

    @Test func errorsNameFileAndPlace() {
        let error = #expect(throws: BoltError.self) { try BoltReader("/nonexistent/file") }
        #expect(error?.description == "/nonexistent/file: No such file or directory")
    }
}
