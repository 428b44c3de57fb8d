/* SPDX-License-Identifier: Apache-2.0 */
/* Which Docker Engine the command line, the environment and the configuration select. */
#ifndef CLI_ENDPOINT_H
#define CLI_ENDPOINT_H

#include "cli/globals.h"

/* The path of the Engine's unix socket, owned by the caller: --host, else --context, else
 * DOCKER_HOST, else DOCKER_CONTEXT, else "currentContext" of config.json.
 * Returns HV_OK, HV_UNSUPPORTED when it is not a unix socket, HV_BAD_REQUEST when the context does
 * not exist, or HV_INTERNAL when the configuration cannot be read.
 * Source: docker/cli, cli/command and cli/context/store. */
enum hv_code hv_endpoint_resolve(const struct hv_globals *globals,
	const struct hv_environment *environment, char **ret_socket, struct hv_error *err)
	__attribute__((nonnull, warn_unused_result));

#endif
