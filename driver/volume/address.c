/* SPDX-License-Identifier: Apache-2.0 */
#include "address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

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

/* As Go's resolver does, which Docker's local driver asks: IPv4 if there is one. */
static const struct addrinfo *choose(const struct addrinfo *found)
{
	for (const struct addrinfo *at = found; at; at = at->ai_next)
		if (at->ai_family == AF_INET)
			return at;
	return found;
}

/* Returns 0 or an EAI_ code. */
static int look_up(const char *host, char ret[static INET6_ADDRSTRLEN])
{
	const struct timespec deadline = {.tv_sec = RESOLVE_SECONDS};
	struct lookup *lookup = calloc(1, sizeof(*lookup));
	const struct addrinfo *found;
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
	found = rc == 0 ? choose(lookup->request.ar_result) : NULL;
	if (found)
		rc = getnameinfo(found->ai_addr, found->ai_addrlen, ret, INET6_ADDRSTRLEN, NULL, 0,
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

static bool is_smb(const char *type)
{
	return strcmp(type, "cifs") == 0 || strcmp(type, "smb3") == 0;
}

static bool is_of_server(const char *type)
{
	return strcmp(type, "nfs") == 0 || strcmp(type, "nfs4") == 0 || is_smb(type);
}

/* How long the key is with which this word of the data gives the server's address; 0: it does not.
 * SMB's kernel part knows ip= too, and its ",," is a comma in the value before. */
static size_t address_key(const struct mc_fs *fs, const char *word)
{
	const size_t at = (size_t)(word - fs->data);

	if (strncmp(word, "addr=", 5) == 0 || (is_smb(fs->type) && strncmp(word, "ip=", 3) == 0))
		return at > 1 && word[-2] == ',' && is_smb(fs->type) ? 0 : strcspn(word, "=") + 1;
	return 0;
}

/* The address of `host`, which is one already, or a name. */
static enum hv_code find_address(
	const char *name, const char *host, char ret[static INET6_ADDRSTRLEN], struct hv_error *err)
{
	int rc = 0;

	if (is_address(host))
		snprintf(ret, INET6_ADDRSTRLEN, "%s", host);
	else
		rc = look_up(host, ret);
	if (rc == 0)
		return HV_OK;
	hv_fail(err, rc == EAI_AGAIN ? HV_TIMEOUT : HV_SOURCE_MISSING,
		"the server '%s' of volume '%s' has no address: %s", host, name, gai_strerror(rc));
	return hv_hint(err, "look up the name on the host: getent hosts %s", host);
}

/* Put `text` in the place of the `size` bytes at `at`. */
static enum hv_code replace(const char *name, struct mc_fs *fs, const char *at, size_t size,
	const char *text, struct hv_error *err)
{
	char data[sizeof(fs->data)];
	int rc = snprintf(
		data, sizeof(data), "%.*s%s%s", (int)(at - fs->data), fs->data, text, at + size);

	if (rc < 0 || (size_t)rc >= sizeof(data))
		return hv_fail(err, HV_BAD_REQUEST, "option o of volume '%s' is too long", name);
	memcpy(fs->data, data, sizeof(data));
	return HV_OK;
}

/* In the value of an addr= that is there, from the byte `at` on: the address instead of a name. */
static enum hv_code resolve_value(
	const char *name, struct mc_fs *fs, const char *at, struct hv_error *err)
{
	char host[HOST_SIZE], address[INET6_ADDRSTRLEN];
	size_t size = strcspn(at, ",");

	snprintf(host, sizeof(host), "%.*s", (int)size, at);
	if (!*host)
		host_of_device(fs->device, host);
	if (find_address(name, host, address, err) != HV_OK)
		return err->code;
	return replace(name, fs, at, size, address, err);
}

/* Without addr= in option o: add the address of the server in `device`. */
static enum hv_code add_address(const char *name, struct mc_fs *fs, struct hv_error *err)
{
	char host[HOST_SIZE], address[INET6_ADDRSTRLEN], option[INET6_ADDRSTRLEN + 8];

	host_of_device(fs->device, host);
	if (!*host)
		return hv_fail(err, HV_BAD_REQUEST,
			"volume '%s' names no server: neither addr= in option o nor one in device=%.300s",
			name, fs->device);
	if (find_address(name, host, address, err) != HV_OK)
		return err->code;
	/* At the start: at the end a password's comma could be before it. */
	snprintf(option, sizeof(option), "addr=%s%s", address, *fs->data ? "," : "");
	return replace(name, fs, fs->data, 0, option, err);
}

enum hv_code hv_fs_resolve(const char *name, struct mc_fs *fs, struct hv_error *err)
{
	bool has_address = false;

	if (!is_of_server(fs->type))
		return HV_OK;
	for (const char *at = fs->data; *at;) {
		size_t key = address_key(fs, at);

		if (key > 0 && resolve_value(name, fs, at + key, err) != HV_OK)
			return err->code;
		has_address |= key > 0;
		at += strcspn(at, ",");
		at += *at == ',';
	}
	return has_address ? HV_OK : add_address(name, fs, err);
}
