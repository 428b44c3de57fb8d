/* SPDX-License-Identifier: Apache-2.0 */
#include "program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/hv_test.h"

int program_set_up(void **state)
{
	struct cli_fixture *place = calloc(1, sizeof(*place));

	assert_non_null(place);
	strcpy(place->dir, "/tmp/hostvol-test-XXXXXX");
	assert_non_null(mkdtemp(place->dir));
	snprintf(place->socket, sizeof(place->socket), "%s/server.sock", place->dir);
	*state = place;
	return 0;
}

int program_tear_down(void **state)
{
	struct cli_fixture *place = *state;

	fake_server_free(place->server);
	assert_int_equal(rmdir(place->dir), 0);
	free(place);
	return 0;
}

void program_serve(struct cli_fixture *place, const struct fake_answer *answers)
{
	place->server = fake_server_new(place->socket, answers);
}

static char *read_back(int fd)
{
	off_t size = lseek(fd, 0, SEEK_END);
	char *text = calloc(1, (size_t)size + 1);

	assert_non_null(text);
	assert_int_equal(pread(fd, text, (size_t)size, 0), size);
	close(fd);
	return text;
}

struct outcome program_run(const struct cli_fixture *place, const char *const words[])
{
	char program[512];
	char daemon[100];
	char engine[100];
	char home[100];
	char *const environment[] = {engine, home, place->is_engine_alone ? NULL : daemon, NULL};
	int out = memfd_create("out", 0);
	int err = memfd_create("err", 0);
	int status = 0;
	pid_t child;

	snprintf(program, sizeof(program), "%s/%s", PROGRAM_DIR, words[0]);
	snprintf(daemon, sizeof(daemon), "HOSTVOL_SOCKET=%s", place->socket);
	snprintf(engine, sizeof(engine), "DOCKER_HOST=unix://%s", place->socket);
	snprintf(home, sizeof(home), "HOME=%s", place->dir);
	child = fork();
	if (child == 0) {
		if (chdir(place->dir) == 0 && dup2(out, STDOUT_FILENO) >= 0 &&
			dup2(err, STDERR_FILENO) >= 0)
			execve(program, (char *const *)(uintptr_t)words, environment);
		_exit(127);
	}
	assert_true(child > 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	return (struct outcome){status, read_back(out), read_back(err)};
}

void program_expect(const struct cli_fixture *place, const char *const words[], int status,
	const char *out, const char *err)
{
	struct outcome outcome = program_run(place, words);

	assert_string_equal(outcome.err, err);
	assert_string_equal(outcome.out, out);
	assert_int_equal(outcome.status, status);
	outcome_done(&outcome);
}

void program_expect_requests(const struct cli_fixture *place, const char *expected)
{
	char *log = fake_server_log(place->server);

	assert_string_equal(log, expected);
	free(log);
}

void outcome_done(struct outcome *outcome)
{
	free(outcome->out);
	free(outcome->err);
}
