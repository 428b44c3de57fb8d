/* SPDX-License-Identifier: Apache-2.0 */
/* The real server, fed in odd-sized pieces: it closes every connection in the end, says nothing
 * that is not HTTP, and serves the next one.  The first byte decides the pieces' sizes. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "mountcore/core.h"

#include "daemon/server.h"

enum { INPUT_MAX = 16384, PATIENCE_SECONDS = 20, ANSWER_MAX = 65536 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct sockaddr_un address;
static socklen_t address_size = sizeof(address);

static enum hv_code refuse(void *context, struct hv_error *err)
{
	(void)context;
	return hv_fail(err, HV_DENIED, "nothing behind it");
}

static int no_engine(void *context)
{
	(void)context;
	return -1;
}

/* On an address that the kernel chooses: unix(7), autobind. */
static void start_server(void)
{
	static const struct hv_log log = {.level = HV_LOG_ERROR};
	static const struct hv_setting settings[] = {{NULL, NULL}};
	static struct hv_api api = {.mode = "plain", .settings = settings, .open_state = refuse};
	const struct hv_engine_args engine = {.open_socket = no_engine, .socket_path = "/none"};
	const struct mc_core_args core = {.workers = 1, .helper_timeout_ms = 1000};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	address.sun_family = AF_UNIX;
	api.engine = hv_engine_new(&engine);
	if (!api.engine || mc_core_open(&core, &api.core, NULL) < 0 ||
		bind(fd, (const struct sockaddr *)&address, sizeof(sa_family_t)) < 0 ||
		getsockname(fd, (struct sockaddr *)&address, &address_size) < 0 ||
		listen(fd, 16) < 0)
		abort();
	api.volumes =
		hv_volumes_new(&(struct hv_volumes_args){.core = api.core, .mount_root = "/none"});
	if (!api.volumes)
		abort();
	api.attacher = hv_attacher_new(&(struct hv_attacher_args){
		.core = api.core,
		.engine = api.engine,
		.volumes = api.volumes,
	});
	if (!api.attacher || !hv_server_start(fd, &api, &log))
		abort();
}

static int connect_server(void)
{
	const struct timeval patience = {.tv_sec = PATIENCE_SECONDS};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (connect(fd, (const struct sockaddr *)&address, address_size) < 0 ||
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0)
		abort();
	return fd;
}

/* Send, tell that nothing more comes, and read until the server closes.  Returns what came. */
static size_t talk(const uint8_t *data, size_t size, size_t piece, char answer[static ANSWER_MAX])
{
	int fd = connect_server();
	size_t used = 0;
	ssize_t got = 1;

	for (size_t at = 0; at < size; piece = piece * 5 % 61 + 1) {
		size_t length = size - at < piece ? size - at : piece;

		if (send(fd, data + at, length, MSG_NOSIGNAL) < 0)
			break; /* it has closed: that is an answer too */
		at += length;
	}
	(void)shutdown(fd, SHUT_WR);
	while (got > 0 && used < ANSWER_MAX) {
		do /* libFuzzer's own alarm, which a receive timeout does not let be restarted */
			got = recv(fd, answer + used, ANSWER_MAX - used, 0);
		while (got < 0 && errno == EINTR);
		used += got > 0 ? (size_t)got : 0;
	}
	if (got < 0 && errno != ECONNRESET)
		abort();
	close(fd);
	return used;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char activate[] = "POST /Plugin.Activate HTTP/1.1\r\nHost: \r\n\r\n";
	static char answer[ANSWER_MAX];
	size_t used;

	if (size < 1 || size > INPUT_MAX)
		return 0;
	if (!address.sun_family)
		start_server();
	used = talk(data + 1, size - 1, data[0] + 1, answer);
	if (used > 0 && (used < 9 || memcmp(answer, "HTTP/1.", 7) != 0))
		abort();
	used = talk((const uint8_t *)activate, sizeof(activate) - 1, sizeof(activate), answer);
	if (used < 12 || memcmp(answer, "HTTP/1.1 200", 12) != 0)
		abort();
	return 0;
}
