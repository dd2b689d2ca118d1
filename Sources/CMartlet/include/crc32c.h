#pragma once
#include <stddef.h>
#include <stdint.h>

/// CRC32C (Castagnoli) of `count` bytes, going on from `crc`; 0 begins. With SSE4.2 where the
/// processor has it, with tables elsewhere.
uint32_t martlet_crc32c(uint32_t crc, const void *bytes, size_t count);

/// The same by tables alone, for the test that compares the two.
uint32_t martlet_crc32c_portable(uint32_t crc, const void *bytes, size_t count);
