/* SPDX-License-Identifier: Apache-2.0 */
/* bench_spawn ROUNDS PROGRAM... -- [ARGUMENT...]
 *
 * Times each program from its start to its end, in turns, with the same arguments and without
 * output.  Prints, for each, the median in microseconds. */
#include <fcntl.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "samples.h"

enum { ROUNDS_MAX = 100000 };

/* Nanoseconds; 0: it could not be started, or failed. */
static uint64_t run(const char *program, char **argv, const posix_spawn_file_actions_t *silent)
{
	uint64_t start = now_ns();
	int status = -1;
	pid_t pid;

	if (posix_spawn(&pid, program, silent, NULL, argv, environ) != 0 ||
		waitpid(pid, &status, 0) != pid || status != 0) {
		fprintf(stderr, "%s: status %d\n", program, status);
		return 0;
	}
	return now_ns() - start;
}

int main(int argc, char **argv)
{
	size_t rounds = argc > 3 ? strtoul(argv[1], NULL, 10) : 0, programs = 0;
	posix_spawn_file_actions_t silent;
	uint64_t *samples;
	char **arguments;

	while (2 + programs < (size_t)argc && strcmp(argv[2 + programs], "--") != 0)
		programs++;
	if (rounds < 1 || rounds > ROUNDS_MAX || programs < 1 || 2 + programs == (size_t)argc) {
		fprintf(stderr, "usage: %s ROUNDS PROGRAM... -- [ARGUMENT...]\n", argv[0]);
		return 2;
	}
	arguments = argv + 2 + programs; /* "--" is the name that they are called by */
	samples = calloc(rounds * programs, sizeof(*samples));
	posix_spawn_file_actions_init(&silent);
	posix_spawn_file_actions_addopen(&silent, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	for (size_t i = 0; samples && i < rounds * programs; i++) {
		size_t which = i % programs;

		samples[which * rounds + i / programs] = run(argv[2 + which], arguments, &silent);
		if (samples[which * rounds + i / programs] == 0)
			return 1;
	}
	for (size_t i = 0; samples && i < programs; i++) {
		const uint64_t *median = samples + i * rounds + rounds / 2;

		sort_samples(samples + i * rounds, rounds);
		printf("%.1f\n", (double)*median / 1000);
	}
	posix_spawn_file_actions_destroy(&silent);
	free(samples);
	return samples ? 0 : 1;
}
