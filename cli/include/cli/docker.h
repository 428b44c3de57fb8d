/* SPDX-License-Identifier: Apache-2.0 */
/* The docker command itself, for what goes through the Engine of the selected context. */
#ifndef CLI_DOCKER_H
#define CLI_DOCKER_H

#include <stddef.h>

#include "cli/globals.h"

/* Run docker with the same global flags and `words` (ends with NULL), without standard input, and
 * wait for it.  The program is the one that called us, else "docker" of PATH.
 * Returns HV_OK with what it printed in `ret_output` (owned, NUL-terminated; may be NULL), or
 * HV_INTERNAL with what it said on standard error as sentence.
 * Source: docker/cli, cli-plugins (DOCKER_CLI_PLUGIN_ORIGINAL_CLI_COMMAND). */
enum hv_code hv_docker_run(const struct hv_globals *globals, const char *const *words,
	char **ret_output, struct hv_error *err)
	__attribute__((nonnull(1, 2, 4), warn_unused_result));

#endif
