#include "memory.h"

#include <malloc.h>

// glibc raises this bound whenever a larger block that it had mapped is freed. LMDB's tables for a write transaction
// (3 MiB, hardly used) then come from the heap, where calloc writes zeros to all of them. Setting the bound fixes it.
enum { MAPPED_BYTES_MIN = 1 << 20 };

// What malloc keeps at the top of its heaps; fixing the bound above would otherwise leave it at 128 KiB, and a busy
// server returns and asks for that much all the time.
enum { KEPT_BYTES_MAX = 2 << 20 };

void strake_map_large_blocks(void) {
    mallopt(M_MMAP_THRESHOLD, MAPPED_BYTES_MIN);
    mallopt(M_TRIM_THRESHOLD, KEPT_BYTES_MAX);
}
