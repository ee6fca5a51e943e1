#include "resolver.h"

#include <arpa/nameser.h>
#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>
#include <string.h>

int strake_resolver_query(const char *name, int type, unsigned char *answer, int bytes_max) {
    // A state of its own: that of the thread would stay for as long as the thread.
    struct __res_state state;
    memset(&state, 0, sizeof state);
    if (res_ninit(&state) != 0) return STRAKE_RESOLVER_FAILED;
    int length = res_nsearch(&state, name, ns_c_in, type, answer, bytes_max);
    int reason = state.res_h_errno;
    res_nclose(&state);
    if (length >= 0) return length < bytes_max ? length : bytes_max;
    switch (reason) {
    case HOST_NOT_FOUND: return STRAKE_RESOLVER_NO_HOST;
    case NO_DATA: return STRAKE_RESOLVER_NO_DATA;
    case TRY_AGAIN: return STRAKE_RESOLVER_TRY_AGAIN;
    default: return STRAKE_RESOLVER_FAILED;
    }
}
