#define _GNU_SOURCE
#include "child_process.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

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

// To crash is one of the outcomes. Handlers of the language's runtime would start another process that looks at this one,
// and have been seen to wait for it for ever, all signals blocked.
static void die_of_crashes(void) {
    static const int crashes[] = {SIGQUIT, SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGTRAP};
    for (size_t i = 0; i < sizeof crashes / sizeof *crashes; i++) signal(crashes[i], SIG_DFL);
}

int child_process_run(int (*body)(void *context), void *context) {
    pid_t child = fork();
    if (child < 0) return -errno;
    if (child == 0) {
        die_of_crashes();
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
