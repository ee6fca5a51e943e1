#ifndef STRAKE_CRC32C_H
#define STRAKE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/// CRC-32C (Castagnoli, reflected) of `count` bytes, continuing from `crc`, the result over the bytes before, or 0.
uint32_t strake_crc32c(uint32_t crc, const void *bytes, size_t count);

#endif
