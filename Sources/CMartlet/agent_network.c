// The pod network's interfaces by rtnetlink.
#define _GNU_SOURCE
#include "cmartlet_agent.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct request {
    struct nlmsghdr head;
    char body[1024];
};

static void *put(struct request *request, size_t count) {
    void *place = (char *)request + NLMSG_ALIGN(request->head.nlmsg_len);
    memset(place, 0, NLMSG_ALIGN(count));
    request->head.nlmsg_len = (uint32_t)(NLMSG_ALIGN(request->head.nlmsg_len) + count);
    return place;
}

static struct rtattr *begin(struct request *request, unsigned short type) {
    struct rtattr *attribute = put(request, RTA_LENGTH(0));
    attribute->rta_type = type;
    return attribute;
}

static void end(struct request *request, struct rtattr *attribute) {
    request->head.nlmsg_len = NLMSG_ALIGN(request->head.nlmsg_len);
    char *stop = (char *)request + request->head.nlmsg_len;
    attribute->rta_len = (unsigned short)(stop - (char *)attribute);
}

static void attribute(
    struct request *request, unsigned short type, const void *value, size_t count) {
    struct rtattr *made = put(request, RTA_LENGTH(count));
    made->rta_type = type;
    made->rta_len = (unsigned short)RTA_LENGTH(count);
    memcpy(RTA_DATA(made), value, count);
}

static void start(struct request *request, uint16_t type, uint16_t flags) {
    memset(request, 0, sizeof *request);
    request->head.nlmsg_len = NLMSG_LENGTH(0);
    request->head.nlmsg_type = type;
    request->head.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
}

static int open_netlink(void) {
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    return fd < 0 ? -errno : fd;
}

static int ask(int fd, struct request *request) {
    if (send(fd, request, request->head.nlmsg_len, 0) < 0) return errno;
    char answer[4096] __attribute__((aligned(8)));
    for (;;) {
        ssize_t got = recv(fd, answer, sizeof answer, 0);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return errno;
        struct nlmsghdr *head = (struct nlmsghdr *)answer;
        if (!NLMSG_OK(head, (size_t)got) || head->nlmsg_type != NLMSG_ERROR) continue;
        return -((struct nlmsgerr *)NLMSG_DATA(head))->error;
    }
}

static int add_address(int fd, int index, uint32_t address, int prefix) {
    struct request request;
    start(&request, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL);
    struct ifaddrmsg *message = put(&request, sizeof *message);
    message->ifa_family = AF_INET;
    message->ifa_prefixlen = (unsigned char)prefix;
    message->ifa_index = (unsigned)index;
    uint32_t wire = htonl(address);
    uint32_t broadcast = htonl(address | (prefix == 32 ? 0 : 0xffffffffu >> prefix));
    attribute(&request, IFA_LOCAL, &wire, 4);
    attribute(&request, IFA_ADDRESS, &wire, 4);
    attribute(&request, IFA_BROADCAST, &broadcast, 4);
    int error = ask(fd, &request);
    return error == EEXIST ? 0 : error;
}

static int bring_up(int fd, int index) {
    struct request request;
    start(&request, RTM_NEWLINK, 0);
    struct ifinfomsg *message = put(&request, sizeof *message);
    message->ifi_index = index;
    message->ifi_flags = message->ifi_change = IFF_UP;
    return ask(fd, &request);
}

static int add_default_route(int fd, int index, uint32_t gateway) {
    struct request request;
    start(&request, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE);
    struct rtmsg *message = put(&request, sizeof *message);
    message->rtm_family = AF_INET;
    message->rtm_table = RT_TABLE_MAIN;
    message->rtm_protocol = RTPROT_BOOT;
    message->rtm_scope = RT_SCOPE_UNIVERSE;
    message->rtm_type = RTN_UNICAST;
    uint32_t wire = htonl(gateway);
    attribute(&request, RTA_GATEWAY, &wire, 4);
    attribute(&request, RTA_OIF, &index, 4);
    return ask(fd, &request);
}

static void link_kind(struct request *request, const char *kind) {
    attribute(request, IFLA_INFO_KIND, kind, strlen(kind) + 1);
}

int martlet_net_bridge(const char *name, uint32_t address, int prefix) {
    int fd = open_netlink();
    if (fd < 0) return -fd;
    int error = 0;
    if (!if_nametoindex(name)) {
        struct request request;
        start(&request, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
        put(&request, sizeof(struct ifinfomsg));
        attribute(&request, IFLA_IFNAME, name, strlen(name) + 1);
        struct rtattr *information = begin(&request, IFLA_LINKINFO);
        link_kind(&request, "bridge");
        end(&request, information);
        error = ask(fd, &request);
        if (error == EEXIST) error = 0;
    }
    int index = (int)if_nametoindex(name);
    if (!error) error = add_address(fd, index, address, prefix);
    if (!error) error = bring_up(fd, index);
    close(fd);
    return error;
}

static int add_pair(int fd, int32_t pid, int bridge, const char *host_name) {
    struct request request;
    start(&request, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
    struct ifinfomsg *message = put(&request, sizeof *message);
    message->ifi_flags = message->ifi_change = IFF_UP;
    attribute(&request, IFLA_IFNAME, host_name, strlen(host_name) + 1);
    attribute(&request, IFLA_MASTER, &bridge, 4);
    struct rtattr *information = begin(&request, IFLA_LINKINFO);
    link_kind(&request, "veth");
    struct rtattr *data = begin(&request, IFLA_INFO_DATA);
    struct rtattr *peer = begin(&request, VETH_INFO_PEER);
    put(&request, sizeof(struct ifinfomsg));
    attribute(&request, IFLA_IFNAME, "eth0", 5);
    attribute(&request, IFLA_NET_NS_PID, &pid, 4);
    end(&request, peer);
    end(&request, data);
    end(&request, information);
    return ask(fd, &request);
}

// A netlink socket that lives in the other namespace; this thread comes back before it returns.
static int open_netlink_of(int32_t pid, int *index) {
    char path[64];
    int own = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    if (own < 0) return -errno;
    snprintf(path, sizeof path, "/proc/%d/ns/net", pid);
    int other = open(path, O_RDONLY | O_CLOEXEC);
    int fd = other < 0 ? -errno : -EPERM;
    if (other >= 0 && setns(other, CLONE_NEWNET) == 0) {
        fd = open_netlink();
        *index = (int)if_nametoindex("eth0");
        // Going on in the wrong namespace would give one pod's network to another.
        if (setns(own, CLONE_NEWNET) != 0) _exit(70);
    }
    if (other >= 0) close(other);
    close(own);
    return fd;
}

int martlet_net_attach(
    int32_t pid, const char *bridge, const char *host_name, uint32_t address, int prefix,
    uint32_t gateway) {
    int fd = open_netlink();
    if (fd < 0) return -fd;
    int error = add_pair(fd, pid, (int)if_nametoindex(bridge), host_name);
    if (error == EEXIST) {
        martlet_net_delete(host_name);
        error = add_pair(fd, pid, (int)if_nametoindex(bridge), host_name);
    }
    close(fd);
    if (error) return error;
    int index = 0;
    int inside = open_netlink_of(pid, &index);
    if (inside < 0) return -inside;
    error = index ? add_address(inside, index, address, prefix) : ENODEV;
    if (!error) error = bring_up(inside, index);
    if (!error) error = add_default_route(inside, index, gateway);
    close(inside);
    return error;
}

int martlet_net_delete(const char *name) {
    int index = (int)if_nametoindex(name);
    if (!index) return 0;
    int fd = open_netlink();
    if (fd < 0) return -fd;
    struct request request;
    start(&request, RTM_DELLINK, 0);
    struct ifinfomsg *message = put(&request, sizeof *message);
    message->ifi_index = index;
    int error = ask(fd, &request);
    close(fd);
    return error == ENODEV ? 0 : error;
}

int martlet_net_list(const char *prefix, char *names, size_t count) {
    struct if_nameindex *all = if_nameindex();
    if (!all) return errno;
    size_t used = 0;
    names[0] = 0;
    for (struct if_nameindex *entry = all; entry->if_index; entry++) {
        size_t length = strlen(entry->if_name);
        if (strncmp(entry->if_name, prefix, strlen(prefix)) != 0) continue;
        if (used + length + 2 > count) break;
        memcpy(names + used, entry->if_name, length);
        used += length;
        names[used++] = '\n';
        names[used] = 0;
    }
    if_freenameindex(all);
    return 0;
}

static uint32_t address_of(const struct ifaddrs *entry) {
    if (!entry->ifa_addr || entry->ifa_addr->sa_family != AF_INET) return 0;
    return ntohl(((struct sockaddr_in *)entry->ifa_addr)->sin_addr.s_addr);
}

uint32_t martlet_net_address(const char *name) {
    struct ifaddrs *all;
    if (getifaddrs(&all) != 0) return 0;
    uint32_t found = 0;
    for (struct ifaddrs *entry = all; entry && !found; entry = entry->ifa_next)
        if (!strcmp(entry->ifa_name, name)) found = address_of(entry);
    freeifaddrs(all);
    return found;
}

bool martlet_net_overlaps(uint32_t address, int prefix, const char *except) {
    struct ifaddrs *all;
    if (getifaddrs(&all) != 0) return false;
    bool found = false;
    uint32_t own = prefix == 0 ? 0 : 0xffffffffu << (32 - prefix);
    for (struct ifaddrs *entry = all; entry; entry = entry->ifa_next) {
        uint32_t other = address_of(entry);
        if (!other || !entry->ifa_netmask || !strcmp(entry->ifa_name, except)) continue;
        uint32_t mask =
            own & ntohl(((struct sockaddr_in *)entry->ifa_netmask)->sin_addr.s_addr);
        if ((other & mask) == (address & mask)) found = true;
    }
    freeifaddrs(all);
    return found;
}

uint32_t martlet_net_host_address(void) {
    struct ifaddrs *all;
    if (getifaddrs(&all) != 0) return 0x7f000001;
    uint32_t found = 0;
    for (struct ifaddrs *entry = all; entry && !found; entry = entry->ifa_next) {
        if (!(entry->ifa_flags & IFF_UP) || entry->ifa_flags & IFF_LOOPBACK) continue;
        // Bridges of pod networks, ours and others', are not how a host is reached.
        if (!strncmp(entry->ifa_name, "mt", 2) || !strncmp(entry->ifa_name, "docker", 6)
            || !strncmp(entry->ifa_name, "br-", 3) || !strncmp(entry->ifa_name, "veth", 4))
            continue;
        found = address_of(entry);
    }
    freeifaddrs(all);
    return found ? found : 0x7f000001;
}
