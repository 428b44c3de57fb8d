/* SPDX-License-Identifier: Apache-2.0 */
/* Repair the state that a crash, a disabled plugin or a boot left, before anything else is done.
 *
 * A failure with one volume concerns that volume only: it stays as it is until the next start, or
 * until it is created or removed again, and the others are served.  Only a store that cannot be
 * read or written fails as a whole. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mountcore/cleanup.h"
#include "mountcore/path.h"
#include "volume/volume.h"

#include "kind.h"
#include "lifecycle.h"
#include "mount_table.h"
#include "mounted.h"
#include "policy.h"
#include "publish.h"
#include "record.h"
#include "trash.h"
#include "volumes.h"

enum { PLACES_MAX = 16, KINDS_SIZE = 256 };

struct recovery {
	struct hv_volumes *volumes;
	struct mc_mounts *own;  /* the mount table of this process */
	struct mc_mounts *host; /* the mount table of the host */
};

static enum hv_code forgive(enum hv_code code, struct hv_error *err)
{
	if (code == HV_STATE_UNREADABLE)
		return code;
	hv_error_done(err);
	return HV_OK;
}

static bool has_mount(struct mc_mounts *mounts, const char *target)
{
	struct mc_mount mount;

	for (size_t at = 0; mc_mounts_next(mounts, &at, &mount);)
		if (strcmp(mount.target, target) == 0)
			return true;
	return false;
}

/* Under its own name, or another one.  In doubt it does. */
static bool shows_file_system(struct hv_volumes *volumes, const struct hv_volume *volume)
{
	hv_auto_error struct hv_error ignored = {0};
	const struct hv_volume_kind *kind;

	return hv_volume_data_kind(volumes, volume, &kind, &ignored) != HV_OK ||
	       kind->mounted_while_used;
}

/* Whether a file system is still mounted for containers that may use it: disabling the plugin took
 * the mounts for Docker away, but not the containers' bind mounts of them.  Unmounting it would
 * give the next container another file system, an empty one if it is a tmpfs. */
static bool is_standing(const struct recovery *recovery, const struct hv_volume *volume)
{
	return mc_path_is_below(volume->source, recovery->volumes->state_host) &&
	       has_mount(recovery->host, volume->source) &&
	       shows_file_system(recovery->volumes, volume);
}

/* References are to mounts: where the mount is gone (the plugin was disabled, the machine booted)
 * they are too, unless they are what keeps a file system.  A mount without one is of a Mount that
 * was never answered, or an Unmount. */
static enum hv_code clear_stale(
	const struct recovery *recovery, const struct hv_volume *volume, struct hv_error *err)
{
	struct hv_volumes *volumes = recovery->volumes;
	mc_auto_free char *mountpoint = hv_volume_mountpoint(volumes, volume->name);
	long long references = 0;
	bool is_there;

	if (!mountpoint)
		return hv_oom(err);
	is_there = has_mount(recovery->own, mountpoint);
	if ((!is_there && hv_mounted_forget(volumes, volume->name, err) != HV_OK) ||
		hv_store_ref_total(volumes->store, volume->name, &references, err) != HV_OK)
		return err->code;
	if (is_there)
		return references == 0 ? hv_volume_unpublish(volumes, volume->name, err) : HV_OK;
	if (references > 0 && !is_standing(recovery, volume))
		return hv_store_ref_clear(volumes->store, volume->name, err);
	(void)!rmdir(mountpoint); /* made, and not mounted on */
	return HV_OK;
}

static enum hv_code clear_references(struct hv_volumes *volumes, struct hv_error *err)
{
	hv_auto_volume_list struct hv_volume_list list = {0};
	mc_auto_mounts own = NULL;
	mc_auto_mounts host = NULL;
	struct recovery recovery;
	int rc;

	if (hv_store_volume_list(volumes->store, &list.items, &list.count, err) != HV_OK)
		return err->code;
	rc = mc_mounts_read(volumes->core, MC_FD_NONE, &own, NULL);
	if (rc == 0)
		rc = mc_mounts_read_host(volumes->core, &host);
	if (rc != 0)
		return hv_fail(err, HV_STATE_UNREADABLE, "the mount table cannot be read: %s",
			strerrordesc_np(-rc));
	recovery = (struct recovery){.volumes = volumes, .own = own, .host = host};
	for (size_t i = 0; i < list.count; i++)
		if (!hv_kind_of(volumes, &list.items[i])->is_hidden &&
			forgive(clear_stale(&recovery, &list.items[i], err), err) != HV_OK)
			return err->code;
	for (size_t i = 0; i < list.count; i++)
		if (hv_kind_of(volumes, &list.items[i])->mounted_while_used &&
			has_mount(host, list.items[i].source)) /* each costs a helper */
			hv_volume_release_idle(volumes, list.items[i].name);
	return HV_OK;
}

/* But for the purges, for which nobody is to wait. */
static enum hv_code finish_all(struct hv_volumes *volumes, struct hv_error *err)
{
	hv_auto_volume_list struct hv_volume_list list = {0};

	if (hv_store_volume_unfinished(volumes->store, &list.items, &list.count, err) != HV_OK)
		return err->code;
	for (size_t i = 0; i < list.count; i++)
		if (!hv_purge_is_begun(volumes, &list.items[i]) &&
			forgive(hv_volume_settle(volumes, &list.items[i], err), err) != HV_OK)
			return err->code;
	return HV_OK;
}

/* The volumes that exist for attachments only, and have none. */
static enum hv_code return_borrowed(struct hv_volumes *volumes, struct hv_error *err)
{
	hv_auto_volume_list struct hv_volume_list list = {0};

	if (hv_store_volume_list(volumes->store, &list.items, &list.count, err) != HV_OK)
		return err->code;
	for (size_t i = 0; i < list.count; i++)
		if (list.items[i].phase == HV_VOLUME_READY &&
			hv_kind_of(volumes, &list.items[i])->is_hidden &&
			forgive(hv_volume_return(volumes, list.items[i].name, err), err) != HV_OK)
			return err->code;
	return HV_OK;
}

/* Where volumes/ was when a volume of ours was made, if it is elsewhere now: the administrator has
 * moved the state.  False if it is not. */
static bool was_elsewhere(const struct hv_volumes *volumes, const char *now,
	const struct hv_volume *volume, char ret[static PATH_MAX])
{
	char tail[NAME_MAX + 32];
	size_t length = strlen(volume->source), end;

	snprintf(tail, sizeof(tail), "/%s/_data", volume->name);
	end = strlen(tail);
	if (!hv_kind_of(volumes, volume)->own_directory || length <= end ||
		length - end >= PATH_MAX || strcmp(volume->source + length - end, tail) != 0)
		return false;
	memcpy(ret, volume->source, length - end);
	ret[length - end] = '\0';
	return strcmp(ret, now) != 0;
}

/* The kinds whose directories move with the state, as ",a,b,". */
static int name_kinds(const struct hv_volumes *volumes, char ret[static KINDS_SIZE])
{
	size_t length = 1;

	ret[0] = ',';
	ret[1] = '\0';
	for (const struct hv_volume_kind *const *at = volumes->kinds; at && *at; at++) {
		if (!(*at)->may_be_in_state)
			continue;
		length += (size_t)snprintf(ret + length, KINDS_SIZE - length, "%s,", (*at)->name);
		if (length >= KINDS_SIZE)
			return -ENAMETOOLONG;
	}
	return 0;
}

typedef enum hv_code (*list_fn)(
	struct hv_store *store, struct hv_volume **ret, size_t *ret_count, struct hv_error *err);

/* The volumes of one list, to where the state is now. */
static enum hv_code follow(
	struct hv_volumes *volumes, list_fn read, bool *ret_has_moved, struct hv_error *err)
{
	hv_auto_volume_list struct hv_volume_list list = {0};
	char now[PATH_MAX], before[PATH_MAX], kinds[KINDS_SIZE];

	if (read(volumes->store, &list.items, &list.count, err) != HV_OK)
		return err->code;
	if (name_kinds(volumes, kinds) < 0)
		return hv_fail(err, HV_INTERNAL, "the names of the kinds of volumes are too long");
	snprintf(now, sizeof(now), "%s/volumes", volumes->state_host);
	for (size_t i = 0; i < list.count; i++)
		if (was_elsewhere(volumes, now, &list.items[i], before)) {
			*ret_has_moved = true;
			return hv_store_move(volumes->store, before, now, kinds, err);
		}
	return HV_OK;
}

/* One place after the other that the state was at. */
static enum hv_code follow_state(struct hv_volumes *volumes, struct hv_error *err)
{
	bool has_moved = true;

	for (int places = 0; has_moved && places < PLACES_MAX; places++) {
		has_moved = false;
		if (follow(volumes, hv_store_volume_list, &has_moved, err) != HV_OK ||
			follow(volumes, hv_store_volume_unfinished, &has_moved, err) != HV_OK)
			return err->code;
	}
	return HV_OK;
}

enum hv_code hv_volumes_recover(struct hv_volumes *volumes, struct hv_error *err)
{
	enum hv_code code;
	struct stat is;

	hv_trash_stop(volumes); /* of a try before this one: its thread reads the identity */
	code = hv_allow_resolve(volumes) == 0 ? follow_state(volumes, err)
					      : hv_fail(err, HV_STATE_UNREADABLE, "out of memory");
	/* Note the identity of the state directory, which holds the records. */
	volumes->state_id.ino = 0;
	if (stat(volumes->state_local, &is) == 0) {
		volumes->state_id.dev = is.st_dev;
		volumes->state_id.ino = is.st_ino;
	}
	if (code != HV_OK || finish_all(volumes, err) != HV_OK ||
		return_borrowed(volumes, err) != HV_OK || clear_references(volumes, err) != HV_OK)
		return err->code;
	hv_trash_empty(volumes, hv_volumes_finish_purges);
	return HV_OK;
}
