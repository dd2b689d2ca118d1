// Processes of containers. Each container has a first process of ours that reaps, passes signals
// on to the command and takes the whole tree with it when the command ends: PID 1 of the
// container's own PID namespace, or a child subreaper where there are no namespaces.
#include "shim.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

// Descriptors of a container's first process; everything above is closed.
enum { failure_fd = 3, out_fd = 4, err_fd = 5, first_closed_fd = 6 };

static pid_t command_pid;
static bool is_pid_one;

static void report(int fd, const char *stage, int error) {
    struct failure failure = {.error = error};
    snprintf(failure.stage, sizeof failure.stage, "%s", stage);
    // The pipe holds it; the reader is our parent.
    (void)!write(fd, &failure, sizeof failure);
    _exit(127);
}

static int drop_privileges(const struct config *config) {
    if (geteuid() != 0) return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 ? 0 : errno;
    for (int capability = 0; capability < 64; capability++)
        if (!(config->capabilities >> capability & 1))
            if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0 && errno != EINVAL)
                return errno;
    if (setgroups(config->groups_count, config->groups) != 0) return errno;
    if (setresgid(config->gid, config->gid, config->gid) != 0) return errno;
    if (setresuid(config->uid, config->uid, config->uid) != 0) return errno;
    if (config->uid == 0) {
        struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
        struct __user_cap_data_struct data[2] = {{0}};
        for (int word = 0; word < 2; word++) {
            uint32_t kept = (uint32_t)(config->capabilities >> (32 * word));
            data[word].permitted = data[word].effective = kept;
        }
        if (syscall(SYS_capset, &header, data) != 0) return errno;
    }
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 ? 0 : errno;
}

static void unblock_signals(void) {
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    for (int number = 1; number < NSIG; number++) signal(number, SIG_DFL);
}

// Becomes the command; does not return.
static void run_command(const struct config *config, int failure, int out, int err) {
    setsid();
    unblock_signals();
    int null = open("/dev/null", O_RDONLY);
    if (null < 0 || dup2(null, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0)
        report(failure, "setting up standard input and output", errno);
    fcntl(failure, F_SETFD, FD_CLOEXEC);
    const char *cwd = config->cwd ? config->cwd : "/";
    if (chdir(cwd) != 0) {
        // As container engines do, a working directory that is missing is made.
        if (errno != ENOENT || !config->isolated || mkdir(cwd, 0755) != 0 || chdir(cwd) != 0)
            report(failure, "entering the working directory", errno);
    }
    umask(022);
    int error = drop_privileges(config);
    if (error) report(failure, "dropping privileges", error);
    // A killed exec takes its command with it; a change of user would have cleared this before.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    // Like close_range for what the caller left open beyond the failure pipe.
    if (null > failure) close(null);
    for (int fd = 3; fd < first_closed_fd; fd++)
        if (fd != failure) close(fd);
    environ = config->env;
    execvp(config->args[0], config->args);
    char stage[120];
    snprintf(stage, sizeof stage, "exec: \"%.100s\"", config->args[0]);
    report(failure, stage, errno);
}

static void forward(int number) {
    if (command_pid > 0) kill(command_pid, number);
}

// The shim is gone: so is the container.
static void shim_is_gone(int number) {
    (void)number;
    if (!is_pid_one) kill_children(NULL, 0);
    _exit(128 + SIGKILL);
}

static void forward_signals(void) {
    unblock_signals();
    static const int numbers[] = {
        SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH, SIGCONT};
    for (size_t index = 0; index < sizeof numbers / sizeof numbers[0]; index++)
        signal(numbers[index], forward);
    signal(SIGRTMIN + 5, shim_is_gone);
    for (int number = SIGRTMIN; number <= SIGRTMAX; number++)
        if (number != SIGRTMIN + 5) signal(number, forward);
}

static int exit_code(int status) {
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

// Waits for the command while reaping whatever else ends.
static int reap(void) {
    for (;;) {
        int status;
        pid_t pid = waitpid(-1, &status, 0);
        if (pid < 0 && errno == EINTR) continue;
        if (pid < 0) return 255;
        if (pid == command_pid) return exit_code(status);
    }
}

static void first_process(const struct config *config, const char *directory) {
    is_pid_one = getpid() == 1;
    prctl(PR_SET_PDEATHSIG, SIGRTMIN + 5);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    forward_signals();
    setsid();
    if (config->isolated) {
        if (config->hostname && sethostname(config->hostname, strlen(config->hostname)) != 0)
            report(failure_fd, "setting the host name", errno);
        const char *stage = "";
        int error = rootfs_enter(config, directory, &stage);
        if (error) report(failure_fd, stage, error);
    }
    // A signal that comes before the command exists waits until it does.
    sigset_t all, before;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    command_pid = fork();
    if (command_pid < 0) report(failure_fd, "fork", errno);
    if (command_pid == 0) run_command(config, failure_fd, out_fd, err_fd);
    sigprocmask(SIG_SETMASK, &before, NULL);
    close(failure_fd);
    close(out_fd);
    close(err_fd);
    int code = reap();
    if (!is_pid_one) kill_children(NULL, 0);
    _exit(code);
}

// Leaves the child with `failure_fd`, `out_fd`, `err_fd` and nothing else of the shim's.
static void take_descriptors(int failure, int out, int err) {
    int high[3] = {
        fcntl(failure, F_DUPFD, 64), fcntl(out, F_DUPFD, 64), fcntl(err, F_DUPFD, 64)};
    for (int index = 0; index < 3; index++)
        if (high[index] < 0 || dup2(high[index], failure_fd + index) < 0) _exit(127);
    syscall(SYS_close_range, first_closed_fd, ~0U, 0);
}

// Reads the child's failure; the pipe ends without one when the command has been executed.
static pid_t await_start(pid_t child, int fd, struct failure *failure) {
    size_t used = 0;
    while (used < sizeof *failure) {
        ssize_t got = read(fd, (char *)failure + used, sizeof *failure - used);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) break;
        used += (size_t)got;
    }
    close(fd);
    if (used == 0) return child;
    kill(child, SIGKILL);
    while (waitpid(child, NULL, 0) < 0 && errno == EINTR) {}
    return -1;
}

static pid_t fail(struct failure *failure, const char *stage) {
    failure->error = errno;
    snprintf(failure->stage, sizeof failure->stage, "%s", stage);
    return -1;
}

pid_t launch_container(
    const struct config *config, const char *directory, int out, int err,
    struct failure *failure) {
    int pipe_fds[2];
    if (pipe2(pipe_fds, O_CLOEXEC) != 0) return fail(failure, "pipe");
    unsigned long flags = SIGCHLD;
    if (config->isolated) flags |= CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC;
    pid_t child = (pid_t)syscall(SYS_clone, flags, 0, 0, 0, 0);
    if (child == 0) {
        take_descriptors(pipe_fds[1], out, err);
        first_process(config, directory);
    }
    int error = errno;
    close(pipe_fds[1]);
    if (child < 0) {
        close(pipe_fds[0]);
        errno = error;
        return fail(failure, "clone");
    }
    return await_start(child, pipe_fds[0], failure);
}

static void join_namespaces(pid_t container) {
    static const char *const names[] = {"uts", "ipc", "pid", "mnt"};
    int fds[4];
    for (size_t index = 0; index < 4; index++) {
        char path[64];
        snprintf(path, sizeof path, "/proc/%d/ns/%s", container, names[index]);
        fds[index] = open(path, O_RDONLY | O_CLOEXEC);
        if (fds[index] < 0) report(failure_fd, "finding the container", errno);
    }
    for (size_t index = 0; index < 4; index++)
        if (setns(fds[index], 0) != 0) report(failure_fd, "entering the container", errno);
    for (size_t index = 0; index < 4; index++) close(fds[index]);
}

pid_t launch_exec(
    const struct config *config, pid_t container, int out, struct failure *failure) {
    int pipe_fds[2];
    if (pipe2(pipe_fds, O_CLOEXEC) != 0) return fail(failure, "pipe");
    pid_t child = fork();
    if (child == 0) {
        take_descriptors(pipe_fds[1], out, out);
        prctl(PR_SET_PDEATHSIG, SIGRTMIN + 5);
        prctl(PR_SET_CHILD_SUBREAPER, 1);
        forward_signals();
        if (config->isolated) join_namespaces(container);
        command_pid = fork();
        if (command_pid < 0) report(failure_fd, "fork", errno);
        if (command_pid == 0) run_command(config, failure_fd, out_fd, err_fd);
        close(failure_fd);
        close(out_fd);
        close(err_fd);
        _exit(reap());
    }
    int error = errno;
    close(pipe_fds[1]);
    if (child < 0) {
        close(pipe_fds[0]);
        errno = error;
        return fail(failure, "fork");
    }
    return await_start(child, pipe_fds[0], failure);
}

// Children of a killed child become ours and show up in the next round; ends when none is left.
void kill_children(const pid_t *kept, size_t kept_count) {
    for (;;) {
        bool found = false;
        FILE *file = fopen("/proc/thread-self/children", "re");
        if (!file) return;
        int pid;
        while (fscanf(file, "%d", &pid) == 1) {
            bool is_kept = false;
            for (size_t index = 0; index < kept_count; index++)
                is_kept = is_kept || kept[index] == pid;
            if (is_kept) continue;
            found = true;
            kill(pid, SIGKILL);
            while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {}
        }
        fclose(file);
        if (!found) return;
    }
}
