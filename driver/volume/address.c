/* The servers of network file systems: the kernel wants an address, users give names. */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fs.h"

enum { RESOLVE_SECONDS = 10, HOST_SIZE = 256 };

static bool is_address(const char *text)
{
	unsigned char bytes[sizeof(struct in6_addr)];

	return inet_pton(AF_INET, text, bytes) == 1 || inet_pton(AF_INET6, text, bytes) == 1;
}

/* The name service may be slow; a thread of libc's waits for it in our place. */
struct lookup {
	struct gaicb request;
	struct addrinfo hints;
	char host[HOST_SIZE];
};

/* Returns 0 or an EAI_ code. */
static int look_up(const char *host, char ret[static INET6_ADDRSTRLEN])
{
	const struct timespec deadline = {.tv_sec = RESOLVE_SECONDS};
	struct lookup *lookup = calloc(1, sizeof(*lookup));
	struct gaicb *requests[1];
	int rc;

	if (!lookup)
		return EAI_MEMORY;
	snprintf(lookup->host, sizeof(lookup->host), "%s", host);
	lookup->hints.ai_socktype = SOCK_STREAM;
	lookup->request.ar_name = lookup->host;
	lookup->request.ar_request = &lookup->hints;
	requests[0] = &lookup->request;
	rc = getaddrinfo_a(GAI_NOWAIT, requests, 1, NULL);
	if (rc == 0 &&
		gai_suspend((const struct gaicb *const *)requests, 1, &deadline) == EAI_AGAIN &&
		gai_cancel(requests[0]) != EAI_CANCELED && gai_error(requests[0]) == EAI_INPROGRESS)
		return EAI_AGAIN; /* libc goes on with it: the memory is its own now */
	if (rc == 0)
		rc = gai_error(requests[0]);
	if (rc == 0)
		rc = getnameinfo(lookup->request.ar_result->ai_addr,
			lookup->request.ar_result->ai_addrlen, ret, INET6_ADDRSTRLEN, NULL, 0,
			NI_NUMERICHOST);
	if (lookup->request.ar_result)
		freeaddrinfo(lookup->request.ar_result);
	free(lookup);
	return rc;
}

/* "SERVER:/path" or "//SERVER/share". */
static void host_of_device(const char *device, char ret[static HOST_SIZE])
{
	const char *start = device + strspn(device, "/");
	const char *end = start > device ? strchrnul(start, '/') : strchrnul(start, ':');

	if (*start == '[') { /* [2001:db8::1]:/path */
		start++;
		end = strchrnul(start, ']');
	}
	*ret = '\0';
	if (end > start && *end && end - start < HOST_SIZE) {
		memcpy(ret, start, (size_t)(end - start));
		ret[end - start] = '\0';
	}
}

/* Take addr= out of the data, its value to `ret`; "" without one. */
static void take_addr(struct mc_fs *fs, char ret[static HOST_SIZE])
{
	static const char key[] = "addr=";
	const size_t key_size = sizeof(key) - 1;
	char *at = fs->data;

	*ret = '\0';
	while (*at) {
		char *end = strchrnul(at, ',');
		char *next = end + (*end == ',');

		if (strncmp(at, key, key_size) != 0) {
			at = next;
			continue;
		}
		snprintf(ret, HOST_SIZE, "%.*s", (int)(end - at - (long)key_size), at + key_size);
		memmove(at, next, strlen(next) + 1);
	}
	if (at > fs->data && at[-1] == ',')
		at[-1] = '\0';
}

static bool is_of_server(const char *type)
{
	return strcmp(type, "nfs") == 0 || strcmp(type, "nfs4") == 0 || strcmp(type, "cifs") == 0 ||
	       strcmp(type, "smb3") == 0;
}

enum hv_code hv_fs_resolve(const char *name, struct mc_fs *fs, struct hv_error *err)
{
	char host[HOST_SIZE], address[INET6_ADDRSTRLEN];
	size_t length;
	int rc;

	if (!is_of_server(fs->type))
		return HV_OK;
	take_addr(fs, host);
	if (!*host)
		host_of_device(fs->device, host);
	if (!*host)
		return hv_fail(err, HV_BAD_REQUEST,
			"volume '%s' names no server: neither addr= in option o nor one in device=%.300s",
			name, fs->device);
	rc = is_address(host) ? 0 : look_up(host, address);
	if (rc != 0) {
		hv_fail(err, rc == EAI_AGAIN ? HV_TIMEOUT : HV_SOURCE_MISSING,
			"the server '%s' of volume '%s' has no address: %s", host, name,
			gai_strerror(rc));
		return hv_hint(err, "getent hosts %s on the host tells the same", host);
	}
	length = strlen(fs->data);
	rc = snprintf(fs->data + length, sizeof(fs->data) - length, "%saddr=%s", length ? "," : "",
		is_address(host) ? host : address);
	if (rc < 0 || (size_t)rc >= sizeof(fs->data) - length)
		return hv_fail(err, HV_BAD_REQUEST, "option o of volume '%s' is too long", name);
	return HV_OK;
}
