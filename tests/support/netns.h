/* SPDX-License-Identifier: MIT */
/*
 * netns.h - a network namespace of the test's own, and interfaces in it.
 */
#ifndef SUPPORT_NETNS_H
#define SUPPORT_NETNS_H

#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <check.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <net/if.h>

/** netns_enter() - this process is in one of its own; Return: 0; -1 */
static inline int netns_enter(void)
{
	return unshare(geteuid() ? CLONE_NEWUSER | CLONE_NEWNET : CLONE_NEWNET);
}

/** netns_usable() - can tests have one, with taps? */
static inline bool netns_usable(void)
{
	int status = 1;
	pid_t child = fork();

	if (!child) {
		struct ifreq r = {.ifr_flags = IFF_TAP | IFF_NO_PI};
		int fd = netns_enter() ? -1 : open("/dev/net/tun", O_RDWR);

		_exit(fd < 0 || ioctl(fd, TUNSETIFF, &r) ? 1 : 0);
	}
	return child > 0 && waitpid(child, &status, 0) == child && !status;
}

static inline int netns_ioctl(unsigned long request, void *arg)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int ret = ioctl(fd, request, arg);

	close(fd);
	return ret;
}

/** netns_set_up() - as 'ip link set NAME up' or 'down' */
static inline void netns_set_up(const char *name, bool up)
{
	struct ifreq r = {0};

	strncpy(r.ifr_name, name, IFNAMSIZ - 1);
	ck_assert_int_eq(netns_ioctl(SIOCGIFFLAGS, &r), 0);
	r.ifr_flags =
		(short)(up ? r.ifr_flags | IFF_UP : r.ifr_flags & ~IFF_UP);
	ck_assert_int_eq(netns_ioctl(SIOCSIFFLAGS, &r), 0);
}

/** netns_add_bridge() - one that is up; false: this kernel has none */
static inline bool netns_add_bridge(const char *name)
{
	char text[IFNAMSIZ] = {0};

	strncpy(text, name, IFNAMSIZ - 1);
	if (netns_ioctl(SIOCBRADDBR, text))
		return false;
	netns_set_up(name, true);
	return true;
}

/** netns_add_tap() - one that stays without a user, and is down */
static inline void netns_add_tap(const char *name, bool multi)
{
	struct ifreq r = {.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR};
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

	strncpy(r.ifr_name, name, IFNAMSIZ - 1);
	if (multi)
		r.ifr_flags |= IFF_MULTI_QUEUE;
	ck_assert_int_eq(ioctl(fd, TUNSETIFF, &r), 0);
	ck_assert_int_eq(ioctl(fd, TUNSETPERSIST, 1ul), 0);
	close(fd);
}

/** netns_delete() - as 'ip link delete NAME' */
static inline void netns_delete(const char *name)
{
	struct {
		struct nlmsghdr header;
		struct ifinfomsg info;
	} m = {.header = {.nlmsg_len = sizeof(m),
			  .nlmsg_type = RTM_DELLINK,
			  .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK},
	       .info = {.ifi_index = (int)if_nametoindex(name)}};
	struct {
		struct nlmsghdr header;
		struct nlmsgerr error;
		char more[256];
	} answer;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	ck_assert_int_eq(send(fd, &m, sizeof(m), 0), sizeof(m));
	ck_assert_int_gt(recv(fd, &answer, sizeof(answer), 0), 0);
	ck_assert_int_eq(answer.error.error, 0);
	close(fd);
}

/** netns_packets() - a socket that sends to and gets from the interface */
static inline int netns_packets(const char *name)
{
	struct sockaddr_ll a = {.sll_family = AF_PACKET,
				.sll_protocol = htons(ETH_P_ALL),
				.sll_ifindex = (int)if_nametoindex(name)};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
			htons(ETH_P_ALL));

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(bind(fd, (void *)&a, sizeof(a)), 0);
	return fd;
}

#endif
