/* Preloaded into a process, it makes one system call fail: the one with a chosen number among
   those on files below a chosen folder. Calls elsewhere are neither counted nor touched. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

static char folder[PATH_MAX];
static long chosen;
static int for_ever;
static int error_number = EIO;
static long calls;

/* Count the calls below `under`, and let number `number` of them fail (0 = none). */
void failing_io(const char *under, long number, int and_all_after, int error) {
    strncpy(folder, under, sizeof folder - 1);
    chosen = number;
    for_ever = and_all_after;
    error_number = error;
    calls = 0;
}

long failing_io_calls(void) { return calls; }

static int fails_now(const char *path) {
    if (!*folder || strncmp(path, folder, strlen(folder)))
        return 0;
    long number = __atomic_add_fetch(&calls, 1, __ATOMIC_SEQ_CST);
    if (!chosen || (for_ever ? number < chosen : number != chosen))
        return 0;
    errno = error_number;
    return 1;
}

static int fails_fd(int fd) {
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0)
        return 0;
    path[length] = 0;
    return fails_now(path);
}

static int fails_at(int directory, const char *path) {
    return *path == '/' || directory == AT_FDCWD ? fails_now(path) : fails_fd(directory);
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

#define OPEN(name)                                                                                 \
    int name(const char *path, int flags, ...) {                                                   \
        va_list more;                                                                              \
        va_start(more, flags);                                                                     \
        mode_t mode = flags & (O_CREAT | __O_TMPFILE) ? va_arg(more, mode_t) : 0;                  \
        va_end(more);                                                                              \
        int writes = (flags & O_ACCMODE) != O_RDONLY;                                              \
        return writes && fails_now(path) ? -1 : REAL(name)(path, flags, mode);                     \
    }
OPEN(open)
OPEN(open64)

#define OPENAT(name)                                                                               \
    int name(int directory, const char *path, int flags, ...) {                                    \
        va_list more;                                                                              \
        va_start(more, flags);                                                                     \
        mode_t mode = flags & (O_CREAT | __O_TMPFILE) ? va_arg(more, mode_t) : 0;                  \
        va_end(more);                                                                              \
        int writes = (flags & O_ACCMODE) != O_RDONLY;                                              \
        return writes && fails_at(directory, path) ? -1 : REAL(name)(directory, path, flags, mode);\
    }
OPENAT(openat)
OPENAT(openat64)

ssize_t write(int fd, const void *data, size_t count) {
    return fails_fd(fd) ? -1 : REAL(write)(fd, data, count);
}

ssize_t pwrite(int fd, const void *data, size_t count, off_t at) {
    return fails_fd(fd) ? -1 : REAL(pwrite)(fd, data, count, at);
}

ssize_t pwrite64(int fd, const void *data, size_t count, off64_t at) {
    return fails_fd(fd) ? -1 : REAL(pwrite64)(fd, data, count, at);
}

int fsync(int fd) { return fails_fd(fd) ? -1 : REAL(fsync)(fd); }

int fdatasync(int fd) { return fails_fd(fd) ? -1 : REAL(fdatasync)(fd); }

int ftruncate(int fd, off_t size) { return fails_fd(fd) ? -1 : REAL(ftruncate)(fd, size); }

int ftruncate64(int fd, off64_t size) { return fails_fd(fd) ? -1 : REAL(ftruncate64)(fd, size); }

int posix_fallocate(int fd, off_t at, off_t size) {
    return fails_fd(fd) ? errno : REAL(posix_fallocate)(fd, at, size);
}

int posix_fallocate64(int fd, off64_t at, off64_t size) {
    return fails_fd(fd) ? errno : REAL(posix_fallocate64)(fd, at, size);
}

int fchmod(int fd, mode_t mode) { return fails_fd(fd) ? -1 : REAL(fchmod)(fd, mode); }

int rename(const char *from, const char *to) {
    return fails_now(to) ? -1 : REAL(rename)(from, to);
}

int renameat(int from_directory, const char *from, int to_directory, const char *to) {
    return fails_at(to_directory, to) ? -1 : REAL(renameat)(from_directory, from, to_directory, to);
}

int unlink(const char *path) { return fails_now(path) ? -1 : REAL(unlink)(path); }

int unlinkat(int directory, const char *path, int flags) {
    return fails_at(directory, path) ? -1 : REAL(unlinkat)(directory, path, flags);
}

int mkdir(const char *path, mode_t mode) { return fails_now(path) ? -1 : REAL(mkdir)(path, mode); }

/* What fails to close is closed all the same, as Linux does it. */
int close(int fd) {
    int fails = fails_fd(fd);
    int number = errno;
    int result = REAL(close)(fd);
    if (!fails)
        return result;
    errno = number;
    return -1;
}
