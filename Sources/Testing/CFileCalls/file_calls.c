// Stands in for libc's file writing calls. The dynamic linker looks for a symbol in the executable before it looks in
// libc, and the static linker exports a symbol of the executable that a shared library of the link refers to. So
// linking this into an executable is enough to see what liblmdb writes.
//
// While nobody observes, a call costs a branch more than libc's. It goes to the kernel itself, not to libc's definition:
// looking that up is nothing to do in a signal handler, and what libc does besides is for threads that are cancelled,
// which ours are not.
#define _GNU_SOURCE
#include "file_calls.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

_Static_assert(sizeof(off_t) == sizeof(long), "offsets are passed to the kernel in one register");

static _Atomic(const struct file_calls_observer *) current_observer;

void file_calls_observe(const struct file_calls_observer *observer) { atomic_store(&current_observer, observer); }

static const struct file_calls_observer *observer_now(void) {
    return atomic_load_explicit(&current_observer, memory_order_acquire);
}

// Fails with the errno, if it is one.
static int refused(int error) {
    if (error) errno = error;
    return error;
}

static void report(const struct file_calls_observer *observer, int fd, const struct iovec *parts, int count,
                   ssize_t written, off_t offset, int durable) {
    size_t left = (size_t)written;
    for (int i = 0; i < count && left > 0 && offset >= 0; i++) {
        size_t part = parts[i].iov_len < left ? parts[i].iov_len : left;
        observer->wrote(fd, parts[i].iov_base, part, offset, durable);
        offset += (off_t)part;
        left -= part;
    }
}

// `offset` below 0: at the file's position. What has none (a pipe, a socket) is nobody's file.
static ssize_t observed_write(const struct file_calls_observer *observer, int fd, const struct iovec *parts, int count,
                              off_t offset) {
    int error = errno;
    off_t start = offset < 0 ? lseek(fd, 0, SEEK_CUR) : offset;
    int flags = fcntl(fd, F_GETFL);
    int durable = flags >= 0 && (flags & O_DSYNC) != 0;  // O_SYNC includes it.
    if (start >= 0 && refused(observer->writing(fd, parts, count, start, durable))) return -1;
    errno = error;
    ssize_t written =
        offset < 0 ? syscall(SYS_writev, fd, parts, count) : syscall(SYS_pwritev, fd, parts, count, offset, 0L);
    error = errno;
    if (written > 0 && start >= 0) {
        // What appends does not begin where the position was.
        if (offset < 0) start = lseek(fd, 0, SEEK_CUR) - written;
        report(observer, fd, parts, count, written, start, durable);
    }
    errno = error;
    return written;
}

ssize_t write(int fd, const void *bytes, size_t count) {
    const struct file_calls_observer *observer = observer_now();
    if (!observer) return syscall(SYS_write, fd, bytes, count);
    struct iovec part = {(void *)bytes, count};
    return observed_write(observer, fd, &part, 1, -1);
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
    const struct file_calls_observer *observer = observer_now();
    if (!observer) return syscall(SYS_writev, fd, parts, count);
    return observed_write(observer, fd, parts, count, -1);
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t offset) {
    const struct file_calls_observer *observer = observer_now();
    if (!observer || offset < 0) return syscall(SYS_pwrite64, fd, bytes, count, offset);
    struct iovec part = {(void *)bytes, count};
    return observed_write(observer, fd, &part, 1, offset);
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset) {
    const struct file_calls_observer *observer = observer_now();
    if (!observer || offset < 0) return syscall(SYS_pwritev, fd, parts, count, offset, 0L);
    return observed_write(observer, fd, parts, count, offset);
}

static int observed_sync(const struct file_calls_observer *observer, int fd, long number) {
    uint64_t began = 0;
    if (refused(observer->syncing(fd, &began))) return -1;
    int result = (int)syscall(number, fd);
    if (result == 0) observer->synced(fd, began);
    return result;
}

int fsync(int fd) {
    const struct file_calls_observer *observer = observer_now();
    return observer ? observed_sync(observer, fd, SYS_fsync) : (int)syscall(SYS_fsync, fd);
}

int fdatasync(int fd) {
    const struct file_calls_observer *observer = observer_now();
    return observer ? observed_sync(observer, fd, SYS_fdatasync) : (int)syscall(SYS_fdatasync, fd);
}

int ftruncate(int fd, off_t length) {
    const struct file_calls_observer *observer = observer_now();
    if (observer && refused(observer->truncating(fd, length))) return -1;
    int result = (int)syscall(SYS_ftruncate, fd, length);
    if (observer && result == 0) observer->truncated(fd, length);
    return result;
}

int rename(const char *from, const char *to) {
    const struct file_calls_observer *observer = observer_now();
    if (observer && refused(observer->renaming(from, to))) return -1;
    int result = (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0L);
    if (observer && result == 0) observer->renamed(from, to);
    return result;
}

int unlink(const char *path) {
    const struct file_calls_observer *observer = observer_now();
    if (observer && refused(observer->removing(path))) return -1;
    int result = (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0L);
    if (observer && result == 0) observer->removed(path);
    return result;
}

// The same calls under the names that 64-bit file offsets give them in some objects.
ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t offset) __attribute__((alias("pwrite")));
ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t offset) __attribute__((alias("pwritev")));
int ftruncate64(int fd, off64_t length) __attribute__((alias("ftruncate")));

int file_calls_are_in_place(void) {
    // As a shared library would find it.
    return dlsym(RTLD_DEFAULT, "pwrite") == (void *)pwrite && dlsym(RTLD_DEFAULT, "fdatasync") == (void *)fdatasync;
}
