// Process calls of the supervisor that Swift cannot make safely: fork, and signals as a file.
#pragma once
#include <sys/types.h>

/// Blocks SIGINT, SIGTERM and SIGCHLD in this thread and answers a descriptor that reads as
/// one `struct signalfd_siginfo` per signal; -1 and errno on failure. Call before other threads.
int martlet_signal_descriptor(void);

/// Takes the next signal number off the descriptor; 0 when there is none.
int martlet_next_signal(int descriptor);

/// Starts `path` in a process group of its own, with `link` as descriptor 3, `log` as standard
/// output and error, and no standard input. Answers the pid, or -1 and errno.
pid_t martlet_spawn(
    const char *path, char *const arguments[], char *const environment[], int link, int log);

/// Names the calling thread, to 15 bytes.
void martlet_name_thread(const char *name);

/// From now on SIGINT and SIGTERM write a byte that the descriptor answered reads; SIGPIPE is
/// ignored. -1 and errno on failure. Handlers, not a blocked mask: libdispatch's main thread
/// waits with every signal unblocked.
int martlet_stop_signal_descriptor(void);
