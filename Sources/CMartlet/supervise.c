#define _GNU_SOURCE
#include "supervise.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static int signal_writer = -1;

static void note_signal(int number) {
    int before = errno;
    unsigned char byte = (unsigned char)number;
    ssize_t written = write(signal_writer, &byte, 1);
    (void)written;
    errno = before;
}

int martlet_signal_descriptor(bool with_children) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return -1;
    fcntl(ends[1], F_SETFL, O_NONBLOCK);
    signal_writer = ends[1];
    struct sigaction action = {.sa_handler = note_signal, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    if (with_children) sigaction(SIGCHLD, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
    return ends[0];
}

static void nothing(int number) { (void)number; }

void martlet_survive_file_limit(void) {
    // A handler, because an ignored signal would stay so in programs that are started.
    struct sigaction action = {.sa_handler = nothing, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaction(SIGXFSZ, &action, NULL);
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
