/* SPDX-License-Identifier: Apache-2.0 */
/* The object of all volumes: made, opened with the state directory, closed, released. */
#include <stdlib.h>

#include "mount_root.h"
#include "policy.h"
#include "state_dir.h"
#include "trash.h"
#include "volumes.h"

struct hv_volumes *hv_volumes_new(const struct hv_volumes_args *args)
{
	struct hv_volumes *volumes = calloc(1, sizeof(*volumes));

	if (!volumes)
		return NULL;
	volumes->core = args->core;
	volumes->kinds = args->kinds;
	volumes->mount_root = args->mount_root;
	volumes->allow = args->allow;
	volumes->on_lost = args->on_lost;
	volumes->lost_context = args->context;
	hv_keylock_init(&volumes->locks);
	hv_keylock_init(&volumes->fs_locks);
	return volumes;
}

enum hv_code hv_volumes_open(struct hv_volumes *volumes, const char *state_host,
	const char *state_local, struct hv_error *err)
{
	volumes->state_host = state_host;
	volumes->state_local = state_local;
	if (hv_volumes_check_state(volumes, err) != HV_OK)
		return err->code;
	return hv_store_open(state_local, &volumes->store, err);
}

enum hv_code hv_volumes_tell_damage(const struct hv_volumes *volumes, struct hv_error *err)
{
	return hv_store_volume_tell_damage(volumes->store, err);
}

static void stop(struct hv_volumes *volumes)
{
	hv_trash_stop(volumes);
	hv_allow_done(volumes);
}

static void close_store(struct hv_volumes *volumes)
{
	hv_store_close(volumes->store);
	volumes->store = NULL;
}

void hv_volumes_close(struct hv_volumes *volumes)
{
	stop(volumes);
	close_store(volumes);
}

void hv_volumes_free(struct hv_volumes *volumes)
{
	if (!volumes)
		return;
	stop(volumes);
	hv_mount_root_close(volumes);
	close_store(volumes);
	hv_keylock_done(&volumes->fs_locks);
	hv_keylock_done(&volumes->locks);
	free(volumes);
}

struct hv_store *hv_volumes_store(const struct hv_volumes *volumes)
{
	return volumes->store;
}

struct hv_keylock *hv_volumes_locks(struct hv_volumes *volumes)
{
	return &volumes->locks;
}

void hv_volumes_set_remap(struct hv_volumes *volumes, uint32_t uid, uint32_t gid)
{
	volumes->remap_uid = uid;
	volumes->remap_gid = gid;
}
