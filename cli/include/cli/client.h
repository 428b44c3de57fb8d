/* SPDX-License-Identifier: Apache-2.0 */
/* Calls to the hostvol daemon. */
#ifndef CLI_CLIENT_H
#define CLI_CLIENT_H

#include "cli/globals.h"

struct json_object;

/* Strings are owned. */
struct hv_client {
	char *socket;
	char *driver; /* its name as a volume driver: "hostvol" unless the plugin has an alias */
	/* Borrowed: calls may go through the Engine, where the socket cannot be opened; or NULL. */
	const struct hv_globals *globals;
	bool is_remote; /* it is not on this machine, or another Engine's: all calls go that way */
};

void hv_client_done(struct hv_client *daemon) __attribute__((nonnull));
#define hv_auto_daemon HV_AUTO(hv_client_done)

/* Whether calls go through the Engine, as far as can be told before the first. */
bool hv_client_is_tunnelled(const struct hv_client *daemon) __attribute__((nonnull));

struct hv_call {
	const char *endpoint;     /* "/HotAttach" */
	struct json_object *body; /* borrowed; NULL: an empty object */
	/* How long the daemon is asked to wait, as "WaitSeconds" of the body, which is set anew
	 * where the Engine lets nobody wait for so long. */
	long extra_seconds;
};

/* Judge an answer: success is status 200 with an empty Err.  Returns HV_OK with it in `ret`, to be
 * put, or the daemon's code with its sentence and hint in `err`. */
enum hv_code hv_daemon_judge(struct json_object *answer, long status, const char *endpoint,
	struct json_object **ret, struct hv_error *err)
	__attribute__((nonnull(3, 4, 5), warn_unused_result));

/* POST the call.  Returns HV_OK with the answer in `ret`, to be put, or the daemon's code with its
 * sentence and hint in `err`.  Source: the daemon's API, failures as `Err`, `Code`, `Hint`. */
enum hv_code hv_client_call(const struct hv_client *daemon, const struct hv_call *call,
	struct json_object **ret, struct hv_error *err)
	__attribute__((nonnull, warn_unused_result));

#endif
