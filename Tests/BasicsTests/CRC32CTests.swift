import Basics
import Testing

@Suite struct CRC32CTests {
    @Test func knownValues() {
        // RFC 3720, B.4, and the customary check value.
        #expect(CRC32C.checksum(Array("123456789".utf8)) == 0xe306_9283)
        #expect(CRC32C.checksum(Bytes(repeating: 0, count: 32)) == 0x8a91_36aa)
        #expect(CRC32C.checksum(Bytes(repeating: 0xff, count: 32)) == 0x62a8_ab43)
        #expect(CRC32C.checksum([] as Bytes) == 0)
    }

    @Test func instructionsAndTablesAgree() {
        var random = SeededRandom(seed: 7)
        // Three parts of up to 1,024 bytes are summed side by side.
        let counts = Array(0..<300) + Array(3060..<3090) + [4095, 6143, 6144, 6145, 9999, 70_001]
        for count in counts {
            let bytes = (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            let whole = CRC32C.checksum(bytes)
            #expect(whole == CRC32C.portableChecksum(bytes))
            let cut = count / 3
            let first = CRC32C.checksum(bytes[..<cut])
            #expect(CRC32C.checksum(bytes[cut...], continuing: first) == whole)
        }
    }
}
