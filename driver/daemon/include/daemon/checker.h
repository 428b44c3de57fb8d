/* SPDX-License-Identifier: Apache-2.0 */
/* The threads that look at the volumes, and remember the health of each (volume/health.h).
 *
 * One looks at all volumes every two seconds, and less often where that would take more than a
 * hundredth of a processor.  Volumes with a server behind them are looked at by others, one for
 * each server.  Nobody waits for any of them. */
#ifndef DAEMON_CHECKER_H
#define DAEMON_CHECKER_H

#include <stdbool.h>

#include "api/api.h"

#include "daemon/log.h"

struct hv_checker;

struct hv_checker_args {
	struct mc_core *core;
	struct hv_volumes *volumes;
	struct hv_api *api;
	const struct hv_log *log;
	/* Make sure that the volumes have their records; a failure is tried again. */
	enum hv_code (*open_state)(void *context, struct hv_error *err);
	void *context;
};

/* Start, listen to the volumes, and show the results in api->health; the objects in `args` are
 * borrowed.  Before anything is served.  Contacts nobody before it returns.  NULL if there is no
 * memory or no thread. */
struct hv_checker *hv_checker_start(const struct hv_checker_args *args)
	__attribute__((nonnull, warn_unused_result));

/* Stop and release.  Returns false when a thread was not done within `timeout_ms`: then it still
 * runs, and everything it uses must stay: exit. */
bool hv_checker_stop(struct hv_checker *checker, int timeout_ms)
	__attribute__((nonnull, warn_unused_result));

#endif
