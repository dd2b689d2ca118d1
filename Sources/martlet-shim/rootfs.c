// The file system of an isolated container: an overlay over the host's root, in which nothing the
// container writes reaches the host, with the cluster's own directories hidden.
#include "shim.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static const char old_root[] = "/.martlet-host";

static int overlay(void) {
    // "volatile": what a container leaves in its overlay is thrown away, so syncing the host's
    // whole file system at each unmount would be waste.
    static const char *const options[] = {
        "lowerdir=/,upperdir=upper,workdir=work,volatile",
        "lowerdir=/,upperdir=upper,workdir=work",
    };
    for (size_t index = 0; index < 2; index++)
        if (mount("overlay", "root", "overlay", MS_NODEV, options[index]) == 0) return 0;
    // The state directory may itself lie on an overlay, which cannot be an upper layer.
    if (mount("tmpfs", "layer", "tmpfs", MS_NODEV, "mode=0755,size=50%") != 0) return errno;
    if (mkdir("layer/upper", 0755) != 0 || mkdir("layer/work", 0755) != 0) return errno;
    const char *inMemory = "lowerdir=/,upperdir=layer/upper,workdir=layer/work";
    return mount("overlay", "root", "overlay", MS_NODEV, inMemory) == 0 ? 0 : errno;
}

static bool is_below(const char *path, const char *parent) {
    size_t count = strlen(parent);
    return strncmp(path, parent, count) == 0 && (path[count] == 0 || path[count] == '/');
}

// mountinfo writes space, tab, newline and backslash as \ooo.
static void unescape(char *text) {
    char *out = text;
    for (; *text; text++, out++) {
        if (text[0] == '\\' && text[1] && text[2] && text[3]) {
            *out = (char)((text[1] - '0') << 6 | (text[2] - '0') << 3 | (text[3] - '0'));
            text += 3;
        } else {
            *out = *text;
        }
    }
    *out = 0;
}

// The overlay shows the root file system alone; other file systems on disks (/home, /usr …) are
// bound into it read-only.
static void bind_other_disks(const struct config *config) {
    FILE *file = fopen("/proc/self/mountinfo", "re");
    if (!file) return;
    char *line = NULL;
    size_t capacity = 0;
    while (getline(&line, &capacity, file) > 0) {
        char point[4096], source[4096];
        char *separator = strstr(line, " - ");
        if (!separator || sscanf(line, "%*s %*s %*s %*s %4095s", point) != 1) continue;
        if (sscanf(separator + 3, "%*s %4095s", source) != 1) continue;
        unescape(point);
        if (strncmp(source, "/dev/", 5) != 0 || !strcmp(point, "/")) continue;
        bool skipped = is_below(point, "/proc") || is_below(point, "/sys")
            || is_below(point, "/dev") || is_below(point, "/run");
        for (size_t index = 0; index < config->hidden_count; index++)
            skipped = skipped || is_below(point, config->hidden[index]);
        char target[4200];
        snprintf(target, sizeof target, "root%s", point);
        if (skipped || mount(point, target, NULL, MS_BIND, NULL) != 0) continue;
        mount(NULL, target, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NODEV, NULL);
    }
    free(line);
    fclose(file);
}

static int make_directories(const char *path) {
    char part[4096];
    if (strlen(path) >= sizeof part) return ENAMETOOLONG;
    strcpy(part, path);
    for (char *slash = part + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = 0;
        if (mkdir(part, 0755) != 0 && errno != EEXIST) return errno;
        *slash = '/';
    }
    return mkdir(part, 0755) == 0 || errno == EEXIST ? 0 : errno;
}

static int make_mount_point(const char *target, bool is_directory) {
    struct stat status;
    if (stat(target, &status) == 0) return 0;
    if (is_directory) return make_directories(target);
    char parent[4096];
    if (strlen(target) >= sizeof parent) return ENAMETOOLONG;
    strcpy(parent, target);
    char *slash = strrchr(parent, '/');
    if (slash && slash != parent) {
        *slash = 0;
        int error = make_directories(parent);
        if (error) return error;
    }
    int fd = open(target, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0) return errno;
    close(fd);
    return 0;
}

static int bind_from_host(const char *source, const char *target, bool read_only) {
    char host[4200];
    struct stat status;
    snprintf(host, sizeof host, "%s%s", old_root, source);
    if (stat(host, &status) != 0) return errno;
    int error = make_mount_point(target, S_ISDIR(status.st_mode));
    if (error) return error;
    if (mount(host, target, NULL, MS_BIND | MS_REC, NULL) != 0) return errno;
    unsigned long flags = MS_BIND | MS_REMOUNT | MS_NOSUID | MS_NODEV;
    if (read_only) flags |= MS_RDONLY;
    return mount(NULL, target, NULL, flags, NULL) == 0 ? 0 : errno;
}

// A small /dev of its own: the host's disks are not in it.
static int make_devices(void) {
    static const char *const nodes[] = {"null", "zero", "full", "random", "urandom", "tty"};
    if (mount("tmpfs", "/dev", "tmpfs", MS_NOSUID, "mode=0755,size=256k") != 0) return errno;
    for (size_t index = 0; index < sizeof nodes / sizeof nodes[0]; index++) {
        char host[64], path[64];
        snprintf(host, sizeof host, "%s/dev/%s", old_root, nodes[index]);
        snprintf(path, sizeof path, "/dev/%s", nodes[index]);
        int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
        if (fd < 0) return errno;
        close(fd);
        if (mount(host, path, NULL, MS_BIND, NULL) != 0) return errno;
    }
    mkdir("/dev/pts", 0755);
    mount(
        "devpts", "/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC,
        "newinstance,ptmxmode=0666,mode=0620");
    mkdir("/dev/shm", 01777);
    mount("tmpfs", "/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777,size=64m");
    symlink("pts/ptmx", "/dev/ptmx");
    symlink("/proc/self/fd", "/dev/fd");
    symlink("/proc/self/fd/0", "/dev/stdin");
    symlink("/proc/self/fd/1", "/dev/stdout");
    symlink("/proc/self/fd/2", "/dev/stderr");
    return 0;
}

static int make_kernel_views(void) {
    unsigned long safe = MS_NOSUID | MS_NODEV | MS_NOEXEC;
    if (mount("proc", "/proc", "proc", safe, NULL) != 0) return errno;
    // What would let a container change the host's kernel is read-only or gone.
    static const char *const read_only[] = {"/proc/sys", "/proc/irq", "/proc/bus", "/proc/fs"};
    for (size_t index = 0; index < sizeof read_only / sizeof read_only[0]; index++) {
        const char *path = read_only[index];
        if (mount(path, path, NULL, MS_BIND | MS_REC, NULL) == 0)
            mount(NULL, path, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY | safe, NULL);
    }
    static const char *const masked[] = {
        "/proc/sysrq-trigger", "/proc/kcore", "/proc/keys", "/proc/timer_list"};
    for (size_t index = 0; index < sizeof masked / sizeof masked[0]; index++)
        mount("/dev/null", masked[index], NULL, MS_BIND, NULL);
    mount("sysfs", "/sys", "sysfs", safe | MS_RDONLY, NULL);
    mount("tmpfs", "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755,size=64m");
    mkdir("/run/lock", 01777);
    return 0;
}

static int hide(const char *path) {
    struct stat status;
    if (stat(path, &status) != 0) return 0;
    if (!S_ISDIR(status.st_mode))
        return mount("/dev/null", path, NULL, MS_BIND, NULL) == 0 ? 0 : errno;
    unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;
    return mount("tmpfs", path, "tmpfs", flags, "mode=0755,size=64k") == 0 ? 0 : errno;
}

#define TRY(name, expression)          \
    do {                               \
        *stage = name;                 \
        int try_error = (expression);  \
        if (try_error) return try_error; \
    } while (0)
#define CALL(expression) ((expression) == 0 ? 0 : errno)

int rootfs_enter(const struct config *config, const char *directory, const char **stage) {
    TRY("making mounts private", CALL(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL)));
    TRY("entering the container's directory", CALL(chdir(directory)));
    static const char *const parts[] = {"upper", "work", "layer", "root"};
    for (size_t index = 0; index < sizeof parts / sizeof parts[0]; index++)
        TRY("making the container's directories",
            mkdir(parts[index], 0755) == 0 || errno == EEXIST ? 0 : errno);
    TRY("mounting the overlay", overlay());
    bind_other_disks(config);
    TRY("entering the overlay", CALL(chdir("root")));
    TRY("making the old root's place",
        mkdir(old_root + 1, 0700) == 0 || errno == EEXIST ? 0 : errno);
    TRY("changing the root", CALL((int)syscall(SYS_pivot_root, ".", old_root + 1)));
    TRY("entering the new root", CALL(chdir("/")));
    TRY("making /dev", make_devices());
    TRY("mounting /proc", make_kernel_views());
    for (size_t index = 0; index < config->hidden_count; index++)
        TRY("hiding the data directory", hide(config->hidden[index]));
    for (size_t index = 0; index < config->binds_count; index++) {
        const struct bind *bind = &config->binds[index];
        int error = bind_from_host(bind->source, bind->target, bind->read_only);
        if (error) {
            static char text[120];
            snprintf(text, sizeof text, "mounting a volume at %.90s", bind->target);
            *stage = text;
            return error;
        }
    }
    TRY("leaving the old root", CALL(umount2(old_root, MNT_DETACH)));
    rmdir(old_root);
    if (config->read_only_root)
        TRY("making the root read-only",
            CALL(mount(NULL, "/", NULL, MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NODEV, NULL)));
    return 0;
}
