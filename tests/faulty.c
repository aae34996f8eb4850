/* Put before the C library (LD_PRELOAD): one write, fsync or rename below a folder fails, whoever makes it. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static char folder[PATH_MAX];
static long failing, count;

/* From now on calls are counted, and number `at`, from 1, fails. */
void faulty_arm(const char *path, long at) {
    failing = at;
    count = 0;
    snprintf(folder, sizeof folder, "%s", path);
}

long faulty_count(void) { return count; }

static int fails(const char *path) {
    if (!*folder || strncmp(path, folder, strlen(folder)))
        return 0;
    if (__sync_add_and_fetch(&count, 1) != failing)
        return 0;
    errno = EIO;
    return 1;
}

static int fails_open(int file) {
    char name[64], path[PATH_MAX];
    if (!*folder)
        return 0;
    snprintf(name, sizeof name, "/proc/self/fd/%d", file);
    ssize_t length = readlink(name, path, sizeof path - 1);
    if (length < 0)
        return 0;
    path[length] = 0;
    return fails(path);
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define ON_FILE(type, name, parameters, file, ...) \
    type name parameters { return fails_open(file) ? -1 : REAL(name)(__VA_ARGS__); }

ON_FILE(ssize_t, write, (int f, const void *b, size_t n), f, f, b, n)
ON_FILE(ssize_t, writev, (int f, const struct iovec *v, int n), f, f, v, n)
ON_FILE(ssize_t, pwrite, (int f, const void *b, size_t n, off_t o), f, f, b, n, o)
ON_FILE(ssize_t, pwrite64, (int f, const void *b, size_t n, off64_t o), f, f, b, n, o)
ON_FILE(int, fsync, (int f), f, f)
ON_FILE(int, fdatasync, (int f), f, f)
ON_FILE(int, ftruncate, (int f, off_t n), f, f, n)
ON_FILE(int, ftruncate64, (int f, off64_t n), f, f, n)

extern ssize_t sendfile(int, int, off_t *, size_t);
extern ssize_t sendfile64(int, int, off64_t *, size_t);
ON_FILE(ssize_t, sendfile, (int f, int g, off_t *o, size_t n), f, f, g, o, n)
ON_FILE(ssize_t, sendfile64, (int f, int g, off64_t *o, size_t n), f, f, g, o, n)

int rename(const char *from, const char *to) { return fails(to) ? -1 : REAL(rename)(from, to); }
