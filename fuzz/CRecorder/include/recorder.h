#pragma once

#include <stddef.h>
#include <stdint.h>

/// Keeps what this process does to the files below one directory: every write, change of size, sync,
/// creation, new name and removal, in order. A program that links this target replaces the calls of
/// the C library, also for the libraries that it loads (LMDB); nothing that is released links it.

enum recorder_kind {
    RECORDER_CREATE = 1,
    RECORDER_WRITE,
    /// `offset` is the new size.
    RECORDER_RESIZE,
    /// Of a file's content, or of a directory's names.
    RECORDER_SYNC,
    RECORDER_RENAME,
    RECORDER_REMOVE,
    RECORDER_MAKE_DIRECTORY,
    /// Noted by the caller: `offset` is the caller's number.
    RECORDER_NOTE,
};

struct recorder_operation {
    enum recorder_kind kind;
    /// Relative to the directory; empty for itself.
    const char *path;
    /// New name of a renamed file.
    const char *target;
    uint64_t offset;
    size_t length;
    const uint8_t *bytes;
};

/// From now on; `directory` is an absolute path without a slash at the end.
void recorder_start(const char *directory);
void recorder_stop(void);
void recorder_note(uint64_t number);
size_t recorder_count(void);
struct recorder_operation recorder_operation_at(size_t index);
