// Kernel calls of the node agent that Swift cannot make well: netlink, and a process without
// the agent's descriptors.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Addresses are IPv4 in host byte order. Each function returns 0 or an errno.

// Makes the bridge if need be, gives it the address and brings it up.
int martlet_net_bridge(const char *name, uint32_t address, int prefix);
// Gives the network namespace of process `pid` an interface eth0 on the bridge, with the address
// and a default route; `host_name` is the host's end.
int martlet_net_attach(
    int32_t pid, const char *bridge, const char *host_name, uint32_t address, int prefix,
    uint32_t gateway);
int martlet_net_delete(const char *name);
// Names of the interfaces that begin with `prefix`, each followed by a newline; cut at `count`.
int martlet_net_list(const char *prefix, char *names, size_t count);
// The first address of the interface, 0 if it has none or does not exist.
uint32_t martlet_net_address(const char *name);
// Whether an interface other than `except` has an address in the range.
bool martlet_net_overlaps(uint32_t address, int prefix, const char *except);
// The host's first address that is not a loopback one, 127.0.0.1 if there is none.
uint32_t martlet_net_host_address(void);

// Runs a program that ends by itself, with descriptors 0-2 on /dev/null and no others, and waits
// for it. Returns its exit code, 128 + signal, or a negative errno.
int martlet_run(const char *path, const char *const *arguments);
// Makes orphaned descendants children of this process.
int martlet_become_subreaper(void);
// Connects to a Unix socket whose path may be longer than sun_path. Returns a non-blocking
// descriptor or a negative errno.
int martlet_connect_unix(const char *directory, const char *name);
// Mounts a small tmpfs, for volumes that must not reach the disk.
int martlet_mount_tmpfs(const char *path, uint64_t bytes_max);
int martlet_unmount(const char *path);
// Whether this process may make namespaces, mounts and interfaces.
bool martlet_can_isolate(void);
// Whether a process of this id exists.
bool martlet_process_exists(int32_t pid);
// Reaps the process if it is a child of this one and has ended.
void martlet_reap(int32_t pid);
// Watches a directory for writes, closings and renames in it. Returns an inotify descriptor or a
// negative errno.
int martlet_watch_directory(const char *path);
