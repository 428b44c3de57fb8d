/* SPDX-License-Identifier: Apache-2.0 */
#include "start/roots.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mountcore/cleanup.h"
#include "wire/json.h"

enum { FILE_SIZE = 64 << 10, ARGS_MAX = 256 };

const char *const hv_roots_usual[] = {
	"/run/docker/runtime-runc/moby",
	"/run/docker/runtime-crun/moby",
	"/run/runc",
	"/run/crun",
	NULL,
};

/* A file of a process, or reached through it, as a string; its size, or a negative errno. */
static ssize_t read_file(long long pid, const char *name, char ret[static FILE_SIZE])
{
	char path[64];
	size_t used = 0;
	ssize_t size;
	mc_auto_fd fd = MC_FD_NONE;

	snprintf(path, sizeof(path), "/proc/%lld/%s", pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	do {
		size = read(fd, ret + used, FILE_SIZE - 1 - used);
		used += size > 0 ? (size_t)size : 0;
	} while (size > 0 && used < FILE_SIZE - 1);
	ret[used] = '\0';
	return size < 0 ? -errno : (ssize_t)used;
}

static long long parent_of(pid_t pid, char text[static FILE_SIZE])
{
	const char *line;

	if (read_file(pid, "status", text) < 0)
		return -ESRCH;
	line = strstr(text, "\nPPid:");
	return line ? strtoll(line + strlen("\nPPid:"), NULL, 10) : -ESRCH;
}

/* Split a command line, ended by NUL each. */
static size_t split(char *text, size_t size, char *ret[static ARGS_MAX])
{
	size_t count = 0;

	for (char *at = text; at < text + size && count < ARGS_MAX; at += strlen(at) + 1)
		ret[count++] = at;
	return count;
}

static const char *value_of(char *const *args, size_t count, const char *option)
{
	for (size_t i = 0; i + 1 < count; i++)
		if (strcmp(args[i], option) == 0)
			return args[i + 1];
	return NULL;
}

static int set(char ret[static PATH_MAX], const char *root, const char *below)
{
	int length = snprintf(ret, PATH_MAX, "%s%s%s", root, *below ? "/" : "", below);

	return root[0] == '/' && length < PATH_MAX ? 0 : -ENOENT;
}

static const struct hv_field options_fields[] = {
	{"root", HV_TYPE_STRING, 0, 0},
	{NULL, HV_TYPE_STRING, 0, 0},
};

/* The shim's working directory is the bundle, where containerd leaves what it was asked for. */
static int find_of_shim(long long shim, char *const *args, size_t count, char ret[static PATH_MAX])
{
	const char *namespace = value_of(args, count, "-namespace");
	char *text = malloc(FILE_SIZE);
	mc_auto_free char *root = NULL;
	hv_auto_error struct hv_error ignored = {0};
	ssize_t size = text ? read_file(shim, "cwd/options.json", text) : -ENOMEM;
	bool is_read = namespace && size > 0 &&
		       hv_fields_read(text, (size_t)size, options_fields, HV_UNKNOWN_IGNORE, &root,
			       &ignored) == HV_OK &&
		       root;

	free(text); /* by hand: the analyzer of clang does not know the attribute */
	return is_read ? set(ret, root, namespace) : -ENOENT;
}

/* conmon passes each word of the runtime's options behind --runtime-arg. */
static int find_of_conmon(char *const *args, size_t count, char ret[static PATH_MAX])
{
	const char *runtime = value_of(args, count, "-r"), *name;

	for (size_t i = 0; i + 1 < count; i++) {
		if (strcmp(args[i], "--runtime-arg") != 0)
			continue;
		if (strncmp(args[i + 1], "--root=", 7) == 0)
			return set(ret, args[i + 1] + 7, "");
		if (strcmp(args[i + 1], "--root") == 0 && i + 3 < count)
			return set(ret, args[i + 3], "");
	}
	if (!runtime)
		runtime = value_of(args, count, "--runtime");
	if (!runtime)
		return -ENOENT;
	name = strrchr(runtime, '/');
	return set(ret, "/run", name ? name + 1 : runtime);
}

static int find(pid_t pid, char text[static FILE_SIZE], char ret[static PATH_MAX])
{
	char *args[ARGS_MAX];
	long long parent = parent_of(pid, text);
	const char *name;
	ssize_t size;
	size_t count;

	if (parent <= 1)
		return parent < 0 ? (int)parent : -ENOENT;
	size = read_file(parent, "cmdline", text);
	if (size <= 0)
		return -ESRCH;
	count = split(text, (size_t)size, args);
	name = strrchr(args[0], '/');
	name = name ? name + 1 : args[0];
	if (strncmp(name, "containerd-shim", 15) == 0)
		return find_of_shim(parent, args, count, ret);
	if (strncmp(name, "conmon", 6) == 0)
		return find_of_conmon(args, count, ret);
	return -ENOENT;
}

int hv_root_find(pid_t pid, char ret[static PATH_MAX])
{
	char *text = malloc(FILE_SIZE);
	int rc = text ? find(pid, text, ret) : -ENOMEM;

	free(text);
	return rc;
}
