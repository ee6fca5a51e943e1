#ifndef STRAKE_FILE_CALLS_H
#define STRAKE_FILE_CALLS_H

#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

/// What is told of the file system calls of this process, on the thread that makes them. What returns an int is asked
/// before the call: anything but 0 is the errno that the call fails with instead. The others are told after it succeeded.
struct file_calls_observer {
    /// Bytes go to `offset` of the file; `durable` when the descriptor is O_SYNC or O_DSYNC.
    int (*writing)(int fd, const struct iovec *parts, int count, off_t offset, int durable);
    void (*wrote)(int fd, const void *bytes, size_t count, off_t offset, int durable);
    /// The kernel is asked to sync; what is put into `began` comes back in `synced`: everything written to the file before
    /// is durable then.
    int (*syncing)(int fd, uint64_t *began);
    void (*synced)(int fd, uint64_t began);
    /// The file gets this length.
    int (*truncating)(int fd, off_t length);
    void (*truncated)(int fd, off_t length);
    /// The file gets another name; one that had it is gone.
    int (*renaming)(const char *from, const char *to);
    void (*renamed)(const char *from, const char *to);
    int (*removing)(const char *path);
    void (*removed)(const char *path);
};

/// From now on calls are reported to `observer`, which stays valid for ever. NULL: to nobody.
void file_calls_observe(const struct file_calls_observer *observer);

/// Whether this process's calls, those of its shared libraries too, come through here.
int file_calls_are_in_place(void);

#endif
