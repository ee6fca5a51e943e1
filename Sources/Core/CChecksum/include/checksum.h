#ifndef STRAKE_CHECKSUM_H
#define STRAKE_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/// CRC-32C (Castagnoli, reflected) of `count` bytes, continuing from `crc`, the result over the bytes before, or 0.
uint32_t strake_crc32c(uint32_t crc, const void *bytes, size_t count);

/// Takes `blocks` blocks of 64 bytes into the eight words of a SHA-256 state.
void strake_sha256(uint32_t *state, const void *bytes, size_t blocks);

/// The same without the processor's instructions for it.
void strake_sha256_portable(uint32_t *state, const void *bytes, size_t blocks);

#endif
