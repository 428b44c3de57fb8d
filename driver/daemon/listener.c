/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "mountcore/cleanup.h"

enum {
	BACKLOG = 4096,
	TCP_BACKLOG = 16,
	PORT_MAX = 65535,
	SYSTEMD_FIRST_FD = 3,
	LOOK_AGAIN_MS = 5,
	LOOKS = 200
};

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

/* Of either family. */
union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

/* Returns the port in network order, 0 if `text` is none. */
static in_port_t parse_port(const char *text)
{
	unsigned long port;
	char *end;

	if (*text < '1' || *text > '9')
		return 0;
	port = strtoul(text, &end, 10); /* ULONG_MAX if it is too large */
	return *end || port > PORT_MAX ? 0 : htons((in_port_t)port);
}

static bool parse_address(const char *text, union address *ret)
{
	char host[INET6_ADDRSTRLEN + 2];
	const char *colon = strrchr(text, ':');
	size_t length = colon ? (size_t)(colon - text) : sizeof(host);
	in_port_t port = colon ? parse_port(colon + 1) : 0;

	if (length == 0 || length >= sizeof(host) || port == 0)
		return false;
	snprintf(host, sizeof(host), "%.*s", (int)length, text);
	*ret = (union address){0};
	if (host[0] == '[' && host[length - 1] == ']') {
		host[length - 1] = '\0';
		ret->v6.sin6_family = AF_INET6;
		ret->v6.sin6_port = port;
		return inet_pton(AF_INET6, host + 1, &ret->v6.sin6_addr) == 1;
	}
	ret->v4.sin_family = AF_INET;
	ret->v4.sin_port = port;
	return inet_pton(AF_INET, host, &ret->v4.sin_addr) == 1;
}

bool hv_address_is_valid(const char *text)
{
	union address address;

	return parse_address(text, &address);
}

int hv_listen_tcp(const char *text)
{
	const int on = 1;
	union address address;
	mc_auto_fd fd = MC_FD_NONE;
	bool is_v6;

	if (!parse_address(text, &address))
		return -EINVAL;
	is_v6 = address.any.sa_family == AF_INET6;
	fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	/* Connections of the daemon before may still be closing. */
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
		(is_v6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) < 0) ||
		bind(fd, &address.any, is_v6 ? sizeof(address.v6) : sizeof(address.v4)) < 0 ||
		listen(fd, TCP_BACKLOG) < 0)
		return -errno;
	return mc_take_fd(&fd);
}
