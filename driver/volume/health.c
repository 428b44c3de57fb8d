/* SPDX-License-Identifier: Apache-2.0 */
/* Sequence of a look: examine the directories, and the paths that file systems are mounted from, in
 * one call; ask the host's mount table about those that are not as they were; judge each. */
#include "volume/health.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mountcore/cleanup.h"
#include "mountcore/examine.h"
#include "mountcore/fs.h"
#include "mountcore/path.h"
#include "store/store.h"

#include "fs_use.h"
#include "judge.h"
#include "kind.h"
#include "mount_table.h"
#include "options.h"
#include "volumes.h"

/* --- a volume that is looked at --- */

static enum hv_code add_device(
	void *context, const char *key, const char *path, struct hv_error *err)
{
	(void)key;
	return hv_texts_add(context, path) == 0 ? HV_OK : hv_oom(err);
}

/* `data`: the volume, or the one that it is another name for. */
static enum hv_code read_data(struct hv_volumes *volumes, const struct hv_volume *data,
	struct hv_checkup *ret, struct hv_error *err)
{
	const struct hv_volume_kind *kind = hv_kind_of(volumes, data);
	struct hv_volume_options options = {0};

	ret->is_file_system = kind->mounted_while_used;
	if (hv_volume_read_options(&data->opts, &options, err) != HV_OK)
		return err->code;
	ret->requires_mount = options.require_mount;
	return kind->each_host_path ? kind->each_host_path(data, add_device, &ret->devices, err)
				    : HV_OK;
}

enum hv_code hv_checkup_init(struct hv_volumes *volumes, struct hv_volume *volume,
	struct hv_checkup *ret, struct hv_error *err)
{
	hv_auto_volume struct hv_volume origin = {0};
	const struct hv_volume *data = &ret->volume;

	*ret = (struct hv_checkup){.volume = *volume};
	*volume = (struct hv_volume){0};
	if (hv_opts_get(&ret->volume.opts, "from")) {
		if (hv_volume_origin(volumes, &ret->volume, &origin, err) == HV_OK)
			data = &origin;
	}
	if (err->code == HV_OK)
		(void)read_data(volumes, data, ret, err);
	if (err->code != HV_OK)
		hv_checkup_done(ret);
	return err->code;
}

void hv_checkup_done(struct hv_checkup *checkup)
{
	hv_volume_done(&checkup->volume);
	hv_texts_done(&checkup->devices);
	hv_error_done(&checkup->problem);
	free(checkup->mountpoint);
	*checkup = (struct hv_checkup){0};
}

void hv_checkup_inherit(struct hv_checkup *checkup, struct hv_checkup *before)
{
	struct hv_checkup next = *before;

	next.volume = checkup->volume;
	next.devices = checkup->devices;
	next.is_file_system = checkup->is_file_system;
	next.requires_mount = checkup->requires_mount;
	*checkup = next;
	before->mountpoint = NULL;
	before->problem = (struct hv_error){0};
}

bool hv_checkup_route(
	struct hv_volumes *volumes, const struct hv_checkup *checkup, uint64_t *ret_server)
{
	bool is_on_demand;
	uint64_t server = mc_host_server(volumes->core, checkup->volume.source, &is_on_demand);

	for (size_t i = 0; !is_on_demand && server == 0 && i < checkup->devices.count; i++)
		server = mc_host_server(volumes->core, checkup->devices.items[i], &is_on_demand);
	*ret_server = server;
	return !is_on_demand;
}

/* --- a look --- */

/* One call of hv_volumes_check(). */
struct looking {
	struct hv_volumes *volumes;
	struct mc_mounts *host; /* its mount table, read where it is needed; NULL: not yet */
};

static void forget(struct hv_checkup *checkup)
{
	free(checkup->mountpoint);
	checkup->mountpoint = NULL;
	checkup->ino = 0;
	checkup->is_writable = false;
}

/* Whether a directory has the same number as long as it is there, whatever the caches forget. */
static bool has_lasting_numbers(const char *fstype)
{
	static const char *const types[] = {
		"ext2", "ext3", "ext4", "xfs", "btrfs", "tmpfs", "f2fs", "zfs", "bcachefs"};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(fstype, types[i]) == 0)
			return true;
	return false;
}

/* The mount that `path` is on; strings are borrowed from the table.  Returns false if that cannot
 * be told. */
static bool find_mount(struct looking *looking, const char *path, struct mc_mount *ret)
{
	hv_auto_error struct hv_error ignored = {0};

	return hv_table_read_host(looking->volumes, &looking->host, &ignored) == HV_OK &&
	       mc_mounts_of(looking->host, path, ret) == 0;
}

/* Whether the directory is as it was.  The number of a directory that was deleted is soon that of
 * another. */
static bool is_same(const struct hv_checkup *checkup, const struct mc_examined *found)
{
	if (checkup->ino == 0 || found->id.dev != checkup->dev)
		return false;
	if (!checkup->has_lasting_numbers)
		return true;
	return found->id.ino == checkup->ino &&
	       (!found->born_ns || !checkup->born_ns || found->born_ns == checkup->born_ns);
}

static void learn(
	struct hv_checkup *checkup, const struct mc_examined *found, const struct mc_mount *mount)
{
	char *copy = strdup(mount->target);

	if (!copy)
		return; /* the next look has more memory */
	forget(checkup);
	checkup->mountpoint = copy;
	checkup->dev = found->id.dev;
	checkup->ino = found->id.ino;
	checkup->born_ns = found->born_ns;
	checkup->has_lasting_numbers = has_lasting_numbers(mount->fstype);
	checkup->is_writable = !found->is_read_only;
}

/* Whether somebody uses the volume with the directory that is there now. */
static bool is_taken(
	struct hv_volumes *volumes, const struct hv_volume *volume, const struct mc_file_id *id)
{
	hv_auto_error struct hv_error ignored = {0};
	hv_auto_records struct hv_records records = {0};
	struct hv_mounted_roots roots = {0};

	if (hv_store_mounted_get(volumes->store, volume->name, &roots, &ignored) != HV_OK ||
		hv_volume_attachments(volumes, volume->name, &records, &ignored) != HV_OK)
		return false;
	for (size_t i = 0; i < roots.count; i++)
		if (roots.items[i].dev == id->dev && roots.items[i].ino == id->ino)
			return true;
	for (size_t i = 0; i < records.count; i++)
		if (records.items[i].root_dev == id->dev && records.items[i].root_ino == id->ino)
			return true;
	return false;
}

/* The directory is not the one that it was, or is seen for the first time. */
static void compare(struct looking *looking, struct hv_checkup *checkup,
	const struct mc_examined *found, struct hv_health_facts *ret)
{
	const char *before = checkup->mountpoint;
	struct mc_mount mount;

	if (!find_mount(looking, checkup->volume.source, &mount))
		return;
	if (!before && checkup->requires_mount && strcmp(mount.target, "/") == 0)
		ret->away = checkup->volume.source;
	else if (before && strcmp(mount.target, before) != 0 &&
		 !mc_path_is_below(mount.target, before))
		ret->away = before;
	else if (before && strcmp(mount.target, before) == 0 && checkup->ino &&
		 found->id.dev == checkup->dev &&
		 !is_taken(looking->volumes, &checkup->volume, &found->id))
		ret->is_other = true;
	else
		learn(checkup, found, &mount);
}

/* The directory cannot be looked at: perhaps it went with the mount that it was on, or with the one
 * that it requires. */
static void find_away(
	struct looking *looking, struct hv_checkup *checkup, struct hv_health_facts *ret)
{
	const char *before = checkup->mountpoint;
	struct mc_mount mount;

	if (!before && checkup->requires_mount) {
		if (find_mount(looking, checkup->volume.source, &mount) &&
			strcmp(mount.target, "/") == 0)
			ret->away = checkup->volume.source;
	} else if (before && strcmp(before, "/") != 0 && find_mount(looking, before, &mount) &&
		   strcmp(mount.target, before) != 0) {
		ret->away = before;
	}
}

static unsigned percent(uint64_t used, uint64_t unused)
{
	/* In parts of a whole that fit: there are more bytes than blocks. */
	double all = (double)used + (double)unused;

	return all > 0 ? (unsigned)((double)used * 100 / all) : 0;
}

static void read_space(const struct hv_checkup *checkup, const struct mc_examined *found,
	struct hv_health_facts *ret)
{
	ret->has_become_read_only =
		found->is_read_only && checkup->is_writable && !checkup->volume.read_only;
	if (found->is_read_only) /* as an image of a CD, which is always full */
		return;
	ret->space_percent = percent(found->blocks_used, found->blocks_free);
	ret->inodes_percent = percent(found->inodes_used, found->inodes_free);
}

/* The directory of a file system that is mounted only while it is used. */
static void look_at_file_system(struct looking *looking, struct hv_checkup *checkup,
	const struct mc_examined *found, struct hv_health_facts *ret)
{
	struct hv_volumes *volumes = looking->volumes;
	const char *source = checkup->volume.source;

	if (found->is_mount_root) {
		checkup->is_writable |= !found->is_read_only;
		checkup->was_mounted = true;
		read_space(checkup, found, ret);
	} else if (checkup->was_mounted) { /* in this order: it may be mounted for a use meanwhile
					    */
		ret->is_taken_out = hv_fs_is_used(volumes, source) &&
				    mc_host_is_mounted(volumes->core, source, NULL) == 0;
		checkup->was_mounted = ret->is_taken_out;
		checkup->is_writable = false;
	}
}

static void gather(struct looking *looking, struct hv_checkup *checkup,
	const struct mc_examined *found, struct hv_health_facts *ret)
{
	ret->source = found->err;
	if (found->err.code == 0 && !found->is_directory)
		ret->source = (struct mc_err){-ENOTDIR, MC_STEP_SOURCE};
	for (size_t i = 0; i < checkup->devices.count && ret->device.code == 0; i++) {
		ret->device = found[1 + i].err;
		ret->device_path = checkup->devices.items[i];
	}
	if (checkup->is_file_system) {
		if (ret->source.code == 0)
			look_at_file_system(looking, checkup, found, ret);
		return;
	}
	if (ret->source.step == MC_STEP_SOURCE)
		find_away(looking, checkup, ret);
	else if (ret->source.code == 0 && found->id.ino && !is_same(checkup, found))
		compare(looking, checkup, found, ret);
	if (ret->away) /* mounted again, it has other numbers */
		checkup->ino = 0;
	else if (ret->source.code == 0)
		read_space(checkup, found, ret);
}

static void check_one(
	struct looking *looking, struct hv_checkup *checkup, const struct mc_examined *found)
{
	struct hv_health_facts facts = {.device_path = NULL};
	enum hv_health health;

	gather(looking, checkup, found, &facts);
	health = hv_health_judge(&facts, checkup->health);
	if (health == HV_HEALTH_UNKNOWN)
		return;
	checkup->health = health;
	hv_error_done(&checkup->problem);
	if (health >= HV_HEALTH_PROBLEM)
		hv_health_explain(health, &facts, &checkup->volume, &checkup->problem);
}

void hv_volumes_check(struct hv_volumes *volumes, struct hv_checkup *const *checkups, size_t count,
	uint64_t server)
{
	struct looking looking = {.volumes = volumes};
	mc_auto_free struct mc_examined *items = NULL;
	size_t used = 0;

	for (size_t i = 0; i < count; i++)
		used += 1 + checkups[i]->devices.count;
	items = calloc(used + 1, sizeof(*items));
	used = 0;
	for (size_t i = 0; items && i < count; i++) {
		const struct hv_checkup *at = checkups[i];

		items[used].path = at->volume.source;
		items[used++].beneath = hv_volume_allowed_root(volumes, &at->volume);
		for (size_t j = 0; j < at->devices.count; j++) {
			items[used].path = at->devices.items[j];
			items[used++].is_name = true;
		}
	}
	if (!items || mc_host_examine(volumes->core, items, used, server) < 0)
		return; /* the next look has more memory */
	used = 0;
	for (size_t i = 0; i < count; i++) {
		check_one(&looking, checkups[i], &items[used]);
		used += 1 + checkups[i]->devices.count;
	}
	mc_mounts_free(looking.host);
}
