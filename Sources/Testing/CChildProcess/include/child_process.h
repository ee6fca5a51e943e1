#ifndef STRAKE_CHILD_PROCESS_H
#define STRAKE_CHILD_PROCESS_H

/// Runs `body(context)` in a child process, its stderr thrown away, and returns its result (0 to 127), or 128 and the
/// signal that ended it. For what may crash. The child has only the calling thread: `body` should do little.
int child_process_run(int (*body)(void *context), void *context);

#endif
