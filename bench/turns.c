/* SPDX-License-Identifier: Apache-2.0 */
/* bench_turns ROUNDS <LINES
 *
 * Times steps in turns: in each round each line's step once, then its undo.  A line is
 *
 *	NAME tab STEP tab UNDO
 *
 * A step is a command, with the path of its program: [VARIABLE=VALUE]... PROGRAM [ARGUMENT]...  It
 * runs without output.  Or it is a request on a connection that is kept: http SOCKET METHOD PATH
 * [BODY].  Its words are separated by one space and have none.  The undo may be empty.
 *
 * The first round is not counted.  Prints for each line, separated by tabs, the name, median and
 * 99th percentile of the step, median and 99th percentile of the undo: in microseconds. */
#include <fcntl.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "http.h"
#include "samples.h"

enum { TURNS_MAX = 16, WORDS_MAX = 32, TEXT_MAX = 4096, ROUNDS_MAX = 100000 };

struct step {
	char *words[WORDS_MAX + 1]; /* none: there is nothing to do */
	char **argv, **environment;
	int fd; /* of a request */
};

struct turn {
	char text[TEXT_MAX];
	struct step steps[2];
	uint64_t *samples[2];
};

static posix_spawn_file_actions_t silent;

/* Environment of a command that has its own variables in front: the first of a name counts. */
static char **extend_environment(char **variables, size_t count)
{
	size_t present = 0;
	char **all;

	while (environ[present])
		present++;
	all = calloc(count + present + 1, sizeof(*all));
	if (all) {
		memcpy(all, variables, count * sizeof(*all));
		memcpy(all + count, environ, present * sizeof(*all));
	}
	return all;
}

static int parse_step(char *text, struct step *step)
{
	size_t count = 0, variables = 0;
	char *rest = NULL;

	for (char *word = strtok_r(text, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
		if (count == WORDS_MAX)
			return -1;
		step->words[count++] = word;
	}
	step->fd = -1;
	if (count == 0)
		return 0;
	if (strcmp(step->words[0], "http") == 0) {
		step->fd = count == 4 || count == 5 ? http_connect(step->words[1]) : -1;
		return step->fd < 0 ? -1 : 0;
	}
	while (variables < count && strchr(step->words[variables], '='))
		variables++;
	step->argv = step->words + variables;
	step->environment = extend_environment(step->words, variables);
	return step->argv[0] && step->environment ? 0 : -1;
}

/* Parses the line in turn->text. */
static int parse_turn(struct turn *turn, size_t rounds)
{
	char *rest = NULL, *step, *undo;

	turn->text[strcspn(turn->text, "\n")] = '\0';
	strtok_r(turn->text, "\t", &rest);
	step = strtok_r(NULL, "\t", &rest);
	undo = strtok_r(NULL, "\t", &rest);
	if (!step || parse_step(step, &turn->steps[0]) < 0)
		return -1;
	if (undo && parse_step(undo, &turn->steps[1]) < 0)
		return -1;
	for (int i = 0; i < 2; i++)
		turn->samples[i] = calloc(rounds, sizeof(*turn->samples[i]));
	return turn->samples[0] && turn->samples[1] ? 0 : -1;
}

static int run_command(const struct step *step)
{
	int status = -1;
	pid_t pid;

	if (posix_spawn(&pid, step->argv[0], &silent, NULL, step->argv, step->environment) != 0 ||
		waitpid(pid, &status, 0) != pid)
		return -1;
	return status == 0 ? 0 : -1;
}

static int run_step(const struct step *step, uint64_t *ret_ns)
{
	uint64_t start = now_ns();
	int rc = 0;

	if (step->argv)
		rc = run_command(step);
	else if (step->words[0])
		rc = http_ask(step->fd, step->words[2], step->words[3],
			step->words[4] ? step->words[4] : "");
	*ret_ns = now_ns() - start;
	return rc;
}

static int run_rounds(struct turn *turns, size_t count, size_t rounds)
{
	for (size_t round = 0; round <= rounds; round++) {
		size_t sample = round ? round - 1 : 0; /* the first one is overwritten */

		for (size_t i = 0; i < 2 * count; i++) {
			struct turn *turn = &turns[i / 2];

			if (run_step(&turn->steps[i % 2], &turn->samples[i % 2][sample]) == 0)
				continue;
			fprintf(stderr, "%s failed%s\n", turn->text, i % 2 ? " to undo" : "");
			return -1;
		}
	}
	return 0;
}

static void report(struct turn *turn, size_t rounds)
{
	size_t median = rounds / 2, high = rounds * 99 / 100;

	printf("%s", turn->text);
	for (int i = 0; i < 2; i++) {
		sort_samples(turn->samples[i], rounds);
		printf("\t%.1f\t%.1f", (double)turn->samples[i][median] / 1000,
			(double)turn->samples[i][high] / 1000);
	}
	printf("\n");
}

/* All that is allocated lives until the program ends. */
int main(int argc, char **argv)
{
	static struct turn turns[TURNS_MAX];
	size_t rounds = argc == 2 ? strtoul(argv[1], NULL, 10) : 0, count = 0;

	if (rounds < 1 || rounds > ROUNDS_MAX) {
		fprintf(stderr, "usage: %s ROUNDS <LINES\n", argv[0]);
		return 2;
	}
	while (count < TURNS_MAX && fgets(turns[count].text, TEXT_MAX, stdin)) {
		if (parse_turn(&turns[count], rounds) < 0) {
			fprintf(stderr, "%s: not a step that can be run\n", turns[count].text);
			return 2;
		}
		count++;
	}
	if (posix_spawn_file_actions_init(&silent) != 0 ||
		posix_spawn_file_actions_addopen(
			&silent, STDOUT_FILENO, "/dev/null", O_WRONLY, 0) != 0)
		return 1;
	if (run_rounds(turns, count, rounds) < 0)
		return 1;
	for (size_t i = 0; i < count; i++)
		report(&turns[i], rounds);
	return 0;
}
