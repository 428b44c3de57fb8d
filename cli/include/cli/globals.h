/* SPDX-License-Identifier: Apache-2.0 */
/* The global flags of the docker command, which come before a plugin's own name. */
#ifndef CLI_GLOBALS_H
#define CLI_GLOBALS_H

#include <stdbool.h>
#include <stddef.h>

#include "wire/error.h"

enum { HV_GLOBAL_WORDS_MAX = 32 };

/* Borrowed from the command line. */
struct hv_globals {
	const char *config_dir;
	const char *context;
	const char *host;
	bool help;
	bool version;
	bool ignored_flag;                      /* --debug, --tls: of no use on a unix socket */
	const char *ignored_value;              /* --log-level, --tlscert and so on */
	const char *words[HV_GLOBAL_WORDS_MAX]; /* all of them, as they were written */
	size_t word_count;
};

/* The environment variables, borrowed; NULL if unset. */
struct hv_environment {
	const char *hostvol_socket;
	const char *docker_host;
	const char *docker_context;
	const char *docker_config;
	const char *home;
	const char *caller;     /* the docker command that runs this one; NULL: it runs alone */
	const char *plugin_dir; /* where the Engine and plugins keep their sockets; never NULL */
};

/* Read global flags up to the first word that is none.
 * Returns how many words they are, or -EINVAL with the sentence in `err`.
 * Source: docker/cli, cli-plugins; docker(1). */
int hv_globals_parse(int argc, char *const argv[], struct hv_globals *globals, struct hv_error *err)
	__attribute__((nonnull, warn_unused_result));

/* The name of the global flag that an unknown `word` was meant to be, or NULL. */
const char *hv_globals_nearest(const char *word) __attribute__((nonnull));

void hv_environment_read(struct hv_environment *ret) __attribute__((nonnull));

#endif
