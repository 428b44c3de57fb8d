/* SPDX-License-Identifier: Apache-2.0 */
/* bench_null_driver SOCKET
 *
 * A volume driver that keeps names and nothing else: no disk, no lock, no thread.  The Engine takes
 * longer with it than with its own driver local: that is the price of any plugin. */
#include <poll.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { CLIENTS_MAX = 256, REQUEST_MAX = 65536, NAME_MAX_BYTES = 256 };

struct client {
	size_t used;
	char bytes[REQUEST_MAX];
};

static void *names; /* a tree of them: tsearch(3) */
static FILE *list;  /* that they are written to */

static int compare(const void *one, const void *other)
{
	return strcmp(one, other);
}

static void print_volume(FILE *out, const char *name)
{
	fprintf(out, "{\"Name\":\"%s\",\"Mountpoint\":\"/null/%s\"}", name, name);
}

static void print_node(const void *node, VISIT visit, int depth)
{
	(void)depth;
	if (visit != postorder && visit != leaf)
		return;
	if (ftell(list) > (long)strlen("{\"Err\":\"\",\"Volumes\":["))
		fputc(',', list);
	print_volume(list, *(const char *const *)node);
}

static void read_name(const char *body, char ret[static NAME_MAX_BYTES])
{
	const char *at = strstr(body, "\"Name\":\"");
	size_t length = at ? strcspn(at + 8, "\"") : 0;

	snprintf(ret, NAME_MAX_BYTES, "%.*s", (int)length, at ? at + 8 : "");
}

static void add(const char *name)
{
	char *own = strdup(name);
	char **found = own ? tsearch(own, &names, compare) : NULL;

	if (!found)
		abort();
	if (*found != own)
		free(own);
}

static void take_out(const char *name)
{
	char **found = tfind(name, &names, compare);
	char *own = found ? *found : NULL;

	if (own)
		tdelete(name, &names, compare);
	free(own);
}

static void answer_get(FILE *out, const char *name)
{
	if (!tfind(name, &names, compare)) {
		fputs("{\"Err\":\"no such volume\"}", out);
		return;
	}
	fputs("{\"Err\":\"\",\"Volume\":", out);
	print_volume(out, name);
	fputc('}', out);
}

static void answer(FILE *out, const char *path, const char *body)
{
	char name[NAME_MAX_BYTES];

	read_name(body, name);
	if (strncmp(path, "/Plugin.Activate ", 17) == 0) {
		fputs("{\"Implements\":[\"VolumeDriver\"]}", out);
	} else if (strncmp(path, "/VolumeDriver.Capabilities ", 27) == 0) {
		fputs("{\"Capabilities\":{\"Scope\":\"local\"}}", out);
	} else if (strncmp(path, "/VolumeDriver.Get ", 18) == 0) {
		answer_get(out, name);
	} else if (strncmp(path, "/VolumeDriver.List ", 19) == 0) {
		list = out;
		fputs("{\"Err\":\"\",\"Volumes\":[", out);
		twalk(names, print_node);
		fputs("]}", out);
	} else {
		if (strncmp(path, "/VolumeDriver.Create ", 21) == 0)
			add(name);
		if (strncmp(path, "/VolumeDriver.Remove ", 21) == 0)
			take_out(name);
		fputs("{\"Err\":\"\"}", out);
	}
}

static void write_all(int fd, const char *bytes, size_t size)
{
	while (size > 0) {
		ssize_t sent = send(fd, bytes, size, MSG_NOSIGNAL);

		if (sent <= 0)
			return; /* the client has gone */
		bytes += sent;
		size -= (size_t)sent;
	}
}

static void reply(int fd, const char *path, const char *body)
{
	char header[128], *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		abort();
	answer(out, path, body);
	fclose(out);
	snprintf(header, sizeof(header),
		"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
		size);
	write_all(fd, header, strlen(header));
	write_all(fd, text, size);
	free(text);
}

/* Answer it if it is complete.  Returns whether it was. */
static int serve(struct client *client, int fd)
{
	char *body = strstr(client->bytes, "\r\n\r\n");
	const char *length = strcasestr(client->bytes, "\r\nContent-Length:");
	size_t size = length ? strtoul(length + 17, NULL, 10) : 0;

	if (!body || client->used - (size_t)(body + 4 - client->bytes) < size)
		return 0;
	reply(fd, strchr(client->bytes, '/'), body + 4);
	client->used = 0;
	client->bytes[0] = '\0';
	return 1;
}

/* Returns whether the connection goes on. */
static int receive(struct client *client, int fd)
{
	size_t room = sizeof(client->bytes) - 1 - client->used;
	ssize_t got = read(fd, client->bytes + client->used, room);

	if (got <= 0)
		return 0;
	client->used += (size_t)got;
	client->bytes[client->used] = '\0';
	return serve(client, fd) || client->used < sizeof(client->bytes) - 1;
}

static int listen_at(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || strlen(path) >= sizeof(address.sun_path))
		return -1;
	memcpy(address.sun_path, path, strlen(path) + 1);
	if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
		listen(fd, CLIENTS_MAX) < 0)
		return -1;
	return fd;
}

int main(int argc, char **argv)
{
	static struct client clients[CLIENTS_MAX];
	struct pollfd fds[CLIENTS_MAX + 1];
	nfds_t count = 1;

	fds[0] = (struct pollfd){.fd = argc == 2 ? listen_at(argv[1]) : -1, .events = POLLIN};
	if (fds[0].fd < 0) {
		perror(argc == 2 ? argv[1] : "usage: hostvol_bench_null_driver SOCKET");
		return 1;
	}
	while (poll(fds, count, -1) > 0) {
		for (nfds_t i = count; i-- > 1;) {
			if (fds[i].revents == 0 || receive(&clients[i - 1], fds[i].fd))
				continue;
			close(fds[i].fd);
			fds[i] = fds[--count];
			clients[i - 1] = clients[count - 1];
		}
		if (fds[0].revents && count <= CLIENTS_MAX) {
			fds[count] = (struct pollfd){.events = POLLIN};
			fds[count].fd = accept(fds[0].fd, NULL, NULL);
			clients[count - 1].used = 0;
			count += fds[count].fd >= 0;
		}
	}
	return 1;
}
