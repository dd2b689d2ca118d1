// The parts of martlet-shim. One shim process holds one pod; see docs/formats/pod-state.md.
#pragma once

#ifndef _GNU_SOURCE
#define _GNU_SOURCE  // every file includes this header first
#endif

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

enum {
    line_bytes_max = 16 * 1024,          // a longer log line is split into partial lines
    log_bytes_max = 10 * 1024 * 1024,    // then the log is rotated
    log_files_max = 5,                   // the current one included
    exec_output_bytes_max = 64 * 1024,   // what an exec may answer; the rest is dropped
    command_bytes_max = 4096,            // longest request line
    name_bytes_max = 320,                // container directory name or exec id
};

// ---- config.c: what the agent wants to run, read from NUL-terminated records ----

struct bind {
    char *source;
    char *target;
    bool read_only;
};

struct config {
    char *text;  // owns every string below
    char **args;
    char **env;
    struct bind *binds;
    char **hidden;
    size_t args_count, env_count, binds_count, hidden_count;
    gid_t groups[64];
    size_t groups_count;
    char *cwd;
    char *log;
    char *hostname;
    uid_t uid;
    gid_t gid;
    uint64_t capabilities;  // bit n keeps capability n
    bool isolated;          // own PID, mount, UTS and IPC namespaces; needs root
    bool read_only_root;
};

// Reads and parses a file; returns 0 or an errno.
int config_read(const char *path, struct config *config);
void config_free(struct config *config);

// ---- log.c: the CRI log format ----

struct log {
    int fd;
    off_t bytes;
    char path[512];
};

struct stream {
    int fd;  // read end of the pipe; -1 after its end
    const char *name;
    size_t used;
    bool is_partial;  // the line has been begun by a partial record
    char line[line_bytes_max];
};

// RFC 3339 with nanoseconds and Z: 30 characters and a NUL.
void format_time(struct timespec time, char text[32]);
int log_open(struct log *log, const char *path);
void log_close(struct log *log);
// Reads what the pipe holds; returns false at its end, when the fd is closed.
bool stream_drain(struct stream *stream, struct log *log);
// Writes what is left of a line without an end.
void stream_finish(struct stream *stream, struct log *log);

// ---- rootfs.c: the file system a container sees ----

// Runs in the container's first process inside its new mount namespace; 0 or an errno, with
// `*stage` naming what failed.
int rootfs_enter(const struct config *config, const char *directory, const char **stage);

// ---- launch.c: processes ----

struct failure {
    int error;        // errno
    char stage[120];  // what failed, for people
};

// Starts the container's first process; its output goes to `out` and `err`, of which the callee
// closes neither. Returns the pid, or -1 with `failure` filled in.
pid_t launch_container(
    const struct config *config, const char *directory, int out, int err,
    struct failure *failure);
// Starts a command inside a container that runs (`container` is its first process) or, without
// isolation, beside it.
pid_t launch_exec(
    const struct config *config, pid_t container, int out, struct failure *failure);
// Kills every process of which this one is the parent, but those in `kept`.
void kill_children(const pid_t *kept, size_t kept_count);
