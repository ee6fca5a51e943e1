#ifndef STRAKE_MALLOC_FIGURES_H
#define STRAKE_MALLOC_FIGURES_H

#include <stddef.h>

/// Bytes that malloc has, over all of its heaps.
struct strake_malloc_figures {
    /// Taken from the system and not given back: heaps, and blocks that have a mapping of their own.
    size_t heap, mapped;
    /// Of the heaps: in blocks that are in use, and in free ones.
    size_t used, unused;
};

/// Walks the lists of free blocks. Returns 0, or -1 where malloc does not tell.
int strake_malloc_figures(struct strake_malloc_figures *out);

#endif
