#define _GNU_SOURCE
#include "cmartlet_agent.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

int martlet_run(const char *path, const char *const *arguments) {
    // vfork would do; fork of a small agent costs well under a millisecond and is safer.
    pid_t child = fork();
    if (child < 0) return -errno;
    if (child == 0) {
        int null = open("/dev/null", O_RDWR);
        for (int fd = 0; fd < 3; fd++)
            if (null < 0 || dup2(null, fd) < 0) _exit(127);
        syscall(SYS_close_range, 3, ~0U, 0);
        sigset_t none;
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        execv(path, (char *const *)arguments);
        _exit(127);
    }
    int status;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR) return -errno;
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int martlet_become_subreaper(void) {
    return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0 ? 0 : errno;
}

int martlet_connect_unix(const char *directory, const char *name) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int parent = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (parent < 0) return -errno;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        int error = errno;
        close(parent);
        return -error;
    }
    snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/%s", parent, name);
    int error = connect(fd, (struct sockaddr *)&address, sizeof address) == 0 ? 0 : errno;
    close(parent);
    if (error == 0 && fcntl(fd, F_SETFL, O_NONBLOCK) != 0) error = errno;
    if (error == 0) return fd;
    close(fd);
    return -error;
}

int martlet_mount_tmpfs(const char *path, uint64_t bytes_max) {
    char options[64];
    snprintf(
        options, sizeof options, "mode=0755,size=%llu", (unsigned long long)bytes_max);
    unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;
    return mount("tmpfs", path, "tmpfs", flags, options) == 0 ? 0 : errno;
}

int martlet_unmount(const char *path) {
    return umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) == 0 ? 0 : errno;
}

bool martlet_can_isolate(void) {
    if (geteuid() != 0) return false;
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2];
    memset(data, 0, sizeof data);
    if (syscall(SYS_capget, &header, data) != 0) return false;
    uint32_t wanted = 1u << CAP_SYS_ADMIN | 1u << CAP_NET_ADMIN;
    return (data[0].effective & wanted) == wanted;
}

bool martlet_process_exists(int32_t pid) {
    return pid > 0 && (kill(pid, 0) == 0 || errno == EPERM);
}

void martlet_reap(int32_t pid) {
    // The socket's end comes a moment before the exit; a short wait finds it.
    for (int turn = 0; turn < 50; turn++) {
        pid_t found = waitpid(pid, NULL, WNOHANG);
        if (found != 0) return;
        usleep(2000);
    }
}

int martlet_watch_directory(const char *path) {
    int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (fd < 0) return -errno;
    uint32_t mask = IN_MODIFY | IN_CREATE | IN_CLOSE_WRITE | IN_MOVED_FROM | IN_DELETE_SELF;
    if (inotify_add_watch(fd, path, mask) >= 0) return fd;
    int error = errno;
    close(fd);
    return -error;
}
