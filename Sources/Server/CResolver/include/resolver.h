#ifndef STRAKE_RESOLVER_H
#define STRAKE_RESOLVER_H

/// Why there is no answer.
enum {
    STRAKE_RESOLVER_NO_HOST = -1,
    STRAKE_RESOLVER_NO_DATA = -2,
    STRAKE_RESOLVER_TRY_AGAIN = -3,
    STRAKE_RESOLVER_FAILED = -4,
};

/// Asks DNS as /etc/resolv.conf says, and waits: for records of the type and the class IN. A longer answer is cut.
/// Returns the answer's length, or why there is none.
int strake_resolver_query(const char *name, int type, unsigned char *answer, int bytes_max);

#endif
