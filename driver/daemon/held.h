/* SPDX-License-Identifier: Apache-2.0 */
/* Attach to a container whose start the gate holds. */
#ifndef DAEMON_HELD_H
#define DAEMON_HELD_H

#include "attach/attach.h"

#include "daemon/log.h"
#include "start/gate.h"

/* The result; zeroed at first. */
struct hv_held_result {
	struct hv_repaired repaired;
	struct hv_error err;
	bool is_early; /* the start is to be held once more */
};

/* Attach what the container wants.  If result->repaired.refused is set, the start is to be refused,
 * else to go on. */
void hv_held_attach(
	struct hv_attacher *attacher, const struct hv_gate_news *news, struct hv_held_result *ret);

/* The gate denied the start, because hv_held_attach() was too late: end its first process. */
void hv_held_deny(struct hv_attacher *attacher, const struct hv_gate_news *news, unsigned hold_ms,
	struct hv_held_result *ret);

/* Log the result, and end `result`. */
void hv_held_tell(
	const struct hv_log *log, const struct hv_gate_news *news, struct hv_held_result *result);

#endif
