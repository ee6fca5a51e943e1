// Stands in for libc's file writing calls. The dynamic linker looks for a symbol in the executable before it looks in
// libc, and the static linker exports a symbol of the executable that a shared library of the link refers to. So
// linking this into a test is enough to see what liblmdb writes.
#define _GNU_SOURCE
#include "power_cut.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static _Atomic(const struct power_cut_observer *) current_observer;

void power_cut_observe(const struct power_cut_observer *observer) { atomic_store(&current_observer, observer); }

static const struct power_cut_observer *observer_now(void) {
    return atomic_load_explicit(&current_observer, memory_order_acquire);
}

// The next definition after the executable's is libc's.
#define LIBC(name)                                                                                     \
    static _Atomic(void *) found_##name;                                                               \
    static void *libc_##name(void) {                                                                   \
        void *found = atomic_load_explicit(&found_##name, memory_order_relaxed);                       \
        if (!found) {                                                                                  \
            found = dlsym(RTLD_NEXT, #name);                                                           \
            atomic_store_explicit(&found_##name, found, memory_order_relaxed);                         \
        }                                                                                              \
        return found;                                                                                  \
    }
#define CALL(name, ...) (((__typeof__(&name))libc_##name())(__VA_ARGS__))

LIBC(write)
LIBC(writev)
LIBC(pwrite)
LIBC(pwritev)
LIBC(fsync)
LIBC(fdatasync)
LIBC(ftruncate)
LIBC(rename)
LIBC(unlink)

static int refused(const struct power_cut_observer *observer, int fd, size_t count) {
    int error = observer->refuses(fd, count);
    if (error) errno = error;
    return error;
}

// `offset` below 0: where the call left the file's position, less what it wrote.
static void report(const struct power_cut_observer *observer, int fd, const struct iovec *parts, int count,
                   ssize_t written, off_t offset) {
    if (written <= 0) return;
    int error = errno;
    if (offset < 0) offset = lseek(fd, 0, SEEK_CUR) - written;
    int flags = fcntl(fd, F_GETFL);
    int durable = flags >= 0 && (flags & O_DSYNC) != 0;  // O_SYNC includes it.
    size_t left = (size_t)written;
    for (int i = 0; i < count && left > 0 && offset >= 0; i++) {
        size_t part = parts[i].iov_len < left ? parts[i].iov_len : left;
        observer->wrote(fd, parts[i].iov_base, part, offset, durable);
        offset += (off_t)part;
        left -= part;
    }
    errno = error;
}

static size_t total(const struct iovec *parts, int count) {
    size_t sum = 0;
    for (int i = 0; i < count; i++) sum += parts[i].iov_len;
    return sum;
}

ssize_t write(int fd, const void *bytes, size_t count) {
    const struct power_cut_observer *observer = observer_now();
    if (!observer) return CALL(write, fd, bytes, count);
    if (refused(observer, fd, count)) return -1;
    ssize_t written = CALL(write, fd, bytes, count);
    struct iovec part = {(void *)bytes, count};
    report(observer, fd, &part, 1, written, -1);
    return written;
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
    const struct power_cut_observer *observer = observer_now();
    if (!observer) return CALL(writev, fd, parts, count);
    if (refused(observer, fd, total(parts, count))) return -1;
    ssize_t written = CALL(writev, fd, parts, count);
    report(observer, fd, parts, count, written, -1);
    return written;
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t offset) {
    const struct power_cut_observer *observer = observer_now();
    if (!observer) return CALL(pwrite, fd, bytes, count, offset);
    if (refused(observer, fd, count)) return -1;
    ssize_t written = CALL(pwrite, fd, bytes, count, offset);
    struct iovec part = {(void *)bytes, count};
    report(observer, fd, &part, 1, written, offset);
    return written;
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset) {
    const struct power_cut_observer *observer = observer_now();
    if (!observer) return CALL(pwritev, fd, parts, count, offset);
    if (refused(observer, fd, total(parts, count))) return -1;
    ssize_t written = CALL(pwritev, fd, parts, count, offset);
    report(observer, fd, parts, count, written, offset);
    return written;
}

int fsync(int fd) {
    const struct power_cut_observer *observer = observer_now();
    if (!observer) return CALL(fsync, fd);
    if (refused(observer, fd, 0)) return -1;
    uint64_t began = observer->syncing();
    int result = CALL(fsync, fd);
    if (result == 0) observer->synced(fd, began);
    return result;
}

int fdatasync(int fd) {
    const struct power_cut_observer *observer = observer_now();
    if (!observer) return CALL(fdatasync, fd);
    if (refused(observer, fd, 0)) return -1;
    uint64_t began = observer->syncing();
    int result = CALL(fdatasync, fd);
    if (result == 0) observer->synced(fd, began);
    return result;
}

int ftruncate(int fd, off_t length) {
    const struct power_cut_observer *observer = observer_now();
    int result = CALL(ftruncate, fd, length);
    if (observer && result == 0) observer->truncated(fd, length);
    return result;
}

int rename(const char *from, const char *to) {
    const struct power_cut_observer *observer = observer_now();
    int result = CALL(rename, from, to);
    if (observer && result == 0) observer->renamed(from, to);
    return result;
}

int unlink(const char *path) {
    const struct power_cut_observer *observer = observer_now();
    int result = CALL(unlink, path);
    if (observer && result == 0) observer->removed(path);
    return result;
}

// The same calls under the names that 64-bit file offsets give them in some objects.
ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t offset) __attribute__((alias("pwrite")));
ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t offset) __attribute__((alias("pwritev")));
int ftruncate64(int fd, off64_t length) __attribute__((alias("ftruncate")));

int power_cut_is_in_place(void) {
    // As a shared library would find it.
    return dlsym(RTLD_DEFAULT, "pwrite") == (void *)pwrite && dlsym(RTLD_DEFAULT, "fdatasync") == (void *)fdatasync;
}

struct child_body {
    int (*body)(void *context);
    void *context;
    int result;
};

static void *run_child_body(void *raw) {
    struct child_body *child = raw;
    child->result = child->body(child->context);
    return NULL;
}

int power_cut_run_in_child(int (*body)(void *context), void *context) {
    pid_t child = fork();
    if (child < 0) return -errno;
    if (child == 0) {
        power_cut_observe(NULL);  // A lock of the observer may have been held by a thread that is not here.
        int null = open("/dev/null", O_WRONLY);
        if (null >= 0) dup2(null, STDERR_FILENO);
        alarm(20);  // A damaged tree can be a ring.
        // On a new thread: the forked one still has the thread id of its parent's cached, and a lock of Swift's that it
        // took under that id could not be given back once another thread waits for it.
        struct child_body child = {body, context, 127};
        pthread_t thread;
        if (pthread_create(&thread, NULL, run_child_body, &child) != 0) _exit(127);
        pthread_join(thread, NULL);
        _exit(child.result);
    }
    int status = 0;
    while (waitpid(child, &status, 0) < 0) {
        if (errno != EINTR) return -errno;
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
