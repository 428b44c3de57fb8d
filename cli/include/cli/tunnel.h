/* SPDX-License-Identifier: Apache-2.0 */
/* Calls to the daemon through the Engine, for who cannot open its socket: from another machine, or
 * without root.  A volume that is a request is created, inspected and removed (docs/api.md). */
#ifndef CLI_TUNNEL_H
#define CLI_TUNNEL_H

#include "cli/daemon.h"

/* Make one call.  Returns HV_OK with the daemon's answer, which may be a refusal, in `ret_answer`
 * (to be put) and its HTTP status; or HV_INTERNAL with the Engine's words. */
enum hv_code hv_tunnel_call(const struct hv_globals *globals, const char *driver,
	const struct hv_call *call, struct json_object **ret_answer, long *ret_status,
	struct hv_error *err) __attribute__((nonnull(1, 3, 4, 5, 6), warn_unused_result));

#endif
