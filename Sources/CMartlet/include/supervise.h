// Process calls of the supervisor that Swift cannot make safely: fork, and signals as bytes.
#pragma once
#include <stdbool.h>
#include <sys/types.h>

/// From now on SIGINT and SIGTERM, and SIGCHLD if asked for, write their number as a byte that
/// the descriptor answered reads; SIGPIPE is ignored. -1 and errno on failure. Handlers, not a
/// blocked mask: libdispatch's main thread waits with every signal unblocked.
int martlet_signal_descriptor(bool with_children);

/// A write that would pass the process's limit for files is an error from now on, and not the
/// end of the process. Programs that are started later are not concerned.
void martlet_survive_file_limit(void);

/// Starts `path` in a process group of its own, with `link` as descriptor 3, `log` as standard
/// output and error, and no standard input. Answers the pid, or -1 and errno.
pid_t martlet_spawn(
    const char *path, char *const arguments[], char *const environment[], int link, int log);

/// Names the calling thread, to 15 bytes.
void martlet_name_thread(const char *name);
