// The CRI log format: "TIME stdout|stderr F|P TEXT\n". P marks a record whose line goes on in
// the next record of the same stream.
#include "shim.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

void format_time(struct timespec time, char text[32]) {
    struct tm parts;
    gmtime_r(&time.tv_sec, &parts);
    char wide[96];
    snprintf(
        wide, sizeof wide, "%04d-%02d-%02dT%02d:%02d:%02d.%09ldZ", (parts.tm_year + 1900) % 10000,
        parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
        time.tv_nsec % 1000000000);
    memcpy(text, wide, 31);
    text[31] = 0;
}

int log_open(struct log *log, const char *path) {
    snprintf(log->path, sizeof log->path, "%s", path);
    log->fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (log->fd < 0) return errno;
    struct stat status;
    log->bytes = fstat(log->fd, &status) == 0 ? status.st_size : 0;
    return 0;
}

void log_close(struct log *log) {
    if (log->fd >= 0) close(log->fd);
    log->fd = -1;
}

// PATH becomes PATH.1, PATH.1 becomes PATH.2, and the oldest goes.
static void log_rotate(struct log *log) {
    char from[560], to[560];
    for (int index = log_files_max - 1; index > 0; index--) {
        if (index > 1) snprintf(from, sizeof from, "%s.%d", log->path, index - 1);
        else snprintf(from, sizeof from, "%s", log->path);
        snprintf(to, sizeof to, "%s.%d", log->path, index);
        rename(from, to);
    }
    close(log->fd);
    char path[sizeof log->path];
    memcpy(path, log->path, sizeof path);
    log_open(log, path);
}

// A full disk loses log lines, never the container.
static void log_record(
    struct log *log, const char *stream, char tag, const char *text, size_t count) {
    if (log->fd < 0) return;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    char time[32], head[64];
    format_time(now, time);
    int head_count = snprintf(head, sizeof head, "%s %s %c ", time, stream, tag);
    struct iovec parts[3] = {
        {head, (size_t)head_count}, {(void *)text, count}, {(void *)"\n", 1}};
    ssize_t written = writev(log->fd, parts, 3);
    if (written > 0) log->bytes += written;
    // Rotation waits for the end of a line, so that no line is spread over two files.
    if (log->bytes > log_bytes_max && tag == 'F') log_rotate(log);
}

static void take(struct stream *stream, struct log *log, const char *bytes, size_t count) {
    while (count) {
        const char *end = memchr(bytes, '\n', count);
        size_t part = end ? (size_t)(end - bytes) : count;
        size_t space = line_bytes_max - stream->used;
        if (part > space) {
            memcpy(stream->line + stream->used, bytes, space);
            log_record(log, stream->name, 'P', stream->line, line_bytes_max);
            stream->used = 0;
            stream->is_partial = true;
            bytes += space;
            count -= space;
            continue;
        }
        memcpy(stream->line + stream->used, bytes, part);
        stream->used += part;
        bytes += part;
        count -= part;
        if (end) {
            log_record(log, stream->name, 'F', stream->line, stream->used);
            stream->used = 0;
            stream->is_partial = false;
            bytes += 1;
            count -= 1;
        }
    }
}

bool stream_drain(struct stream *stream, struct log *log) {
    char bytes[line_bytes_max];
    // Bounded, so that one noisy container does not keep the shim from its requests.
    for (int turn = 0; turn < 16 && stream->fd >= 0; turn++) {
        ssize_t got = read(stream->fd, bytes, sizeof bytes);
        if (got > 0) {
            take(stream, log, bytes, (size_t)got);
            continue;
        }
        if (got < 0 && errno == EINTR) continue;
        if (got < 0 && errno == EAGAIN) return true;
        close(stream->fd);
        stream->fd = -1;
    }
    return stream->fd >= 0;
}

void stream_finish(struct stream *stream, struct log *log) {
    if (stream->used) log_record(log, stream->name, 'P', stream->line, stream->used);
    stream->used = 0;
}
