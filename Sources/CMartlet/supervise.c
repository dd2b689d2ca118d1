#define _GNU_SOURCE
#include "supervise.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

static void watched_signals(sigset_t *set) {
    sigemptyset(set);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGCHLD);
}

int martlet_signal_descriptor(void) {
    sigset_t set;
    watched_signals(&set);
    // Set process-wide dispositions too: a child must not inherit an ignored signal from a shell.
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    signal(SIGPIPE, SIG_IGN);
    if (sigprocmask(SIG_BLOCK, &set, NULL) != 0) return -1;
    return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

int martlet_next_signal(int descriptor) {
    struct signalfd_siginfo info;
    ssize_t count = read(descriptor, &info, sizeof info);
    return count == (ssize_t)sizeof info ? (int)info.ssi_signo : 0;
}

pid_t martlet_spawn(
    const char *path, char *const arguments[], char *const environment[], int link, int log) {
    pid_t child = fork();
    if (child != 0) return child;
    // Only async-signal-safe calls from here on.
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    setpgid(0, 0);
    int null = open("/dev/null", O_RDONLY);
    if (null < 0 || dup2(null, 0) < 0 || dup2(log, 1) < 0 || dup2(log, 2) < 0) _exit(126);
    if (link == 3) {
        if (fcntl(3, F_SETFD, 0) != 0) _exit(126);
    } else if (dup2(link, 3) < 0) {
        _exit(126);
    }
    syscall(SYS_close_range, 4U, ~0U, 0U);
    execve(path, arguments, environment);
    _exit(127);
}

void martlet_name_thread(const char *name) { prctl(PR_SET_NAME, name); }

static int stop_signal_writer = -1;

static void note_stop_signal(int number) {
    int before = errno;
    unsigned char byte = (unsigned char)number;
    ssize_t written = write(stop_signal_writer, &byte, 1);
    (void)written;
    errno = before;
}

int martlet_stop_signal_descriptor(void) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return -1;
    fcntl(ends[1], F_SETFL, O_NONBLOCK);
    stop_signal_writer = ends[1];
    struct sigaction action = {.sa_handler = note_stop_signal, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
    return ends[0];
}
