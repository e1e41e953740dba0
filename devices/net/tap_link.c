/* SPDX-License-Identifier: MIT */
#include "devices/net/tap_link.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <linux/virtio_net.h>

#include "devices/net/net.h"

/* Newer than Linux 6.1's header. */
#ifndef TUN_F_USO4
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif

static int set_interface(int fd, char name[IFNAMSIZ], bool multi)
{
	struct ifreq r = {0};

	r.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;
	if (multi)
		r.ifr_flags |= IFF_MULTI_QUEUE;
	memcpy(r.ifr_name, name, IFNAMSIZ - 1);
	if (ioctl(fd, TUNSETIFF, &r))
		return -errno;
	memcpy(name, r.ifr_name, IFNAMSIZ);
	return 0;
}

int tap_link_open(char name[IFNAMSIZ], bool *multi)
{
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	int err;

	if (fd < 0)
		return -errno;
	err = set_interface(fd, name, *multi);
	if (err == -EINVAL) {
		/* It is there, and of the other kind. */
		err = set_interface(fd, name, !*multi);
		if (!err)
			*multi = !*multi;
	}
	if (!err)
		err = tap_link_prepare(fd);
	if (!err)
		return fd;
	close(fd);
	return err;
}

int tap_link_prepare(int fd)
{
	int header = (int)sizeof(struct virtio_net_hdr), one = 1;
	int flags = fcntl(fd, F_GETFL);
	struct ifreq r = {0};

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) ||
	    fcntl(fd, F_SETFD, FD_CLOEXEC) || ioctl(fd, TUNGETIFF, &r))
		return -errno;
	if (!(r.ifr_flags & IFF_VNET_HDR) || !(r.ifr_flags & IFF_TAP))
		return -EINVAL;
	if (ioctl(fd, TUNSETVNETHDRSZ, &header) ||
	    ioctl(fd, TUNSETVNETLE, &one) || ioctl(fd, TUNSETOFFLOAD, 0ul))
		return -errno;
	return 0;
}

int tap_link_name(int fd, char name[IFNAMSIZ], bool *multi)
{
	struct ifreq r = {0};

	if (ioctl(fd, TUNGETIFF, &r))
		return -errno;
	memcpy(name, r.ifr_name, IFNAMSIZ);
	*multi = r.ifr_flags & IFF_MULTI_QUEUE;
	return 0;
}

int tap_link_attach(int fd, bool attach)
{
	struct ifreq r = {0};

	r.ifr_flags = attach ? IFF_ATTACH_QUEUE : IFF_DETACH_QUEUE;
	return ioctl(fd, TUNSETQUEUE, &r) ? -errno : 0;
}

int tap_link_offloads(int fd, unsigned int offloads)
{
	static const struct {
		unsigned int ours;
		unsigned long kernels;
	} bits[] = {
		{NET_OFFLOAD_CSUM, TUN_F_CSUM},
		{NET_OFFLOAD_TSO4, TUN_F_TSO4 | TUN_F_TSO_ECN},
		{NET_OFFLOAD_TSO6, TUN_F_TSO6 | TUN_F_TSO_ECN},
		{NET_OFFLOAD_USO4, TUN_F_USO4},
		{NET_OFFLOAD_USO6, TUN_F_USO6},
	};
	unsigned long flags = 0;

	for (unsigned int i = 0; i < sizeof(bits) / sizeof(bits[0]); i++)
		if (offloads & bits[i].ours)
			flags |= bits[i].kernels;
	return ioctl(fd, TUNSETOFFLOAD, flags) ? -errno : 0;
}

int tap_link_carrier(int fd, bool on)
{
	int value = on;

	return ioctl(fd, TUNSETCARRIER, &value) ? -errno : 0;
}

/* --- by name -------------------------------------------------------------------- */

static int interface_ioctl(const char *name, unsigned long request,
			   struct ifreq *r)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int err;

	if (fd < 0)
		return -errno;
	strncpy(r->ifr_name, name, IFNAMSIZ - 1);
	err = ioctl(fd, request, r) ? -errno : 0;
	close(fd);
	return err;
}

int tap_link_up(const char *name)
{
	struct ifreq r = {0};
	int err = interface_ioctl(name, SIOCGIFFLAGS, &r);

	if (err || r.ifr_flags & IFF_UP)
		return err;
	r.ifr_flags |= IFF_UP;
	return interface_ioctl(name, SIOCSIFFLAGS, &r);
}

int tap_link_is_up(const char *name)
{
	struct ifreq r = {0};
	int err = interface_ioctl(name, SIOCGIFFLAGS, &r);

	if (err)
		return err;
	return r.ifr_flags & IFF_UP ? 1 : 0;
}

int tap_link_set_mtu(const char *name, unsigned int mtu)
{
	struct ifreq r = {.ifr_mtu = (int)mtu};

	return interface_ioctl(name, SIOCSIFMTU, &r);
}

int tap_link_get_mtu(const char *name)
{
	struct ifreq r = {0};
	int err = interface_ioctl(name, SIOCGIFMTU, &r);

	return err ? err : r.ifr_mtu;
}

int tap_link_add_to(const char *name, const char *bridge)
{
	struct ifreq r = {0};
	int err = interface_ioctl(name, SIOCGIFHWADDR, &r);

	if (err)
		return err;
	r.ifr_hwaddr.sa_data[0] = (char)0xfe;
	err = interface_ioctl(name, SIOCSIFHWADDR, &r);
	if (err)
		return err;
	memset(&r, 0, sizeof(r));
	r.ifr_ifindex = (int)if_nametoindex(name);
	return interface_ioctl(bridge, SIOCBRADDIF, &r);
}
