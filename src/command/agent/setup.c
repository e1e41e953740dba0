/* SPDX-License-Identifier: MIT */
#include "command/agent/agent.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* NOLINTBEGIN(concurrency-mt-unsafe): this program has one thread */

#define ROOT_PLACE     "/root"
#define DEVICES_MS     10000
#define STEP_MS        20
#define NETVSC_DRIVER  "/sys/bus/vmbus/drivers/hv_netvsc"
#define STORVSC_DRIVER "/sys/bus/vmbus/drivers/hv_storvsc"
#define PARTITIONS     16

static void notef(struct link *link, const char *what, const char *name)
{
	char text[512];

	snprintf(text, sizeof(text), "%.32s %.256s: %.128s", what, name,
		 strerror(errno));
	note(link, text);
}

void agent_config_read(struct agent_config *config)
{
	const struct {
		const char *key;
		unsigned int *value;
	} keys[] = {
		{AGENT_KEY_HVSOCK, &config->hvsock},
		{AGENT_KEY_NICS, &config->nics},
		{AGENT_KEY_DISKS, &config->disks},
		{AGENT_KEY_ROOT, &config->root},
		{AGENT_KEY_INSTALL, &config->install},
	};
	FILE *file = fopen("/" AGENT_CONFIG, "re");
	char key[32];
	unsigned int value;

	memset(config, 0, sizeof(*config));
	/* NOLINTNEXTLINE(cert-err34-c): the host wrote it, from numbers */
	while (file && fscanf(file, "%31[a-z]=%u ", key, &value) == 2) {
		for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
			if (!strcmp(key, keys[i].key))
				*keys[i].value = value;
		}
	}
	if (file)
		fclose(file);
}

void load_modules(struct link *link)
{
	FILE *file = fopen("/" AGENT_MODULES, "re");
	char path[PATH_MAX];

	while (file && fgets(path, sizeof(path), file)) {
		int fd;

		path[strcspn(path, "\n")] = '\0';
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0 ||
		    (syscall(SYS_finit_module, fd, "", 0) && errno != EEXIST))
			notef(link, "module", path);
		if (fd >= 0)
			close(fd);
	}
	if (file)
		fclose(file);
}

/* Names in a folder that begin with @prefix. */
static unsigned int count(const char *folder, const char *prefix)
{
	DIR *dir = opendir(folder);
	struct dirent *e;
	unsigned int n = 0;

	/* cppcheck-suppress readdirCalled ; this program has one thread */
	while (dir && (e = readdir(dir)) != NULL)
		n += !strncmp(e->d_name, prefix, strlen(prefix)) &&
		     e->d_name[0] != '.';
	if (dir)
		closedir(dir);
	return n;
}

/* Drivers probe on their own time. */
void await_devices(const struct agent_config *config)
{
	/* "lo" is there in any case */
	unsigned int nics = access(NETVSC_DRIVER, F_OK) ? 0 : config->nics + 1;
	unsigned int disks = access(STORVSC_DRIVER, F_OK) ? 0 : config->disks;

	for (int ms = 0; ms < DEVICES_MS; ms += STEP_MS) {
		unsigned int scsi =
			count("/sys/block", "sd") + count("/sys/block", "sr");

		if (count("/sys/class/net", "") >= nics && scsi >= disks)
			return;
		poll(NULL, 0, STEP_MS);
	}
}

/* --- network ----------------------------------------------------------------- */

static int set_up(const char *name)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = {0};
	int ret;

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%.15s", name);
	ret = fd < 0 || ioctl(fd, SIOCGIFFLAGS, &request);
	if (!ret) {
		request.ifr_flags |= IFF_UP;
		ret = ioctl(fd, SIOCSIFFLAGS, &request);
	}
	if (fd >= 0)
		close(fd);
	return ret ? -1 : 0;
}

static void run_quietly(const char *const argv[])
{
	pid_t pid = fork();

	if (!pid) {
		int null = open("/dev/null", O_RDWR);

		for (int i = 0; i < 3; i++)
			dup2(null, i);
		execv(argv[0], (char *const *)argv);
		_exit(127);
	}
	if (pid > 0)
		waitpid(pid, NULL, 0);
}

void install_busybox(void)
{
	run_quietly(
		(const char *[]){"/" AGENT_BUSYBOX, "--install", "-s", NULL});
}

/* An address for it, if somebody gives one within three seconds. */
static void ask_address(const char *name)
{
	run_quietly((const char *[]){"/" AGENT_BUSYBOX, "udhcpc", "-i", name,
				     "-n", "-q", "-f", "-t", "3", "-T", "1",
				     "-s", "/" AGENT_DHCP, NULL});
}

void start_network(struct link *link)
{
	DIR *dir = opendir("/sys/class/net");
	struct dirent *e;

	/* cppcheck-suppress readdirCalled ; this program has one thread */
	while (dir && (e = readdir(dir)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		if (set_up(e->d_name))
			notef(link, "network card", e->d_name);
		else if (strcmp(e->d_name, "lo") != 0 &&
			 !access("/" AGENT_BUSYBOX, X_OK))
			ask_address(e->d_name);
	}
	if (dir)
		closedir(dir);
}

/* --- the disk of --rootfs ------------------------------------------------------ */

/* Has this disk our serial number (its page 80h)? */
static bool is_root(const char *disk)
{
	char path[PATH_MAX], page[64] = {0};
	int fd;
	ssize_t n;

	snprintf(path, sizeof(path), "/sys/block/%s/device/vpd_pg80", disk);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd >= 0 ? read(fd, page, sizeof(page) - 1) : -1;
	if (fd >= 0)
		close(fd);
	return n > 4 && strstr(page + 4, AGENT_ROOT_SERIAL);
}

static bool find_disk(char *name, size_t size)
{
	DIR *dir = opendir("/sys/block");
	struct dirent *e;
	bool found = false;

	/* cppcheck-suppress readdirCalled ; this program has one thread */
	while (dir && !found && (e = readdir(dir)) != NULL) {
		found = !strncmp(e->d_name, "sd", 2) && is_root(e->d_name);
		if (found)
			snprintf(name, size, "/dev/%.32s", e->d_name);
	}
	if (dir)
		closedir(dir);
	return found;
}

static int try_mount(const char *device)
{
	static const char *const types[] = {"ext4",  "xfs",      "btrfs",
					    "erofs", "squashfs", "iso9660"};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (!mount(device, ROOT_PLACE, types[i], 0, NULL) ||
		    (errno == EROFS &&
		     !mount(device, ROOT_PLACE, types[i], MS_RDONLY, NULL))) {
			if (!access(ROOT_PLACE "/usr", F_OK) ||
			    !access(ROOT_PLACE "/bin", F_OK))
				return 0;
			umount(ROOT_PLACE);
		}
	}
	return -1;
}

const char *mount_root(struct link *link)
{
	static const char *const moved[] = {"/proc", "/sys", "/dev", "/run"};
	char disk[64], part[96];
	bool found = find_disk(disk, sizeof(disk));

	for (int ms = 0; !found && ms < DEVICES_MS; ms += STEP_MS) {
		poll(NULL, 0, STEP_MS);
		found = find_disk(disk, sizeof(disk));
	}
	if (!found)
		return NULL;
	mkdir(ROOT_PLACE, 0755);
	found = !try_mount(disk);
	for (int i = 1; !found && i <= PARTITIONS; i++) {
		snprintf(part, sizeof(part), "%s%d", disk, i);
		found = !access(part, F_OK) && !try_mount(part);
	}
	if (!found)
		return NULL;
	for (size_t i = 0; i < sizeof(moved) / sizeof(moved[0]); i++) {
		char to[64];

		snprintf(to, sizeof(to), ROOT_PLACE "%s", moved[i]);
		if (mount(moved[i], to, NULL, MS_BIND | MS_REC, NULL))
			notef(link, "mount", to);
	}
	return ROOT_PLACE;
}
/* NOLINTEND(concurrency-mt-unsafe): this program has one thread */
