// Counts crashes of the process in a file: a byte for each SIGSEGV, SIGBUS or SIGABRT.
#pragma once

/// From now on a crash adds a byte to the file at `path`, which is made if absent, and the process
/// then dies as it would have. Answers the place to give back, or -1 and errno.
int martlet_note_crashes(const char *path);

/// Crashes do not count for this file any more.
void martlet_forget_crashes(int place);
