import Basics
import Testing

@Suite struct ByteWriterTests {
    /// The count is written behind what it counts, and may take more than the byte kept for it.
    @Test(arguments: [0, 1, 127, 128, 129, 16_383, 16_384, 2_097_152])
    func countedLater(count: Int) throws {
        let content = Bytes((0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31) })
        var writer = ByteWriter()
        writer.write(9)
        let start = writer.beginCounted()
        writer.write(content)
        writer.endCounted(from: start)
        writer.write(7)
        var expected = ByteWriter()
        expected.write(9)
        expected.writeCounted(content)
        expected.write(7)
        #expect(writer.bytes == expected.bytes)
    }

    @Test func nestedCounts() throws {
        var writer = ByteWriter()
        let outer = writer.beginCounted()
        writer.write(Bytes(repeating: 1, count: 100))
        let inner = writer.beginCounted()
        writer.write(Bytes(repeating: 2, count: 300))
        writer.endCounted(from: inner)
        writer.endCounted(from: outer)
        var reader = ByteReader(writer.bytes)
        let whole = try reader.readCounted("outer")
        #expect(reader.isAtEnd)
        #expect(whole.prefix(100) == Bytes(repeating: 1, count: 100)[...])
        var rest = ByteReader(Bytes(whole.dropFirst(100)))
        #expect(try rest.readCounted("inner") == Bytes(repeating: 2, count: 300))
        #expect(rest.isAtEnd)
    }

    @Test func integersAreLittleEndian() throws {
        var writer = ByteWriter()
        writer.writeLittleEndian(UInt32(0x0102_0304))
        writer.writeLittleEndian(UInt64(0x0102_0304_0506_0708))
        writer.writeBigEndian(UInt16(0x0102))
        #expect(writer.bytes == [4, 3, 2, 1, 8, 7, 6, 5, 4, 3, 2, 1, 1, 2])
        var reader = ByteReader(writer.bytes)
        #expect(try reader.readLittleEndian("a") as UInt32 == 0x0102_0304)
        #expect(try reader.readLittleEndian("b") as UInt64 == 0x0102_0304_0506_0708)
        #expect(try reader.readBigEndian("c") as UInt16 == 0x0102)
        #expect(throws: DecodingFailure.self) { try reader.readLittleEndian("d") as UInt32 }
    }
}
