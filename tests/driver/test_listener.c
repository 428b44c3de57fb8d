/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/hv_test.h"

#include "daemon/listener.h"
#include "scratch.h"

enum { PATIENCE_SECONDS = 60, SYSTEMD_FD = 3 };

static char *dir, *path;

static int setup(void **state)
{
	(void)state;
	dir = scratch_new();
	path = scratch_path(dir, "hostvol.sock");
	alarm(PATIENCE_SECONDS); /* a listener that blocks is a failure */
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	alarm(0);
	free(path);
	scratch_free(dir);
	return 0;
}

static struct sockaddr_un address_of(const char *where)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	assert_true(strlen(where) < sizeof(address.sun_path));
	memcpy(address.sun_path, where, strlen(where) + 1);
	return address;
}

static bool can_connect(void)
{
	const struct sockaddr_un address = address_of(path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool ok;

	assert_true(fd >= 0);
	ok = connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0;
	close(fd);
	return ok;
}

#define LISTENER_TEST(name) TEST_WITH(name, setup, teardown)

LISTENER_TEST(a_new_socket_is_for_root_alone)
{
	static const mode_t umasks[] = {077, 022, 0};
	struct stat stat;

	for (size_t i = 0; i < sizeof(umasks) / sizeof(umasks[0]); i++) {
		mode_t old = umask(umasks[i]);
		int fd = hv_listen(path, NULL);

		umask(old);
		assert_true(fd >= 0);
		assert_int_equal(lstat(path, &stat), 0);
		assert_true(S_ISSOCK(stat.st_mode));
		assert_int_equal(stat.st_mode & 07777, 0600);
		assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
		assert_true(can_connect());
		close(fd);
	}
}

LISTENER_TEST(missing_directories_are_made)
{
	char *deep = scratch_path(dir, "a/b/hostvol.sock");
	int fd = hv_listen(deep, NULL);

	assert_true(fd >= 0);
	assert_true(scratch_exists(deep));
	close(fd);
	free(deep);
}

LISTENER_TEST(a_socket_that_nobody_answers_on_is_replaced)
{
	int fd = hv_listen(path, NULL);

	assert_true(fd >= 0);
	close(fd);
	assert_false(can_connect());
	fd = hv_listen(path, NULL);
	assert_true(fd >= 0);
	assert_true(can_connect());
	close(fd);
}

LISTENER_TEST(a_socket_that_is_answered_is_left_alone)
{
	int fd = hv_listen(path, NULL);

	assert_true(fd >= 0);
	assert_int_equal(hv_listen(path, NULL), -EADDRINUSE);
	assert_true(can_connect());
	close(fd);
}

/* It lives, it only does not accept: connect(2) would wait for it. */
LISTENER_TEST(a_busy_daemon_is_a_living_one)
{
	const struct sockaddr_un address = address_of(path);
	int listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), fds[8];
	size_t count = 0;

	assert_int_equal(bind(listening, (const struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(listening, 0), 0);
	do {
		fds[count] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		assert_true(fds[count] >= 0);
	} while (connect(fds[count++], (const struct sockaddr *)&address, sizeof(address)) == 0 &&
		 count < 8);
	assert_int_equal(hv_listen(path, NULL), -EADDRINUSE);
	while (count > 0)
		close(fds[--count]);
	close(listening);
}

/* A path that was mistyped must not cost a file. */
LISTENER_TEST(what_is_no_socket_is_not_replaced)
{
	scratch_write(path, "precious");
	assert_true(hv_listen(path, NULL) < 0);
	assert_true(scratch_exists(path));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("nowhere", path), 0);
	assert_true(hv_listen(path, NULL) < 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0755), 0);
	assert_true(hv_listen(path, NULL) < 0);
}

LISTENER_TEST(a_path_that_does_not_fit_is_refused)
{
	char longest[300];

	memset(longest, 'a', sizeof(longest));
	longest[0] = '/';
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(hv_listen(longest, NULL), -ENAMETOOLONG);
}

/* In a child, whose descriptor 3 is free to be systemd's.  Returns what hv_listen gave. */
static int listen_as_unit(const char *count, bool is_ours)
{
	int status = 0;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		char number[16];

		if (fd != SYSTEMD_FD && dup2(fd, SYSTEMD_FD) < 0)
			_exit(100);
		(void)fcntl(SYSTEMD_FD, F_SETFD, 0);
		snprintf(number, sizeof(number), "%d", is_ours ? getpid() : getppid());
		setenv("LISTEN_PID", number, 1);
		setenv("LISTEN_FDS", count, 1);
		fd = hv_listen(path, NULL);
		if (fd == SYSTEMD_FD && fcntl(fd, F_GETFD) != FD_CLOEXEC)
			_exit(101);
		_exit(fd < 0 ? 102 : fd);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

LISTENER_TEST(the_descriptor_of_systemd_is_taken)
{
	assert_int_equal(listen_as_unit("1", true), SYSTEMD_FD);
	assert_false(scratch_exists(path)); /* nothing was made or replaced */
}

LISTENER_TEST(a_descriptor_for_somebody_else_is_not_taken)
{
	assert_true(listen_as_unit("1", false) > SYSTEMD_FD);
	assert_true(listen_as_unit("0", true) > SYSTEMD_FD);
	assert_true(listen_as_unit("x", true) > SYSTEMD_FD);
	assert_true(scratch_exists(path));
}

LISTENER_TEST(an_address_has_numbers_and_a_port)
{
	static const char *const good[] = {
		"127.0.0.1:9478", "0.0.0.0:1", "[::1]:9478", "[::]:65535", "[fe80::1]:80"};
	static const char *const bad[] = {"", ":", ":9478", "127.0.0.1",
		"127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536", "127.0.0.1:99999999999999999999",
		"127.0.0.1:+1", "127.0.0.1: 1", "127.0.0.1:1x", "127.0.0:1", "localhost:1",
		"::1:9478", "[::1]", "[::1:1", "[]:1", "[:1", "]:1", "[127.0.0.1]:1",
		"[1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc]:1"};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(hv_address_is_valid(good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (hv_address_is_valid(bad[i]))
			fail_msg("%s is taken", bad[i]);
		assert_int_equal(hv_listen_tcp(bad[i]), -EINVAL);
	}
}

/* A port that was free just now. */
static unsigned find_port(void)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (const struct sockaddr *)&address, size), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	close(fd);
	return ntohs(address.sin_port);
}

LISTENER_TEST(tcp_listens_once_at_an_address)
{
	char text[64];
	int fd;

	snprintf(text, sizeof(text), "127.0.0.1:%u", find_port());
	fd = hv_listen_tcp(text);
	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(hv_listen_tcp(text), -EADDRINUSE);
	close(fd);
	fd = hv_listen_tcp(text);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(hv_listen_tcp("192.0.2.1:9478"), -EADDRNOTAVAIL); /* RFC 5737 */
}

TEST_MAIN()
