#ifndef STRAKE_POWER_CUT_H
#define STRAKE_POWER_CUT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/// What the file system calls of this process tell. Called on the thread that made the call, after it succeeded.
struct power_cut_observer {
    /// `count` bytes reached the page cache at `offset` of the file; `durable` when the descriptor is O_SYNC or O_DSYNC.
    void (*wrote)(int fd, const void *bytes, size_t count, off_t offset, int durable);
    /// Before the kernel is asked to sync: what is returned comes back in `synced`.
    uint64_t (*syncing)(void);
    /// Everything written to the file before `syncing` returned is durable.
    void (*synced)(int fd, uint64_t began);
    /// The file has this length now.
    void (*truncated)(int fd, off_t length);
    /// The file has another name; one that had it is gone.
    void (*renamed)(const char *from, const char *to);
    void (*removed)(const char *path);
    /// Asked before a write or a sync; anything but 0 is the errno that the call fails with instead.
    int (*refuses)(int fd, size_t count);
};

/// From now on calls are reported to `observer`, which stays valid for ever. NULL: to nobody.
void power_cut_observe(const struct power_cut_observer *observer);

/// Whether this process's calls, those of its shared libraries too, come through here.
int power_cut_is_in_place(void);

/// Runs `body(context)` in a child process, its stderr thrown away, and returns its result (0 to 127), or 128 and the
/// signal that ended it. For what may crash. The child has only the calling thread: `body` should do little.
int power_cut_run_in_child(int (*body)(void *context), void *context);

#endif
