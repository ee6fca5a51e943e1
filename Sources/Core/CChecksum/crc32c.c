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

__attribute__((target("sse4.2")))
static uint32_t crc32c_hardware(uint32_t crc, const unsigned char *bytes, size_t count) {
    uint64_t wide = crc;
    while (count >= 8) {
        uint64_t word;
        memcpy(&word, bytes, 8);
        wide = __builtin_ia32_crc32di(wide, word);
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
