import CMartlet

/// CRC32C (Castagnoli), the checksum of every format of ours on disk and wire.
package enum CRC32C {
    /// The checksum of `bytes`; `crc` goes on from an earlier part, 0 begins.
    package static func checksum(_ bytes: Bytes, continuing crc: UInt32 = 0) -> UInt32 {
        unsafe bytes.withUnsafeBytes { raw in
            unsafe martlet_crc32c(crc, raw.baseAddress, raw.count)
        }
    }

    package static func checksum(_ bytes: ArraySlice<UInt8>, continuing crc: UInt32 = 0) -> UInt32 {
        unsafe bytes.withUnsafeBytes { raw in
            unsafe martlet_crc32c(crc, raw.baseAddress, raw.count)
        }
    }

    /// Of memory that somebody else owns, such as a page of a map.
    package static func checksum(
        _ raw: UnsafeRawBufferPointer, continuing crc: UInt32 = 0
    ) -> UInt32 {
        unsafe martlet_crc32c(crc, raw.baseAddress, raw.count)
    }

    /// By tables alone; only the test that compares the two ways has a use for it.
    package static func portableChecksum(_ bytes: Bytes) -> UInt32 {
        unsafe bytes.withUnsafeBytes { raw in
            unsafe martlet_crc32c_portable(0, raw.baseAddress, raw.count)
        }
    }
}
