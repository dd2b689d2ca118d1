#include "crc32c.h"

#include <pthread.h>
#include <string.h>

#if defined(__x86_64__)
#include <nmmintrin.h>
#include <wmmintrin.h>
#endif

// The reflected Castagnoli polynomial.
#define POLYNOMIAL 0x82f63b78u

// tables[k][b]: CRC of byte b followed by k zero bytes, so that eight bytes take eight look-ups.
static uint32_t tables[8][256];
static pthread_once_t tables_once = PTHREAD_ONCE_INIT;

static void make_tables(void) {
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t crc = byte;
        for (int bit = 0; bit < 8; bit++) crc = crc & 1 ? crc >> 1 ^ POLYNOMIAL : crc >> 1;
        tables[0][byte] = crc;
    }
    for (uint32_t byte = 0; byte < 256; byte++) {
        for (int k = 1; k < 8; k++) {
            uint32_t before = tables[k - 1][byte];
            tables[k][byte] = before >> 8 ^ tables[0][before & 0xff];
        }
    }
}

uint32_t martlet_crc32c_portable(uint32_t crc, const void *bytes, size_t count) {
    pthread_once(&tables_once, make_tables);
    const uint8_t *next = bytes;
    crc = ~crc;
    while (count >= 8) {
        crc ^= (uint32_t)next[0] | (uint32_t)next[1] << 8 | (uint32_t)next[2] << 16 |
               (uint32_t)next[3] << 24;
        crc = tables[7][crc & 0xff] ^ tables[6][crc >> 8 & 0xff] ^ tables[5][crc >> 16 & 0xff] ^
              tables[4][crc >> 24] ^ tables[3][next[4]] ^ tables[2][next[5]] ^ tables[1][next[6]] ^
              tables[0][next[7]];
        next += 8;
        count -= 8;
    }
    while (count-- > 0) crc = crc >> 8 ^ tables[0][(crc ^ *next++) & 0xff];
    return ~crc;
}

#if defined(__x86_64__)
// Words of eight bytes in each of the three parts that are summed side by side, at most.
#define LANE_WORDS_MAX 128
// Below, putting the parts together takes longer than they save.
#define LANES_BYTES_MIN 96

// zeros[n]: what a checksum is multiplied by to have n words of zeros behind it: x^(64n - 33)
// modulo the polynomial. The product of two reflected numbers is short of one bit, and the
// instruction multiplies by x^32.
static uint32_t zeros[2 * LANE_WORDS_MAX + 1];
static int has_crc32, has_lanes;

__attribute__((target("sse4.2")))
static void make_zeros(void) {
    uint64_t power = 1;
    for (int words = 1; words <= 2 * LANE_WORDS_MAX; words++) {
        zeros[words] = (uint32_t)power;
        power = _mm_crc32_u64(power, 0);
    }
}

__attribute__((constructor))
static void look_at_processor(void) {
    __builtin_cpu_init();
    has_crc32 = __builtin_cpu_supports("sse4.2") != 0;
    if (has_crc32) make_zeros();
    has_lanes = has_crc32 && __builtin_cpu_supports("pclmul");
}

static inline uint64_t word_at(const uint8_t *bytes) {
    uint64_t word;
    memcpy(&word, bytes, 8);
    return word;
}

__attribute__((target("sse4.2,pclmul")))
static inline uint64_t times_zeros(uint64_t state, size_t words) {
    __m128i factors = _mm_set_epi64x((int64_t)zeros[words], (int64_t)state);
    return (uint64_t)_mm_cvtsi128_si64(_mm_clmulepi64_si128(factors, factors, 0x01));
}

// The instruction takes three cycles and starts one in each: three parts keep it busy.
__attribute__((target("sse4.2,pclmul")))
static uint64_t crc32c_lanes(uint64_t state, const uint8_t *first, size_t words) {
    const uint8_t *second = first + 8 * words, *third = second + 8 * words;
    uint64_t state2 = 0, state3 = 0;
    for (size_t offset = 0; offset < 8 * words; offset += 8) {
        state = _mm_crc32_u64(state, word_at(first + offset));
        state2 = _mm_crc32_u64(state2, word_at(second + offset));
        state3 = _mm_crc32_u64(state3, word_at(third + offset));
    }
    uint64_t moved = times_zeros(state, 2 * words) ^ times_zeros(state2, words);
    return _mm_crc32_u64(0, moved) ^ state3;
}

__attribute__((target("sse4.2")))
static uint32_t crc32c_sse42(uint32_t crc, const void *bytes, size_t count) {
    const uint8_t *next = bytes;
    uint64_t state = (uint32_t)~crc;
    while (has_lanes && count >= LANES_BYTES_MIN) {
        size_t words = count / 24 < LANE_WORDS_MAX ? count / 24 : LANE_WORDS_MAX;
        state = crc32c_lanes(state, next, words);
        next += 24 * words;
        count -= 24 * words;
    }
    for (; count >= 8; next += 8, count -= 8) state = _mm_crc32_u64(state, word_at(next));
    uint32_t rest = (uint32_t)state;
    if (count & 4) {
        uint32_t word;
        memcpy(&word, next, 4);
        rest = _mm_crc32_u32(rest, word);
        next += 4;
    }
    for (count &= 3; count > 0; count--) rest = _mm_crc32_u8(rest, *next++);
    return ~rest;
}
#endif

uint32_t martlet_crc32c(uint32_t crc, const void *bytes, size_t count) {
#if defined(__x86_64__)
    if (has_crc32) return crc32c_sse42(crc, bytes, count);
#endif
    return martlet_crc32c_portable(crc, bytes, count);
}
