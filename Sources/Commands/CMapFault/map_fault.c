#include "map_fault.h"

#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

// Everything from the handler on is async-signal-safe: system calls, the stack, and what was set before the handler was.
//
// The handler needs about 14 KiB of the stack of the thread that met the fault. A thread that has used up its stack
// cannot run it, and so ends as it does without one; what it touched is no map of a file either.

enum { LINE_BYTES_MAX = 8192 };

static const char *file_name;
static const char *line_before;
static const char *line_after;
static struct sigaction former;

/// A line that is put together before it is written, so that lines of other threads do not come in between.
struct line {
    size_t count;
    char bytes[LINE_BYTES_MAX];
};

static void add_byte(struct line *line, char byte) {
    if (line->count < sizeof line->bytes) line->bytes[line->count++] = byte;
}

static void add_text(struct line *line, const char *text) {
    while (*text) add_byte(line, *text++);
}

static void add_number(struct line *line, uint64_t number) {
    char digits[20];
    int count = 0;
    do digits[count++] = (char)('0' + number % 10);
    while (number /= 10);
    while (count > 0) add_byte(line, digits[--count]);
}

static void add_path(struct line *line, const char *path) {
    for (; *path; path++) {
        if (*path == '"' || *path == '\\') add_byte(line, '\\');
        add_byte(line, (unsigned char)*path < 0x20 ? '?' : *path);
    }
}

static void write_all(const struct line *line) {
    size_t done = 0;
    while (done < line->count) {
        ssize_t count = write(STDERR_FILENO, line->bytes + done, line->count - done);
        if (count <= 0) return;
        done += (size_t)count;
    }
}

/// Reads a hexadecimal number and moves past it.
static uint64_t take_hex(char **text) {
    uint64_t number = 0;
    for (;; (*text)++) {
        char digit = **text;
        if (digit >= '0' && digit <= '9') number = number << 4 | (uint64_t)(digit - '0');
        else if (digit >= 'a' && digit <= 'f') number = number << 4 | (uint64_t)(digit - 'a' + 10);
        else return number;
    }
}

/// Whether the path is that of a file which is watched; "(deleted)" behind it, as the kernel has it, does not count.
static int is_watched(const char *path) {
    static const char deleted[] = " (deleted)";
    size_t name = strlen(file_name);
    size_t length = strlen(path);
    size_t behind = sizeof deleted - 1;
    if (length > behind && !strcmp(path + length - behind, deleted)) length -= behind;
    return length > name && path[length - name - 1] == '/' && !memcmp(path + length - name, file_name, name);
}

/// Looks at one line of /proc/self/maps: start-end permissions offset device inode path.
static int is_at(char *text, uintptr_t address, uint64_t *offset, char **path) {
    uint64_t start = take_hex(&text);
    if (*text++ != '-') return 0;
    uint64_t end = take_hex(&text);
    if (address < start || address >= end) return 0;
    *path = strchr(text, '/');
    if (!*path || !is_watched(*path)) return 0;
    text = strchr(text + 1, ' ');
    if (!text) return 0;
    text++;
    *offset = take_hex(&text) + (address - start);
    return 1;
}

/// Finds the watched file that is mapped at the address. `buffer` gets its path.
static int find_map(uintptr_t address, char *buffer, size_t size, uint64_t *offset, char **path) {
    int maps = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    if (maps < 0) return 0;
    int found = 0;
    size_t used = 0;
    while (!found) {
        ssize_t count = read(maps, buffer + used, size - 1 - used);
        if (count <= 0) break;
        used += (size_t)count;
        char *text = buffer;
        char *end;
        while (!found && (end = memchr(text, '\n', used - (size_t)(text - buffer)))) {
            *end = 0;
            found = is_at(text, address, offset, path);
            text = end + 1;
        }
        if (found) break;
        used -= (size_t)(text - buffer);
        // A line that does not fit is none that was asked for.
        if (used == size - 1) used = 0;
        memmove(buffer, text, used);
    }
    close(maps);
    return found;
}

static void report(int number, siginfo_t *info, void *context) {
    (void)context;
    char buffer[4096 + 256];
    char *path;
    uint64_t offset;
    // What another process sent comes with no address.
    if (info->si_code > 0
        && find_map((uintptr_t)info->si_addr, buffer, sizeof buffer, &offset, &path)) {
        struct line line = {0};
        add_text(&line, line_before);
        add_path(&line, path);
        add_text(&line, " at byte ");
        add_number(&line, offset);
        add_text(&line, line_after);
        write_all(&line);
        _exit(1);
    }
    // Not ours. The instruction is run again, and this time the fault goes where it went before; what was sent is sent
    // again.
    sigaction(number, &former, 0);
    if (info->si_code <= 0) raise(number);
}

void strake_report_map_faults(const char *name, const char *before, const char *after) {
    file_name = name;
    line_before = before;
    line_after = after;
    struct sigaction action = {0};
    action.sa_sigaction = report;
    sigemptyset(&action.sa_mask);
    // On the thread's alternate stack, if somebody gave it one.
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    // Not SIGSEGV: the map reaches over the whole address space that it was given, so what cannot be read in it is
    // SIGBUS. A write to it is SIGSEGV, and a bug of ours; so is an address outside.
    sigaction(SIGBUS, &action, &former);
}
