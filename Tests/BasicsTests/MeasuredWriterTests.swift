import Basics
import Testing

@Suite struct MeasuredWriterTests {
    @Test func `Varints are those of ByteWriter, in as many bytes as foreseen`() {
        var values: [UInt64] = [0, 1, .max]
        for bits in stride(from: 7, through: 63, by: 7) {
            values += [(1 << UInt64(bits)) - 1, 1 << UInt64(bits)]
        }
        for value in values {
            var grown = ByteWriter()
            grown.writeVarint(value)
            let bytes = Bytes.written(measure: value.varintBytes) { $0.writeVarint(value) }
            #expect(bytes == grown.bytes)
        }
    }

    @Test func `What was written is all there is, and may be read back meanwhile`() {
        let bytes = Bytes.written(measure: 100) { writer in
            for part in [[1, 2, 3], [], [4]] as [Bytes] {
                unsafe part.withUnsafeBytes { raw in unsafe writer.write(raw: raw) }
            }
            #expect(unsafe Bytes(writer.written) == [1, 2, 3, 4])
        }
        #expect(bytes == [1, 2, 3, 4])
    }

    @Test func `An error of the one who writes comes through`() {
        struct Failure: Error {}
        #expect(throws: Failure.self) {
            try Bytes.written(measure: 8) { writer throws(Failure) in
                writer.writeVarint(1)
                throw Failure()
            }
        }
    }

    @Test func `More than was measured ends the process`() async {
        await #expect(processExitsWith: .failure) {
            _ = Bytes.written(measure: 2) { $0.writeVarint(1 << 14) }
        }
    }
}
