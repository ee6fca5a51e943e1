#include "malloc_figures.h"

#include <features.h>

// The function before it counts in int, which ends at 2 GiB.
#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 33)

#include <malloc.h>

int strake_malloc_figures(struct strake_malloc_figures *out) {
    struct mallinfo2 found = mallinfo2();
    out->heap = found.arena;
    out->mapped = found.hblkhd;
    out->used = found.uordblks;
    out->unused = found.fordblks;
    return 0;
}

#else

int strake_malloc_figures(struct strake_malloc_figures *out) {
    (void)out;
    return -1;
}

#endif
