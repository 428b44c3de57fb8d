/* SPDX-License-Identifier: Apache-2.0 */
/* A program under the docker command: a set of subcommands, or a single command. */
#ifndef CLI_TOOL_H
#define CLI_TOOL_H

#include <stdio.h>

#include "cli/command.h"

struct hv_program {
	const char *name; /* the word after `docker` */
	const char *summary;
	const struct hv_command *const *commands; /* ends with NULL; NULL: `only` is the command */
	const struct hv_command *only;
};

/* Do what the command line says: read flags, run the command, report on stderr.
 * Returns the exit status: 0 done, 1 refused or failed, 2 wrong usage.  One call per process. */
int hv_program_run(const struct hv_program *tool, int argc, char *const argv[])
	__attribute__((nonnull, warn_unused_result));

/* Answer the shell completion of docker on stdout; argv ends with the word to complete.
 * Source: docker/cli, cobra's __complete. */
void hv_program_complete(const struct hv_program *tool, int argc, char *const argv[])
	__attribute__((nonnull));

/* The subcommand that has this name or alias, or NULL. */
const struct hv_command *hv_program_find(const struct hv_program *tool, const char *name)
	__attribute__((nonnull));

/* The help on stdout; `command` NULL: of the tool as a whole. */
void hv_help_print(const struct hv_program *tool, const struct hv_command *command)
	__attribute__((nonnull(1)));

/* The usage line; `command` NULL: of the tool as a whole. */
void hv_usage_print(FILE *out, const struct hv_program *tool, const struct hv_command *command)
	__attribute__((nonnull(1, 2)));

#endif
