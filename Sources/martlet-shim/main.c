// martlet-shim [--network] DIRECTORY: holds the processes of one pod.
//
// It outlives the agent that started it. Agents talk to it over DIRECTORY/shim.sock in lines, see
// docs/formats/pod-state.md. It ends on "quit", or when the socket is removed.
#include "shim.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum kind { kind_listener, kind_signals, kind_directory, kind_client, kind_stream, kind_exec };

// What an epoll event points at.
struct source {
    enum kind kind;
    int fd;
    void *owner;
};

struct container {
    struct container *next;
    char name[name_bytes_max];
    pid_t pid;
    bool is_isolated, has_ended;
    int code;
    char started[32], finished[32];
    struct config config;  // kept for execs: they run as the container does
    struct log log;
    struct stream out, err;
    struct source out_source, err_source;
};

struct exec {
    struct exec *next;
    char name[name_bytes_max];
    pid_t pid;
    struct source source;
    struct timespec deadline;
    bool has_deadline, has_ended, is_late;
    int code;
    size_t used;
    char output[exec_output_bytes_max];
};

struct client {
    struct client *next;
    struct source source;
    bool is_broken;
    size_t used;
    char line[command_bytes_max];
};

static int epoll = -1;
static struct container *containers;
static struct exec *execs;
static struct client *clients;
static bool is_quitting;

static void watch(struct source *source, int fd, enum kind kind, void *owner) {
    *source = (struct source){kind, fd, owner};
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = source};
    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

static void now_text(char text[32]) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    format_time(now, text);
}

// ---- answers and events ----

// A client that does not read loses its connection, never holds the pod up.
static void send_bytes(struct client *client, const char *bytes, size_t count) {
    while (count && !client->is_broken) {
        ssize_t sent = send(client->source.fd, bytes, count, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno == EINTR) continue;
        if (sent < 0) {
            client->is_broken = true;
            shutdown(client->source.fd, SHUT_RDWR);
            return;
        }
        bytes += sent;
        count -= (size_t)sent;
    }
}

__attribute__((format(printf, 2, 3)))
static void answer(struct client *only, const char *format, ...) {
    char line[1024];
    va_list arguments;
    va_start(arguments, format);
    int count = vsnprintf(line, sizeof line - 1, format, arguments);
    va_end(arguments);
    if (count < 0) return;
    if ((size_t)count > sizeof line - 2) count = sizeof line - 2;
    line[count++] = '\n';
    if (only) {
        send_bytes(only, line, (size_t)count);
        return;
    }
    for (struct client *client = clients; client; client = client->next)
        send_bytes(client, line, (size_t)count);
}

// ---- containers ----

static void save_state(const struct container *container) {
    char path[400], temporary[420], text[200];
    snprintf(path, sizeof path, "containers/%s/state", container->name);
    snprintf(temporary, sizeof temporary, "%s.new", path);
    int count = snprintf(
        text, sizeof text, "pid %d\nstarted %s\n", container->pid, container->started);
    if (container->has_ended)
        count += snprintf(
            text + count, sizeof text - (size_t)count, "finished %s\ncode %d\n",
            container->finished, container->code);
    int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) return;
    ssize_t written = write(fd, text, (size_t)count);
    close(fd);
    if (written == count) rename(temporary, path);
}

static bool is_plain_name(const char *name) {
    size_t count = strlen(name);
    return count > 0 && count < name_bytes_max && !strchr(name, '/') && name[0] != '.';
}

static struct container *find_container(const char *name) {
    for (struct container *container = containers; container; container = container->next)
        if (!strcmp(container->name, name)) return container;
    return NULL;
}

static int open_pipe(int fds[2]) {
    if (pipe2(fds, O_CLOEXEC) != 0) return errno;
    fcntl(fds[0], F_SETFL, O_NONBLOCK);
    return 0;
}

static void start_container(struct client *client, const char *name) {
    char path[400];
    struct config config;
    if (!is_plain_name(name) || find_container(name)) {
        answer(client, "failed %s %d name is taken or malformed", name, EEXIST);
        return;
    }
    snprintf(path, sizeof path, "containers/%s/config", name);
    int error = config_read(path, &config);
    unlink(path);  // it holds the values of secrets
    if (error) {
        answer(client, "failed %s %d reading the configuration", name, error);
        return;
    }
    struct container *container = calloc(1, sizeof *container);
    if (!container) abort();
    strcpy(container->name, name);
    container->log.fd = -1;
    if (config.log && (error = log_open(&container->log, config.log))) {
        answer(client, "failed %s %d opening the log", name, error);
        config_free(&config);
        free(container);
        return;
    }
    int out[2] = {-1, -1}, err[2] = {-1, -1};
    struct failure failure = {0};
    snprintf(path, sizeof path, "containers/%s", name);
    if (open_pipe(out) != 0 || open_pipe(err) != 0) {
        failure.error = errno;
        snprintf(failure.stage, sizeof failure.stage, "pipe");
        container->pid = -1;
    } else {
        container->pid = launch_container(&config, path, out[1], err[1], &failure);
    }
    if (out[1] >= 0) close(out[1]);
    if (err[1] >= 0) close(err[1]);
    container->is_isolated = config.isolated;
    container->config = config;
    if (container->pid < 0) {
        config_free(&container->config);
        if (out[0] >= 0) close(out[0]);
        if (err[0] >= 0) close(err[0]);
        log_close(&container->log);
        free(container);
        answer(client, "failed %s %d %s", name, failure.error, failure.stage);
        return;
    }
    container->out = (struct stream){.fd = out[0], .name = "stdout"};
    container->err = (struct stream){.fd = err[0], .name = "stderr"};
    watch(&container->out_source, out[0], kind_stream, container);
    watch(&container->err_source, err[0], kind_stream, container);
    now_text(container->started);
    container->next = containers;
    containers = container;
    save_state(container);
    answer(client, "started %s %d %s", name, container->pid, container->started);
}

static void drain(struct container *container, struct stream *stream) {
    if (stream->fd < 0) return;
    if (!stream_drain(stream, &container->log)) stream_finish(stream, &container->log);
}

static void end_container(struct container *container, int code) {
    // What the processes wrote is in the pipes; nobody else holds their other ends.
    for (int turn = 0; turn < 64 && (container->out.fd >= 0 || container->err.fd >= 0); turn++) {
        drain(container, &container->out);
        drain(container, &container->err);
    }
    if (container->out.fd >= 0) close(container->out.fd);
    if (container->err.fd >= 0) close(container->err.fd);
    container->out.fd = container->err.fd = -1;
    stream_finish(&container->out, &container->log);
    stream_finish(&container->err, &container->log);
    log_close(&container->log);
    container->has_ended = true;
    container->code = code;
    config_free(&container->config);
    now_text(container->finished);
    save_state(container);
    answer(NULL, "exited %s %d %s", container->name, code, container->finished);
}

static void list_containers(struct client *client) {
    for (struct container *container = containers; container; container = container->next) {
        if (container->has_ended)
            answer(
                client, "container %s %d %s %s %d", container->name, container->pid,
                container->started, container->finished, container->code);
        else
            answer(
                client, "container %s %d %s", container->name, container->pid,
                container->started);
    }
    answer(client, "end");
}

// ---- execs ----

static void start_exec(
    struct client *client, const char *name, const char *target, long timeout_milliseconds) {
    char path[400];
    struct config config;
    struct container *container = find_container(target);
    snprintf(path, sizeof path, "exec-%s", name);
    int error = is_plain_name(name) ? config_read(path, &config) : EINVAL;
    if (is_plain_name(name)) unlink(path);
    if (error || !container || container->has_ended) {
        answer(client, "unexecuted %s %d container is not running", name, error ? error : ESRCH);
        if (!error) config_free(&config);
        return;
    }
    struct exec *exec = calloc(1, sizeof *exec);
    int out[2];
    struct failure failure = {0};
    if (!exec || open_pipe(out) != 0) abort();
    strcpy(exec->name, name);
    struct config merged = container->config;
    merged.args = config.args;
    exec->pid = launch_exec(&merged, container->pid, out[1], &failure);
    close(out[1]);
    config_free(&config);
    if (exec->pid < 0) {
        close(out[0]);
        free(exec);
        answer(client, "unexecuted %s %d %s", name, failure.error, failure.stage);
        return;
    }
    if (timeout_milliseconds > 0) {
        clock_gettime(CLOCK_MONOTONIC, &exec->deadline);
        exec->deadline.tv_sec += timeout_milliseconds / 1000;
        exec->deadline.tv_nsec += timeout_milliseconds % 1000 * 1000000;
        exec->deadline.tv_sec += exec->deadline.tv_nsec / 1000000000;
        exec->deadline.tv_nsec %= 1000000000;
        exec->has_deadline = true;
    }
    watch(&exec->source, out[0], kind_exec, exec);
    exec->next = execs;
    execs = exec;
}

static void drain_exec(struct exec *exec) {
    char bytes[4096];
    while (exec->source.fd >= 0) {
        ssize_t got = read(exec->source.fd, bytes, sizeof bytes);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0 && errno == EAGAIN) return;
        if (got <= 0) {
            close(exec->source.fd);
            exec->source.fd = -1;
            return;
        }
        size_t space = sizeof exec->output - exec->used;
        size_t taken = (size_t)got < space ? (size_t)got : space;
        memcpy(exec->output + exec->used, bytes, taken);
        exec->used += taken;
    }
}

static void end_exec(struct exec *exec, int code) {
    drain_exec(exec);
    if (exec->source.fd >= 0) close(exec->source.fd);
    exec->source.fd = -1;
    exec->has_ended = true;
    answer(
        NULL, "executed %s %d %zu %s", exec->name, code, exec->used,
        exec->is_late ? "timeout" : "done");
    for (struct client *client = clients; client; client = client->next)
        send_bytes(client, exec->output, exec->used);
}

// Milliseconds until the next deadline, -1 for none; kills what is late.
static int next_deadline(void) {
    int64_t least = -1;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    for (struct exec *exec = execs; exec; exec = exec->next) {
        if (!exec->has_deadline || exec->has_ended) continue;
        int64_t left = (exec->deadline.tv_sec - now.tv_sec) * 1000
            + (exec->deadline.tv_nsec - now.tv_nsec) / 1000000 + 1;
        if (left <= 1) {
            exec->is_late = true;
            exec->has_deadline = false;
            kill(exec->pid, SIGKILL);
        } else if (least < 0 || left < least) {
            least = left;
        }
    }
    return (int)least;
}

// ---- events ----

static void reap(void) {
    int status;
    pid_t pid;
    bool has_strays = false;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        int code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
        for (struct exec *exec = execs; exec; exec = exec->next)
            if (exec->pid == pid && !exec->has_ended) end_exec(exec, code);
        for (struct container *container = containers; container; container = container->next) {
            if (container->pid != pid || container->has_ended) continue;
            has_strays = has_strays || !container->is_isolated;
            container->has_ended = true;  // not among the kept ones below
            container->code = code;
        }
    }
    if (has_strays) {
        // Without a PID namespace, what a killed first process leaves behind comes to us.
        pid_t kept[256];
        size_t count = 0;
        for (struct container *container = containers; container; container = container->next)
            if (!container->has_ended && count < 256) kept[count++] = container->pid;
        for (struct exec *exec = execs; exec; exec = exec->next)
            if (!exec->has_ended && count < 256) kept[count++] = exec->pid;
        kill_children(kept, count);
    }
    for (struct container *container = containers; container; container = container->next)
        if (container->has_ended && !container->finished[0])
            end_container(container, container->code);
}

static void quit(void) {
    is_quitting = true;
    for (struct container *container = containers; container; container = container->next)
        if (!container->has_ended) kill(container->pid, SIGKILL);
    for (struct exec *exec = execs; exec; exec = exec->next)
        if (!exec->has_ended) kill(exec->pid, SIGKILL);
}

static void command(struct client *client, char *line) {
    char *words[4] = {"", "", "", ""};
    size_t count = 0;
    for (char *word = strtok(line, " "); word && count < 4; word = strtok(NULL, " "))
        words[count++] = word;
    if (!strcmp(words[0], "start")) start_container(client, words[1]);
    else if (!strcmp(words[0], "list")) list_containers(client);
    else if (!strcmp(words[0], "quit")) quit();
    else if (!strcmp(words[0], "exec"))
        start_exec(client, words[1], words[2], strtol(words[3], NULL, 10));
    else if (!strcmp(words[0], "signal")) {
        struct container *container = find_container(words[1]);
        int number = atoi(words[2]);
        if (container && !container->has_ended && number > 0) kill(container->pid, number);
    } else if (!strcmp(words[0], "forget")) {
        for (struct container **link = &containers; *link; link = &(*link)->next) {
            struct container *found = *link;
            if (strcmp(found->name, words[1]) != 0 || !found->has_ended) continue;
            *link = found->next;
            free(found);
            break;
        }
    } else answer(client, "unknown %s", words[0]);
}

static void read_client(struct client *client) {
    ssize_t got = recv(
        client->source.fd, client->line + client->used, sizeof client->line - client->used,
        MSG_DONTWAIT);
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) return;
    if (got <= 0) {
        client->is_broken = true;
        return;
    }
    client->used += (size_t)got;
    char *start = client->line, *end;
    while ((end = memchr(start, '\n', client->used - (size_t)(start - client->line)))) {
        *end = 0;
        command(client, start);
        start = end + 1;
    }
    client->used -= (size_t)(start - client->line);
    memmove(client->line, start, client->used);
    if (client->used == sizeof client->line) client->is_broken = true;
}

static void accept_client(int listener) {
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    struct client *client = fd < 0 ? NULL : calloc(1, sizeof *client);
    if (!client) return;
    watch(&client->source, fd, kind_client, client);
    client->next = clients;
    clients = client;
}

// Frees after a round of events, when nothing points at the freed any more.
static void sweep(void) {
    for (struct client **link = &clients; *link;) {
        struct client *client = *link;
        if (!client->is_broken) {
            link = &client->next;
            continue;
        }
        *link = client->next;
        close(client->source.fd);
        free(client);
    }
    for (struct exec **link = &execs; *link;) {
        struct exec *exec = *link;
        if (!exec->has_ended) {
            link = &exec->next;
            continue;
        }
        *link = exec->next;
        free(exec);
    }
}

static bool is_socket_removed(int fd) {
    char bytes[4096] __attribute__((aligned(8)));
    bool is_removed = false;
    for (;;) {
        ssize_t got = read(fd, bytes, sizeof bytes);
        if (got <= 0) return is_removed;
        for (ssize_t at = 0; at < got;) {
            struct inotify_event *event = (struct inotify_event *)(bytes + at);
            is_removed = is_removed || (event->len && !strcmp(event->name, "shim.sock"));
            at += (ssize_t)(sizeof *event + event->len);
        }
    }
}

static void dispatch(struct source *source) {
    struct container *container = source->owner;
    struct signalfd_siginfo info;
    switch (source->kind) {
    case kind_listener: accept_client(source->fd); break;
    case kind_client: read_client(source->owner); break;
    case kind_exec: drain_exec(source->owner); break;
    case kind_directory: if (is_socket_removed(source->fd)) quit(); break;
    case kind_signals:
        while (read(source->fd, &info, sizeof info) > 0) {}
        reap();
        break;
    case kind_stream:
        drain(
            container,
            source == &container->out_source ? &container->out : &container->err);
        break;
    }
}

static bool has_processes(void) {
    for (struct container *container = containers; container; container = container->next)
        if (!container->has_ended) return true;
    return false;
}

static void run(void) {
    struct epoll_event events[32];
    while (!is_quitting || has_processes()) {
        int count = epoll_wait(epoll, events, 32, next_deadline());
        for (int index = 0; index < count; index++) dispatch(events[index].data.ptr);
        sweep();
    }
    unlink("shim.sock");
}

// ---- start ----

static int fail(const char *what) {
    fprintf(stderr, "martlet-shim: %s: %s\n", what, strerror(errno));
    return 1;
}

static int enter_network(void) {
    if (unshare(CLONE_NEWNET) != 0) return -1;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct ifreq request = {0};
    strcpy(request.ifr_name, "lo");
    request.ifr_flags = IFF_UP | IFF_RUNNING;
    int result = ioctl(fd, SIOCSIFFLAGS, &request);
    close(fd);
    // As in other runtimes, no privilege is needed for low ports of the pod's own network.
    int ports = open("/proc/sys/net/ipv4/ip_unprivileged_port_start", O_WRONLY | O_CLOEXEC);
    if (ports >= 0) {
        (void)!write(ports, "0", 1);
        close(ports);
    }
    return result;
}

static int listen_here(void) {
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "shim.sock"};
    unlink(address.sun_path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return -1;
    mode_t before = umask(0177);
    int result = bind(fd, (struct sockaddr *)&address, sizeof address);
    umask(before);
    return result == 0 && listen(fd, 8) == 0 ? fd : -1;
}

static void detach_output(void) {
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    int log = open("shim.log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (null >= 0) dup2(null, 0);
    if (log >= 0) {
        dup2(log, 1);
        dup2(log, 2);
    }
}

static void save_pid(void) {
    FILE *file = fopen("shim.pid", "we");
    if (!file) return;
    fprintf(file, "%d\n", getpid());
    fclose(file);
}

int main(int count, char **arguments) {
    bool has_network = count > 2 && !strcmp(arguments[1], "--network");
    if (count != (has_network ? 3 : 2)) {
        fprintf(stderr, "usage: martlet-shim [--network] DIRECTORY\n");
        return 64;
    }
    if (chdir(arguments[count - 1]) != 0) return fail(arguments[count - 1]);
    int ready[2];
    if (pipe2(ready, O_CLOEXEC) != 0) return fail("pipe");
    pid_t child = fork();
    if (child < 0) return fail("fork");
    if (child > 0) {
        // The caller waits for this process; when it ends well, the socket listens.
        char byte;
        close(ready[1]);
        return read(ready[0], &byte, 1) == 1 ? 0 : 1;
    }
    setsid();
    if (has_network && enter_network() != 0) return fail("making the pod's network namespace");
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    sigset_t handled;
    sigemptyset(&handled);
    sigaddset(&handled, SIGCHLD);
    sigprocmask(SIG_SETMASK, &handled, NULL);
    signal(SIGPIPE, SIG_IGN);
    // The agent's stop must not be ours: only a quit, a kill or the pod's end stops a shim.
    signal(SIGTERM, SIG_IGN);
    signal(SIGINT, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    epoll = epoll_create1(EPOLL_CLOEXEC);
    int signals = signalfd(-1, &handled, SFD_CLOEXEC | SFD_NONBLOCK);
    int listener = listen_here();
    int directory = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (epoll < 0 || signals < 0 || listener < 0 || directory < 0) return fail("starting");
    if (inotify_add_watch(directory, ".", IN_DELETE | IN_MOVED_FROM) < 0) return fail("inotify");
    static struct source sources[3];
    watch(&sources[0], listener, kind_listener, NULL);
    watch(&sources[1], signals, kind_signals, NULL);
    watch(&sources[2], directory, kind_directory, NULL);
    save_pid();
    detach_output();
    if (write(ready[1], "1", 1) != 1) return fail("telling the agent");
    close(ready[1]);
    run();
    return 0;
}
