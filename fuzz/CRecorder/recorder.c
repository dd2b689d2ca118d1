#define _GNU_SOURCE
#include "recorder.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char root[PATH_MAX];
static size_t root_length;
static atomic_bool is_on;
static struct recorder_operation *operations;
static size_t count, capacity;

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

void recorder_start(const char *directory) {
    snprintf(root, sizeof root, "%s", directory);
    root_length = strlen(root);
    atomic_store(&is_on, true);
}

void recorder_stop(void) { atomic_store(&is_on, false); }

size_t recorder_count(void) { return count; }

struct recorder_operation recorder_operation_at(size_t index) { return operations[index]; }

static void add(struct recorder_operation operation) {
    pthread_mutex_lock(&lock);
    if (count == capacity) {
        capacity = capacity ? capacity * 2 : 4096;
        operations = realloc(operations, capacity * sizeof *operations);
        if (!operations) abort();
    }
    operations[count++] = operation;
    pthread_mutex_unlock(&lock);
}

void recorder_note(uint64_t number) {
    add((struct recorder_operation){.kind = RECORDER_NOTE, .path = "", .offset = number});
}

/// The part of a path below the root, to keep; NULL for other files.
static char *below(const char *path) {
    if (!atomic_load(&is_on) || strncmp(path, root, root_length) != 0) return NULL;
    if (path[root_length] == 0) return strdup("");
    return path[root_length] == '/' ? strdup(path + root_length + 1) : NULL;
}

static char *of_descriptor(int descriptor) {
    if (!atomic_load(&is_on)) return NULL;
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return NULL;
    path[length] = 0;
    return below(path);
}

static void wrote(int descriptor, const void *bytes, ssize_t length, off_t offset) {
    if (length <= 0) return;
    char *path = of_descriptor(descriptor);
    if (!path) return;
    uint8_t *copy = malloc((size_t)length);
    if (!copy) abort();
    memcpy(copy, bytes, (size_t)length);
    add((struct recorder_operation){.kind = RECORDER_WRITE, .path = path,
        .offset = (uint64_t)offset, .length = (size_t)length, .bytes = copy});
}

static void wrote_vector(int descriptor, const struct iovec *parts, int n, ssize_t done, off_t at) {
    for (int i = 0; i < n && done > 0; i++) {
        ssize_t length = (ssize_t)parts[i].iov_len < done ? (ssize_t)parts[i].iov_len : done;
        wrote(descriptor, parts[i].iov_base, length, at);
        done -= length;
        at += length;
    }
}

static void did(int descriptor, enum recorder_kind kind, uint64_t size) {
    char *path = of_descriptor(descriptor);
    if (path) add((struct recorder_operation){.kind = kind, .path = path, .offset = size});
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t offset) {
    ssize_t done = NEXT(pwrite)(fd, bytes, length, offset);
    wrote(fd, bytes, done, offset);
    return done;
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t offset) {
    return pwrite(fd, bytes, length, offset);
}

ssize_t write(int fd, const void *bytes, size_t length) {
    off_t offset = atomic_load(&is_on) ? lseek(fd, 0, SEEK_CUR) : -1;
    ssize_t done = NEXT(write)(fd, bytes, length);
    if (offset >= 0) wrote(fd, bytes, done, offset);
    return done;
}

ssize_t pwritev(int fd, const struct iovec *parts, int n, off_t offset) {
    ssize_t done = NEXT(pwritev)(fd, parts, n, offset);
    wrote_vector(fd, parts, n, done, offset);
    return done;
}

ssize_t pwritev64(int fd, const struct iovec *parts, int n, off64_t offset) {
    return pwritev(fd, parts, n, offset);
}

ssize_t writev(int fd, const struct iovec *parts, int n) {
    off_t offset = atomic_load(&is_on) ? lseek(fd, 0, SEEK_CUR) : -1;
    ssize_t done = NEXT(writev)(fd, parts, n);
    if (offset >= 0) wrote_vector(fd, parts, n, done, offset);
    return done;
}

int ftruncate(int fd, off_t size) {
    int result = NEXT(ftruncate)(fd, size);
    if (result == 0) did(fd, RECORDER_RESIZE, (uint64_t)size);
    return result;
}

int ftruncate64(int fd, off64_t size) { return ftruncate(fd, size); }

int posix_fallocate(int fd, off_t offset, off_t length) {
    int result = NEXT(posix_fallocate)(fd, offset, length);
    if (result == 0) did(fd, RECORDER_RESIZE, (uint64_t)(offset + length));
    return result;
}

int posix_fallocate64(int fd, off64_t offset, off64_t length) {
    return posix_fallocate(fd, offset, length);
}

int fsync(int fd) {
    int result = NEXT(fsync)(fd);
    if (result == 0) did(fd, RECORDER_SYNC, 0);
    return result;
}

int fdatasync(int fd) {
    int result = NEXT(fdatasync)(fd);
    if (result == 0) did(fd, RECORDER_SYNC, 0);
    return result;
}

// Nothing here writes through a map; if LMDB ever does, this stops the recorded run.
int msync(void *address, size_t length, int flags) {
    if (atomic_load(&is_on)) abort();
    return NEXT(msync)(address, length, flags);
}

static int opened(int (*next)(const char *, int, ...), const char *path, int flags, mode_t mode) {
    bool is_new = flags & O_CREAT && access(path, F_OK) != 0;
    int fd = next(path, flags, mode);
    if (fd < 0) return fd;
    if (is_new) did(fd, RECORDER_CREATE, 0);
    if (!is_new && flags & O_TRUNC) did(fd, RECORDER_RESIZE, 0);
    return fd;
}

int open(const char *path, int flags, ...) {
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = flags & O_CREAT ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    return opened((int (*)(const char *, int, ...))dlsym(RTLD_NEXT, "open"), path, flags, mode);
}

int open64(const char *path, int flags, ...) {
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = flags & O_CREAT ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    return opened((int (*)(const char *, int, ...))dlsym(RTLD_NEXT, "open64"), path, flags, mode);
}

static void named(enum recorder_kind kind, const char *path, const char *target) {
    char *own = below(path);
    if (!own) return;
    add((struct recorder_operation){
        .kind = kind, .path = own, .target = target ? below(target) : NULL});
}

int rename(const char *old, const char *new) {
    int result = NEXT(rename)(old, new);
    if (result == 0) named(RECORDER_RENAME, old, new);
    return result;
}

int unlink(const char *path) {
    int result = NEXT(unlink)(path);
    if (result == 0) named(RECORDER_REMOVE, path, NULL);
    return result;
}

int rmdir(const char *path) {
    int result = NEXT(rmdir)(path);
    if (result == 0) named(RECORDER_REMOVE, path, NULL);
    return result;
}

int mkdir(const char *path, mode_t mode) {
    int result = NEXT(mkdir)(path, mode);
    if (result == 0) named(RECORDER_MAKE_DIRECTORY, path, NULL);
    return result;
}
