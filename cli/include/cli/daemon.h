/* SPDX-License-Identifier: Apache-2.0 */
/* Where the hostvol daemon is. */
#ifndef CLI_DAEMON_H
#define CLI_DAEMON_H

#include "cli/client.h"

/* Find the daemon of the selected Engine: HOSTVOL_SOCKET, else the enabled plugin's socket, else
 * that of a daemon without an Engine's management, if it serves that Engine.  Of an Engine that is
 * not behind a unix socket of this machine nothing is asked yet. Returns HV_OK, or a code with
 * sentence and hint in `err`.  The caller frees `ret` with hv_client_done() whatever is returned.
 */
enum hv_code hv_client_find(const struct hv_globals *globals,
	const struct hv_environment *environment, struct hv_client *ret, struct hv_error *err)
	__attribute__((nonnull, warn_unused_result));

/* Find the daemon and make one call. */
enum hv_code hv_client_ask(const struct hv_globals *globals,
	const struct hv_environment *environment, const struct hv_call *call,
	struct json_object **ret, struct hv_error *err)
	__attribute__((nonnull, warn_unused_result));

#endif
