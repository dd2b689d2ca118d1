// The container's configuration: NUL-terminated records "key value", in any order but that
// `source` and `target` follow the `bind` they belong to.
#include "shim.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int read_file(const char *path, char **text, size_t *count) {
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) return errno;
    struct stat status;
    if (fstat(fd, &status) != 0 || status.st_size > 16 * 1024 * 1024) {
        close(fd);
        return EFBIG;
    }
    char *bytes = malloc((size_t)status.st_size + 1);
    size_t used = 0;
    while (bytes && used < (size_t)status.st_size) {
        ssize_t got = read(fd, bytes + used, (size_t)status.st_size - used);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) break;
        used += (size_t)got;
    }
    close(fd);
    if (!bytes) return ENOMEM;
    bytes[used] = 0;
    *text = bytes;
    *count = used;
    return 0;
}

static void append(char ***list, size_t *count, char *value) {
    char **grown = realloc(*list, (*count + 2) * sizeof(char *));
    if (!grown) abort();
    grown[*count] = value;
    *count += 1;
    grown[*count] = NULL;
    *list = grown;
}

static struct bind *append_bind(struct config *config) {
    struct bind *grown =
        realloc(config->binds, (config->binds_count + 1) * sizeof(struct bind));
    if (!grown) abort();
    config->binds = grown;
    struct bind *bind = &grown[config->binds_count++];
    memset(bind, 0, sizeof *bind);
    return bind;
}

static bool parse_record(struct config *config, const char *key, char *value) {
    struct bind *bind =
        config->binds_count ? &config->binds[config->binds_count - 1] : NULL;
    if (!strcmp(key, "arg")) append(&config->args, &config->args_count, value);
    else if (!strcmp(key, "env")) append(&config->env, &config->env_count, value);
    else if (!strcmp(key, "hide")) append(&config->hidden, &config->hidden_count, value);
    else if (!strcmp(key, "bind")) append_bind(config)->read_only = !strcmp(value, "ro");
    else if (!strcmp(key, "source") && bind) bind->source = value;
    else if (!strcmp(key, "target") && bind) bind->target = value;
    else if (!strcmp(key, "cwd")) config->cwd = value;
    else if (!strcmp(key, "log")) config->log = value;
    else if (!strcmp(key, "hostname")) config->hostname = value;
    else if (!strcmp(key, "uid")) config->uid = (uid_t)strtoul(value, NULL, 10);
    else if (!strcmp(key, "gid")) config->gid = (gid_t)strtoul(value, NULL, 10);
    else if (!strcmp(key, "capabilities")) config->capabilities = strtoull(value, NULL, 16);
    else if (!strcmp(key, "isolated")) config->isolated = value[0] == '1';
    else if (!strcmp(key, "read-only-root")) config->read_only_root = value[0] == '1';
    else if (!strcmp(key, "group")) {
        if (config->groups_count == sizeof config->groups / sizeof config->groups[0])
            return false;
        config->groups[config->groups_count++] = (gid_t)strtoul(value, NULL, 10);
    } else return false;
    return true;
}

int config_read(const char *path, struct config *config) {
    memset(config, 0, sizeof *config);
    config->uid = getuid();
    config->gid = getgid();
    size_t count = 0;
    int error = read_file(path, &config->text, &count);
    if (error) return error;
    char *end = config->text + count;
    for (char *record = config->text; record < end;) {
        char *next = record + strlen(record) + 1;
        char *space = strchr(record, ' ');
        if (next > end || !space) goto invalid;
        *space = 0;
        if (!parse_record(config, record, space + 1)) goto invalid;
        record = next;
    }
    for (size_t index = 0; index < config->binds_count; index++)
        if (!config->binds[index].source || !config->binds[index].target) goto invalid;
    if (!config->args_count) goto invalid;
    if (!config->env) append(&config->env, &config->env_count, "PATH=/usr/bin:/bin");
    return 0;
invalid:
    config_free(config);
    return EINVAL;
}

void config_free(struct config *config) {
    free(config->text);
    free(config->args);
    free(config->env);
    free(config->hidden);
    free(config->binds);
    memset(config, 0, sizeof *config);
}
