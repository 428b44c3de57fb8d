/* SPDX-License-Identifier: Apache-2.0 */
/* A running container in hand: looked up, opened, and made sure of. */
#ifndef ATTACH_CONTAINER_H
#define ATTACH_CONTAINER_H

#include "attach/attach.h"
#include "mountcore/attach.h"
#include "mountcore/mounts.h"
#include "mountcore/ns.h"
#include "store/store.h"

/* A running container whose process was identified. */
struct hv_target {
	struct hv_container container;
	struct mc_ns ns;
	char *engine; /* which one told of it (engine/engine.h); NULL: it did not say */
	/* Of a start that is held: container.started_at is NULL; since when that is known (else
	 * 0), and before when the program does not begin.  CLOCK_MONOTONIC, in milliseconds. */
	long long held_since_ms;
	long long held_until_ms;
	bool is_set_up; /* not more: it is held once more */
};

/* Look up a container and open its process, and make sure that they are one: inspect, open, check
 * the process's marks, inspect again.  The caller closes `ret` with hv_target_close() either way.
 * Returns HV_OK, HV_NO_SUCH_CONTAINER, HV_AMBIGUOUS, HV_NOT_RUNNING, HV_CONTAINER_CHANGED … */
enum hv_code hv_target_open(struct hv_attacher *attacher, const char *name, struct hv_target *ret,
	struct hv_error *err);
/* The same for a container that was just created, by its ID: without asking for it, since the
 * Engine answers nothing about one that it starts.  Returns HV_NOT_RUNNING, or HV_INTERNAL. */
enum hv_code hv_target_take_created(struct hv_attacher *attacher, const char *id, const char *name,
	struct hv_target *ret, struct hv_error *err);
#define hv_auto_target HV_AUTO(hv_target_close)
void hv_target_close(struct hv_target *target);

/* Look up a recorded container.  By its ID alone: another may be named like that. */
enum hv_code hv_container_find(struct hv_attacher *attacher, const char *id, long timeout_ms,
	struct hv_container *ret, struct hv_error *err);

/* Whether the process that was identified still runs: a container that restarted has another. */
enum hv_code hv_target_check_alive(const struct hv_target *target, struct hv_error *err);

/* HV_CONTAINER_CHANGED and its sentence. */
enum hv_code hv_target_fail_changed(const struct hv_target *target, struct hv_error *err);

/* Open the mount namespace that a record was made in.  Asks the kernel only.
 * Returns HV_OK; HV_NOT_RUNNING, with no sentence, when that process has ended or is another one
 * now; HV_INTERNAL when it cannot be told. */
enum hv_code hv_record_open_ns(struct hv_attacher *attacher, const struct hv_record *record,
	struct mc_ns *ret, struct hv_error *err);

#define hv_auto_ns HV_AUTO(mc_ns_close)

/* The place of a mount namespace. */
struct mc_place hv_place_of(const struct mc_ns *ns);

/* How long the Engine may take to answer one request. */
enum {
	HV_ENGINE_TIMEOUT_MS = 10000,
	HV_ENGINE_TIMEOUT_REMOVE_MS = 2000,
	HV_ENGINE_TIMEOUT_WHO_MS = 2000,
	HV_ENGINE_TIMEOUT_START_MS = 60000,
};

/* How long ago the container's program began, in milliseconds: by the Engine's word, or since a
 * hold has ended; at least 1, and 0 while its start is held. */
long long hv_target_late_ms(const struct hv_target *target);

#endif
