/* SPDX-License-Identifier: Apache-2.0 */
/* The Docker Engine API over its unix socket. */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include "wire/container.h"
#include "wire/containers.h"
#include "wire/error.h"
#include "wire/keeper.h"
#include "wire/listed.h"

struct hv_engine;

struct hv_engine_args {
	/* Open the Engine's socket file (O_PATH): asked before each request, since dockerd makes a
	 * new one when it restarts.  A connection is used again for the same file.  Returns a
	 * descriptor, which the client closes, or a negative errno. */
	int (*open_socket)(void *context);
	void *context;
	const char *socket_path; /* for error sentences */
};

/* Set up the client.  Contacts nobody.  NULL on ENOMEM. */
struct hv_engine *hv_engine_new(const struct hv_engine_args *args) __attribute__((nonnull));
void hv_engine_free(struct hv_engine *engine);

/* Look up a container by name, ID or unique prefix of an ID, running or not.
 * `timeout_ms` bounds the whole request.  The caller frees `ret` with hv_container_done().
 * Returns HV_OK, HV_NO_SUCH_CONTAINER (the Engine said so in words, not only by a status of 404),
 * HV_AMBIGUOUS, HV_TIMEOUT, or HV_INTERNAL (no answer, or none that an Engine gives).
 * Source: Engine API, ContainerInspect.  Any thread. */
enum hv_code hv_engine_inspect(struct hv_engine *engine, const char *container, long timeout_ms,
	struct hv_container *ret, struct hv_error *err)
	__attribute__((nonnull, warn_unused_result));

/* Tell `fn` all containers, running or not.  `timeout_ms` bounds the whole request.
 * Returns HV_OK; HV_TIMEOUT or HV_INTERNAL: there may be more than were told.
 * Source: Engine API, ContainerList.  Any thread. */
enum hv_code hv_engine_containers(struct hv_engine *engine, long timeout_ms, hv_containers_fn fn,
	void *context, struct hv_error *err) __attribute__((nonnull(1, 3, 5), warn_unused_result));

/* The same with their names and labels. */
enum hv_code hv_engine_list(struct hv_engine *engine, long timeout_ms, hv_listed_fn fn,
	void *context, struct hv_error *err) __attribute__((nonnull(1, 3, 5), warn_unused_result));

/* Look up a volume of whatever driver.  The caller frees `ret` with hv_engine_volume_done()
 * whatever is returned.  Returns HV_OK, HV_NO_SUCH_VOLUME (the Engine said so), HV_TIMEOUT or
 * HV_INTERNAL. The Engine asks its drivers for a name that it does not know, and this daemon is one
 * of them. Source: Engine API, VolumeInspect.  Any thread. */
enum hv_code hv_engine_volume(struct hv_engine *engine, const char *name, long timeout_ms,
	struct hv_engine_volume *ret, struct hv_error *err)
	__attribute__((nonnull, warn_unused_result));

/* Borrowed: the path of its socket, for sentences. */
const char *hv_engine_socket(const struct hv_engine *engine) __attribute__((nonnull));

/* Start a container; a running one is no error.
 * Returns HV_OK, HV_NO_SUCH_CONTAINER, HV_TIMEOUT (it may be started all the same) or HV_INTERNAL.
 * Source: Engine API, ContainerStart.  Any thread. */
enum hv_code hv_engine_start(struct hv_engine *engine, const char *id, long timeout_ms,
	struct hv_error *err) __attribute__((nonnull, warn_unused_result));

/* Which Engine answers, in words that are the same as long as it is the same one, and how many
 * containers it knows (-1: it does not tell).  Asks it, twice, each time `timeout_ms` at most.
 * Returns HV_OK with `ret_identity`, which the caller frees; HV_TIMEOUT or HV_INTERNAL. */
enum hv_code hv_engine_identify(struct hv_engine *engine, long timeout_ms, char **ret_identity,
	long long *ret_containers, struct hv_error *err)
	__attribute__((nonnull, warn_unused_result));

/* The same, asked only once as long as its stream of events stands.  Any thread. */
enum hv_code hv_engine_identity(struct hv_engine *engine, long timeout_ms, char **ret,
	struct hv_error *err) __attribute__((nonnull, warn_unused_result));

/* How often its stream of events has ended: as long as this is the same, the same Engine answers.
 * Any thread. */
unsigned hv_engine_changes(struct hv_engine *engine) __attribute__((nonnull));

/* The kind of Engine that answers. */
struct hv_engine_kind {
	bool is_podman;
	/* The user and group that are root in containers (dockerd --userns-remap); 0: root. */
	uint32_t remap_uid, remap_gid;
};

/* Ask it, each of two times `timeout_ms` at most, and keep the answer until its stream of events
 * ends.  Returns HV_OK, HV_TIMEOUT or HV_INTERNAL.
 * Source: Engine API, SystemInfo, SystemVersion.  Any thread. */
enum hv_code hv_engine_learn(struct hv_engine *engine, long timeout_ms, struct hv_engine_kind *ret,
	struct hv_error *err) __attribute__((nonnull, warn_unused_result));

/* The same without asking: false while that is not known. */
bool hv_engine_is_known_as_podman(struct hv_engine *engine) __attribute__((nonnull));

/* How many containers it knows that have the volume, running or not.
 * Returns HV_OK, HV_TIMEOUT or HV_INTERNAL.  Source: Engine API, ContainerList.  Any thread. */
enum hv_code hv_engine_volume_containers(struct hv_engine *engine, const char *volume,
	long timeout_ms, size_t *ret, struct hv_error *err)
	__attribute__((nonnull, warn_unused_result));

/* The keepers (wire/keeper.h) that have `volume`; NULL: all containers with the label of one.  The
 * caller frees a zeroed `ret` with hv_keepers_done() whatever is returned.
 * Returns HV_OK, HV_TIMEOUT or HV_INTERNAL.  Source: Engine API, ContainerList.  Any thread. */
enum hv_code hv_engine_keepers(struct hv_engine *engine, const char *volume, long timeout_ms,
	struct hv_keepers *ret, struct hv_error *err)
	__attribute__((nonnull(1, 4, 5), warn_unused_result));

/* Have the image of keepers (wire/keeper.h): import it if it is missing.
 * Returns HV_OK, HV_TIMEOUT or HV_INTERNAL with the Engine's reason.
 * Source: Engine API, ImageInspect, ImageCreate.  Any thread. */
enum hv_code hv_engine_keeper_image_import(struct hv_engine *engine, long timeout_ms,
	struct hv_error *err) __attribute__((nonnull, warn_unused_result));

/* Remove it, unless a container has it.  Best effort: the next keeper takes one that is left.
 * Source: Engine API, ImageDelete.  Any thread. */
void hv_engine_keeper_image_remove(struct hv_engine *engine, long timeout_ms)
	__attribute__((nonnull));

/* Create a keeper, which hv_engine_start() starts.  That its name is in use, or its image was just
 * removed, is no error: the caller looks whether it is there.  The Engine creates the volume, too,
 * if it has none of that name.  Returns HV_OK, HV_TIMEOUT or HV_INTERNAL with the Engine's reason.
 * Source: Engine API, ContainerCreate.  Any thread. */
enum hv_code hv_engine_keeper_create(struct hv_engine *engine, const struct hv_keeper_args *args,
	long timeout_ms, struct hv_error *err) __attribute__((nonnull, warn_unused_result));

/* Kill and remove a keeper; a missing one is no error.
 * Returns HV_OK, HV_TIMEOUT or HV_INTERNAL.  Source: Engine API, ContainerDelete.  Any thread. */
enum hv_code hv_engine_keeper_remove(struct hv_engine *engine, const struct hv_keeper *keeper,
	long timeout_ms, struct hv_error *err) __attribute__((nonnull, warn_unused_result));

/* The Engine's own ID; the caller frees it.  Returns HV_OK, HV_TIMEOUT or HV_INTERNAL.
 * Source: Engine API, SystemInfo. */
enum hv_code hv_engine_id(struct hv_engine *engine, long timeout_ms, char **ret,
	struct hv_error *err) __attribute__((nonnull, warn_unused_result));

#endif
