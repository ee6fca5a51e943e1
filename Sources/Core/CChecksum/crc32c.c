#include "checksum.h"

#include <string.h>

// A byte at a time, without tables: only machines without the instruction come here.
static uint32_t crc32c_portable(uint32_t crc, const unsigned char *bytes, size_t count) {
    for (size_t i = 0; i < count; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++) {
            crc = (crc >> 1) ^ (0x82F63B78u & (0u - (crc & 1u)));
        }
    }
    return crc;
}

#if defined(__x86_64__)

#include <wmmintrin.h>

static uint64_t word_at(const unsigned char *bytes) {
    uint64_t word;
    memcpy(&word, bytes, 8);
    return word;
}

// The instruction takes three cycles and a new one can begin in each, so three parts of the bytes are read side by side.
// What the first two come to is then multiplied, as polynomials, by what the zeros of the bytes behind them stand for.
// The instruction itself reduces the product, and multiplies it by x^33 on the way (32 bits, and one since the product
// has 63): hence the factor x^(8n - 33) mod P for n bytes, bits reversed.
struct lane {
    size_t bytes;
    uint32_t past_one;
    uint32_t past_two;
};

static const struct lane lanes[] = {
    {1024, 0x170076fa, 0xa51b6135},
    {256, 0xb9e02b86, 0xdd7e3b0c},
    {64, 0x9e4addf8, 0x0d3b6092},
};

__attribute__((target("sse4.2,pclmul")))
static uint64_t shifted(uint64_t crc, uint32_t factor) {
    __m128i product = _mm_clmulepi64_si128(_mm_cvtsi64_si128((long long)crc), _mm_cvtsi64_si128(factor), 0);
    return __builtin_ia32_crc32di(0, (uint64_t)_mm_cvtsi128_si64(product));
}

__attribute__((target("sse4.2,pclmul")))
static uint64_t three_lanes(uint64_t crc, const unsigned char *bytes, struct lane lane) {
    uint64_t second = 0, third = 0;
    for (size_t i = 0; i < lane.bytes; i += 8) {
        crc = __builtin_ia32_crc32di(crc, word_at(bytes + i));
        second = __builtin_ia32_crc32di(second, word_at(bytes + lane.bytes + i));
        third = __builtin_ia32_crc32di(third, word_at(bytes + 2 * lane.bytes + i));
    }
    return shifted(crc, lane.past_two) ^ shifted(second, lane.past_one) ^ third;
}

__attribute__((target("sse4.2")))
static uint32_t crc32c_hardware(uint32_t crc, const unsigned char *bytes, size_t count) {
    uint64_t wide = crc;
    if (__builtin_cpu_supports("pclmul")) {
        for (size_t i = 0; i < sizeof lanes / sizeof *lanes; i++) {
            size_t whole = 3 * lanes[i].bytes;
            for (; count >= whole; bytes += whole, count -= whole) wide = three_lanes(wide, bytes, lanes[i]);
        }
    }
    while (count >= 8) {
        wide = __builtin_ia32_crc32di(wide, word_at(bytes));
        bytes += 8;
        count -= 8;
    }
    uint32_t narrow = (uint32_t)wide;
    while (count > 0) {
        narrow = __builtin_ia32_crc32qi(narrow, *bytes);
        bytes++;
        count--;
    }
    return narrow;
}

static int has_hardware(void) { return __builtin_cpu_supports("sse4.2"); }

#elif defined(__aarch64__) && defined(__ARM_FEATURE_CRC32)

#include <arm_acle.h>

static uint32_t crc32c_hardware(uint32_t crc, const unsigned char *bytes, size_t count) {
    while (count >= 8) {
        uint64_t word;
        memcpy(&word, bytes, 8);
        crc = __crc32cd(crc, word);
        bytes += 8;
        count -= 8;
    }
    while (count > 0) {
        crc = __crc32cb(crc, *bytes);
        bytes++;
        count--;
    }
    return crc;
}

static int has_hardware(void) { return 1; }

#else

static uint32_t crc32c_hardware(uint32_t crc, const unsigned char *bytes, size_t count) {
    return crc32c_portable(crc, bytes, count);
}

static int has_hardware(void) { return 0; }

#endif

uint32_t strake_crc32c(uint32_t crc, const void *bytes, size_t count) {
    crc = ~crc;
    crc = has_hardware() ? crc32c_hardware(crc, bytes, count) : crc32c_portable(crc, bytes, count);
    return ~crc;
}
