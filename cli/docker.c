/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/docker.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/cleanup.h"

enum { WORDS_MAX = HV_GLOBAL_WORDS_MAX + 16, OUTPUT_MAX = 16 << 20 };

static char *borrow(const char *text)
{
	return (char *)(uintptr_t)text; /* execve(2) takes it without const and changes nothing */
}

static int spawn(const char *program, char *const *words, int out, int errors, pid_t *ret)
{
	posix_spawn_file_actions_t actions;
	int rc = posix_spawn_file_actions_init(&actions);

	if (rc != 0)
		return -rc;
	rc = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	if (rc == 0)
		rc = posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	if (rc == 0)
		rc = posix_spawn_file_actions_adddup2(&actions, errors, STDERR_FILENO);
	if (rc == 0)
		rc = posix_spawnp(ret, program, &actions, NULL, words, environ);
	posix_spawn_file_actions_destroy(&actions);
	return -rc;
}

/* The content of the file; NULL on ENOMEM, or if it is too large. */
static char *read_all(int fd)
{
	struct stat status;
	char *text;
	ssize_t size;

	if (fstat(fd, &status) < 0 || status.st_size > OUTPUT_MAX)
		return NULL;
	text = malloc((size_t)status.st_size + 1);
	if (!text)
		return NULL;
	size = pread(fd, text, (size_t)status.st_size, 0);
	text[size > 0 ? size : 0] = '\0';
	return text;
}

/* The first line that says something, without what the docker command puts in front of it. */
static enum hv_code fail_with(char *text, struct hv_error *err)
{
	static const char daemon[] = "Error response from daemon: ";
	char *at = text ? strstr(text, daemon) : NULL;

	at = at ? at + sizeof(daemon) - 1 : text;
	if (!at || !*at)
		return hv_fail(err, HV_INTERNAL, "the docker command failed without a reason");
	at[strcspn(at, "\n")] = '\0';
	return hv_fail(err, HV_INTERNAL, "the Docker Engine: %s", at);
}

enum hv_code hv_docker_run(const struct hv_globals *globals, const char *const *words,
	char **ret_output, struct hv_error *err)
{
	const char *caller = secure_getenv("DOCKER_CLI_PLUGIN_ORIGINAL_CLI_COMMAND");
	const char *program = caller && *caller ? caller : "docker";
	char *all[WORDS_MAX] = {borrow(program)};
	size_t count = 1;
	hv_auto_free char *errors = NULL;
	hv_auto_fd int out = memfd_create("output", MFD_CLOEXEC),
		       error_fd = memfd_create("errors", MFD_CLOEXEC);
	int status = 0, rc = out < 0 || error_fd < 0 ? -errno : 0;
	pid_t pid = 0;

	for (size_t i = 0; i < globals->word_count; i++)
		all[count++] = borrow(globals->words[i]);
	while (*words && count + 1 < WORDS_MAX)
		all[count++] = borrow(*words++);
	if (rc == 0)
		rc = spawn(program, all, out, error_fd, &pid);
	if (rc == 0 && waitpid(pid, &status, 0) < 0)
		rc = -errno;
	if (rc < 0)
		return hv_fail(
			err, HV_INTERNAL, "cannot run %s: %s", program, strerrordesc_np(-rc));
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		errors = read_all(error_fd);
		return fail_with(errors, err);
	}
	if (!ret_output)
		return HV_OK;
	*ret_output = read_all(out);
	if (!*ret_output)
		return hv_fail(err, HV_INTERNAL, "the answer of %s is too long", program);
	return HV_OK;
}
