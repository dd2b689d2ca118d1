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
        for count in 0..<300 {
            let bytes = (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            let whole = CRC32C.checksum(bytes)
            #expect(whole == CRC32C.portableChecksum(bytes))
            let cut = count / 3
            let first = CRC32C.checksum(bytes[..<cut])
            #expect(CRC32C.checksum(bytes[cut...], continuing: first) == whole)
        }
    }
}
