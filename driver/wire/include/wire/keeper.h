/* SPDX-License-Identifier: Apache-2.0 */
/* Keepers: containers that run and do nothing, so that the Engine does not remove a volume that is
 * attached. */
#ifndef WIRE_KEEPER_H
#define WIRE_KEEPER_H

#include <stdbool.h>
#include <stddef.h>

#include "wire/error.h"

struct json_object;

/* Its value is the name of the volume. */
#define HV_KEEPER_LABEL "hostvol.keeps"

/* hostvol's own (engine/image.c).  Another program or file in it needs another tag. */
#define HV_KEEPER_IMAGE_NAME "hostvol-keeper"
#define HV_KEEPER_IMAGE_TAG "1"
#define HV_KEEPER_IMAGE HV_KEEPER_IMAGE_NAME ":" HV_KEEPER_IMAGE_TAG
#define HV_KEEPER_PROGRAM "keep" /* in its root directory */

/* A keeper that the Engine has.  Strings are owned. */
struct hv_keeper {
	char *id;
	char *name; /* without the leading slash */
	char *volume;
	char *state; /* "running", "created", "exited" …; "": it was not told */
};

/* Whether the prunes leave it alone.  Docker calls it running also while it restarts. */
bool hv_keeper_is_running(const struct hv_keeper *keeper) __attribute__((nonnull));

struct hv_keepers {
	struct hv_keeper *items;
	size_t count;
};

/* Parse the Engine's list of containers; a container without the label is left out.  The
 * caller frees a zeroed `ret` with hv_keepers_done() whatever is returned.
 * Returns HV_OK or HV_INTERNAL.  Source: Engine API, ContainerList.  Any thread. */
enum hv_code hv_keepers_parse(const char *bytes, size_t size, struct hv_keepers *ret,
	struct hv_error *err) __attribute__((nonnull, warn_unused_result));

void hv_keepers_done(struct hv_keepers *keepers) __attribute__((nonnull));
#define hv_auto_keepers HV_AUTO(hv_keepers_done)

/* A keeper to be created; borrowed. */
struct hv_keeper_args {
	const char *name;
	const char *volume;
	const char *driver; /* of the volume */
};

/* The body of the request; the caller puts it.  NULL on ENOMEM.
 * Source: Engine API, ContainerCreate. */
struct json_object *hv_keeper_body(const struct hv_keeper_args *args)
	__attribute__((nonnull, warn_unused_result));

#endif
