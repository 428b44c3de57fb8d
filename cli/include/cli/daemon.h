/* The hostvol daemon: where its socket is, and calls to it. */
#ifndef CLI_DAEMON_H
#define CLI_DAEMON_H

#include "cli/globals.h"

struct json_object;

/* Strings are owned. */
struct hv_daemon {
	char *socket;
	char *driver; /* its name as a volume driver: "hostvol" unless the plugin has an alias */
	/* Borrowed: calls may go through the Engine, where the socket cannot be opened; or NULL. */
	const struct hv_globals *globals;
	bool is_remote; /* it is not on this machine, or another Engine's: all calls go that way */
};

/* Find the daemon of the selected Engine: HOSTVOL_SOCKET, else the enabled plugin's socket, else
 * that of a daemon without an Engine's management, if it serves that Engine.  Of an Engine that is
 * not behind a unix socket of this machine nothing is asked yet. Returns HV_OK, or a code with
 * sentence and hint in `err`.  The caller frees `ret` with hv_daemon_done() whatever is returned.
 */
enum hv_code hv_daemon_find(const struct hv_globals *globals,
	const struct hv_environment *environment, struct hv_daemon *ret, struct hv_error *err)
	__attribute__((nonnull, warn_unused_result));

void hv_daemon_done(struct hv_daemon *daemon) __attribute__((nonnull));

struct hv_call {
	const char *endpoint;     /* "/HotAttach" */
	struct json_object *body; /* borrowed; NULL: an empty object */
	/* How long the daemon is asked to wait, as "WaitSeconds" of the body, which is set anew
	 * where the Engine lets nobody wait for so long. */
	long extra_seconds;
};

/* POST the call.  Returns HV_OK with the answer in `ret`, to be put, or the daemon's code with its
 * sentence and hint in `err`.  Source: the daemon's API, failures as `Err`, `Code`, `Hint`. */
enum hv_code hv_daemon_call(const struct hv_daemon *daemon, const struct hv_call *call,
	struct json_object **ret, struct hv_error *err)
	__attribute__((nonnull, warn_unused_result));

/* Find the daemon and make one call. */
enum hv_code hv_daemon_ask(const struct hv_globals *globals,
	const struct hv_environment *environment, const struct hv_call *call,
	struct json_object **ret, struct hv_error *err)
	__attribute__((nonnull, warn_unused_result));

#endif
