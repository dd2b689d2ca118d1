/// Hash of a record for the running hash of the state: of its position, and of the checksums and
/// lengths of its chunks, which bind everything else. docs/decisions/0007-running-hashes.md.
///
/// Sixty-four bits, not cryptographic: it finds replicas that differ by accident.
struct RecordHash {
    private var state: UInt64

    init(_ position: RecordPosition) {
        state = Self.mix(
            UInt64(bitPattern: position.revision) &* 0x9e37_79b9_7f4a_7c15
                ^ UInt64(position.sub))
    }

    /// A lease counts as a record of one chunk.
    init(lease: Int64) {
        state = Self.mix(UInt64(bitPattern: lease) &* 0xc2b2_ae3d_27d4_eb4f ^ 0x4c)
    }

    mutating func add(checksum: UInt32, count: Int) {
        state = Self.mix(state ^ UInt64(checksum) << 32 ^ UInt64(count))
    }

    /// Never 0, so that a forgotten hash shows.
    var value: UInt64 { state == 0 ? 1 : state }

    /// The finalizer of SplitMix64: every bit of the argument changes half of the result's.
    static func mix(_ value: UInt64) -> UInt64 {
        var word = value &+ 0x9e37_79b9_7f4a_7c15
        word = (word ^ word >> 30) &* 0xbf58_476d_1ce4_e5b9
        word = (word ^ word >> 27) &* 0x94d0_49bb_1331_11eb
        return word ^ word >> 31
    }
}
