import Basics

/// The unit in which a log is written: 496 bytes of payload and a trailer of 16.
///
/// A disk writes a sector of 512 bytes whole or not at all. So after a power cut a sector is as
/// this log wrote it, or as it was before (zeros, or what an earlier life of a recycled file left
/// there, which its lower sequence shows). Anything else is damage, and the checksum tells.
enum Sector {
    static let byteCount = 512
    static let payloadBytes = 496

    /// Little-endian at the end of the sector, before its checksum.
    struct Trailer: Equatable {
        /// Of the segment that the sector was written for.
        var sequence: UInt32
        /// Number of the sector that the frame begins with.
        var frame: UInt32
        /// Sectors of this segment with a lower number were synced when this one was written.
        var durable: UInt32
    }

    enum State: Equatable {
        case current(Trailer)
        /// What a power cut leaves of a write that it stopped.
        case unwritten
        case damaged
    }

    /// Where checksums begin, so that a sector of another cluster or another place never passes.
    static func salt(clusterID: UInt64) -> UInt32 {
        var writer = ByteWriter(reserving: 8)
        writer.writeLittleEndian(clusterID)
        return CRC32C.checksum(writer.bytes)
    }

    /// Sectors of a payload that begins at the start of a sector; the last is filled with zeros.
    static func count(ofPayload bytes: Int) -> Int {
        (bytes + payloadBytes - 1) / payloadBytes
    }

    /// The payload cut into sectors, sealed.
    static func seal(
        _ payload: Bytes, at number: UInt32, sequence: UInt32, durable: UInt32, salt: UInt32
    ) -> Bytes {
        let count = Sector.count(ofPayload: payload.count)
        let total = count * byteCount
        return unsafe Bytes(unsafeUninitializedCapacity: total) { out, filled in
            filled = total
            unsafe payload.withUnsafeBytes { raw in
                for index in 0..<count {
                    let sector = unsafe UnsafeMutableRawBufferPointer(
                        rebasing: UnsafeMutableRawBufferPointer(out)[
                            index * byteCount..<(index + 1) * byteCount])
                    let end = min((index + 1) * payloadBytes, raw.count)
                    let part = unsafe raw[index * payloadBytes..<end]
                    unsafe sector.copyMemory(from: UnsafeRawBufferPointer(rebasing: part))
                    for offset in unsafe part.count..<payloadBytes { unsafe sector[offset] = 0 }
                    unsafe sector.store(sequence, at: 496)
                    unsafe sector.store(number, at: 500)
                    unsafe sector.store(durable, at: 504)
                    let own = number &+ UInt32(index)
                    let sum = unsafe Sector.check(
                        UnsafeRawBufferPointer(sector), number: own, salt: salt)
                    unsafe sector.store(sum, at: 508)
                }
            }
        }
    }

    /// What stands in the 512 bytes that were read as sector `number` of segment `sequence`.
    static func state(
        of raw: UnsafeRawBufferPointer, number: UInt32, sequence: UInt32, salt: UInt32
    ) -> State {
        let sum = unsafe check(raw, number: number, salt: salt)
        guard unsafe raw.value(at: 508) == sum else {
            return unsafe raw.allSatisfy { $0 == 0 } ? .unwritten : .damaged
        }
        let trailer = unsafe Trailer(
            sequence: raw.value(at: 496), frame: raw.value(at: 500), durable: raw.value(at: 504))
        if trailer.sequence == sequence { return .current(trailer) }
        return trailer.sequence < sequence ? .unwritten : .damaged
    }

    /// Over all but itself, and over the place.
    static func check(_ raw: UnsafeRawBufferPointer, number: UInt32, salt: UInt32) -> UInt32 {
        unsafe CRC32C.checksum(
            UnsafeRawBufferPointer(rebasing: raw[..<508]), continuing: salt ^ number)
    }
}

extension UnsafeMutableRawBufferPointer {
    fileprivate func store(_ value: UInt32, at offset: Int) {
        unsafe storeBytes(of: value.littleEndian, toByteOffset: offset, as: UInt32.self)
    }
}

extension UnsafeRawBufferPointer {
    func value(at offset: Int) -> UInt32 {
        UInt32(littleEndian: unsafe loadUnaligned(fromByteOffset: offset, as: UInt32.self))
    }
}
