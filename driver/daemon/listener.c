/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "mountcore/cleanup.h"

enum { BACKLOG = 4096, SYSTEMD_FIRST_FD = 3, LOOK_AGAIN_MS = 5, LOOKS = 200 };

/* The descriptor that systemd passes, or MC_FD_NONE. */
static int take_systemd_fd(void)
{
	/* Before any thread. */
	const char *pid = getenv("LISTEN_PID");   /* NOLINT(concurrency-mt-unsafe) */
	const char *count = getenv("LISTEN_FDS"); /* NOLINT(concurrency-mt-unsafe) */

	if (!pid || !count || strtol(pid, NULL, 10) != getpid() || strtol(count, NULL, 10) != 1)
		return MC_FD_NONE;
	if (fcntl(SYSTEMD_FIRST_FD, F_SETFD, FD_CLOEXEC) < 0)
		return MC_FD_NONE;
	return SYSTEMD_FIRST_FD;
}

static int make_parents(const char *path)
{
	char part[PATH_MAX];
	size_t length = strlen(path);

	if (length >= sizeof(part))
		return -ENAMETOOLONG;
	memcpy(part, path, length + 1);
	for (char *slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(part, 0755) < 0 && errno != EEXIST)
			return -errno;
		*slash = '/';
	}
	return 0;
}

/* A full backlog (EAGAIN) is one that lives, too. */
static bool is_answered(const struct sockaddr_un *address)
{
	mc_auto_fd fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	return fd >= 0 && (connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 ||
				  errno == EAGAIN);
}

int hv_listen(const char *path, struct hv_socket_file *ret_file)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	mc_auto_fd fd = take_systemd_fd();
	struct stat stat;
	int rc;

	if (ret_file)
		*ret_file = (struct hv_socket_file){0};
	if (fd >= 0)
		return mc_take_fd(&fd);
	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path) + 1);
	rc = make_parents(path);
	if (rc < 0)
		return rc;
	if (is_answered(&address))
		return -EADDRINUSE;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	/* A file that is no socket stays, and bind(2) fails. */
	if (lstat(path, &stat) == 0 && S_ISSOCK(stat.st_mode))
		(void)unlink(path);
	/* The file takes its mode from the socket: nobody else can connect, from the first instant.
	 */
	if (fchmod(fd, 0600) < 0 ||
		bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
		listen(fd, BACKLOG) < 0 || (ret_file && lstat(path, &stat) < 0))
		return -errno;
	if (ret_file)
		*ret_file = (struct hv_socket_file){stat.st_dev, stat.st_ino};
	return mc_take_fd(&fd);
}

void hv_unlisten(int fd, const char *path, const struct hv_socket_file *file)
{
	const struct timespec pause = {.tv_nsec = LOOK_AGAIN_MS * 1000000L};
	struct pollfd waiting = {.fd = fd, .events = POLLIN};
	struct stat stat;

	if (file->ino == 0)
		return;
	if (lstat(path, &stat) == 0 && stat.st_dev == file->dev && stat.st_ino == file->ino)
		(void)unlink(path);
	for (int look = 0; look < LOOKS && poll(&waiting, 1, 0) > 0; look++)
		(void)nanosleep(&pause, NULL);
}
