/* SPDX-License-Identifier: Apache-2.0 */
/* Changing a volume that is there. */
#include "set.h"

#include <string.h>
#include <sys/stat.h>

#include "mountcore/cleanup.h"
#include "mountcore/host.h"
#include "volume/volume.h"

#include "directory.h"
#include "fs_check.h"
#include "kind.h"
#include "managed_dir.h"
#include "options.h"
#include "policy.h"
#include "record.h"
#include "volumes.h"

static bool can_change(const char *key)
{
	static const char *const keys[] = {
		"uid", "gid", "mode", "ro", "as", "require-mount", "follow", "size", "on-remove"};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (strcmp(keys[i], key) == 0)
			return true;
	return false;
}

static enum hv_code check_keys(const struct hv_opts *changes, struct hv_error *err)
{
	if (changes->count == 0)
		return hv_fail(err, HV_BAD_REQUEST, "no option to change is named");
	for (size_t i = 0; i < changes->count; i++) {
		if (can_change(changes->items[i].key))
			continue;
		hv_fail(err, HV_BAD_REQUEST, "option '%.64s' of a volume cannot be changed",
			changes->items[i].key);
		return hv_hint(err,
			"change uid, gid, mode, ro, as, require-mount, follow, size or on-remove; for another option create another volume of the same data: -o from, or -o path");
	}
	return HV_OK;
}

/* The options that it has now, with the changes. */
static enum hv_code merge(const struct hv_opts *now, const struct hv_opts *changes,
	struct hv_opts *ret, struct hv_error *err)
{
	for (size_t i = 0; i < now->count; i++)
		if (!hv_opts_get(changes, now->items[i].key) &&
			hv_opts_add(ret, now->items[i].key, now->items[i].value) < 0)
			return hv_oom(err);
	for (size_t i = 0; i < changes->count; i++)
		if (*changes->items[i].value &&
			hv_opts_add(ret, changes->items[i].key, changes->items[i].value) < 0)
			return hv_oom(err);
	return HV_OK;
}

/* Refuse to change `option` in use.  With ro a user would lose or gain write access from one moment
 * to the next; with as the mounts that stand would have another owner than those to come. */
static enum hv_code check_unused(
	struct hv_volumes *volumes, const char *name, const char *option, struct hv_error *err)
{
	hv_auto_records struct hv_records records = {0};
	long long references = 0;

	if (hv_volume_attachments(volumes, name, &records, err) != HV_OK ||
		hv_store_ref_total(volumes->store, name, &references, err) != HV_OK)
		return err->code;
	if (records.count == 0 && references == 0)
		return HV_OK;
	hv_fail(err, HV_VOLUME_IN_USE, "option %s of volume '%s' cannot be changed while %s",
		option, name, records.count > 0 ? "it is attached" : "a container uses it");
	return hv_hint(err,
		"find its containers: docker hostvol ls --volume %s; docker ps -a --filter volume=%s",
		name, name);
}

/* Name the other reason why the volume is read-only: o=bind,ro, or the volume that it is an alias
 * of. */
static enum hv_code refuse_writable(const struct hv_volume *volume, struct hv_error *err)
{
	const char *from = hv_opts_get(&volume->opts, "from");

	if (!from) {
		hv_fail(err, HV_BAD_REQUEST,
			"volume '%s' cannot be made writable: its option o has ro", volume->name);
		return hv_hint(err, "create another volume for the directory, without ro in o");
	}
	hv_fail(err, HV_BAD_REQUEST,
		"volume '%s' cannot be made writable: it is another name for '%s', which is read-only",
		volume->name, from);
	return hv_hint(err,
		"remove the other names of '%s', and then make it writable: docker hostvol set %s ro=false",
		from, from);
}

static enum hv_code change_read_only(struct hv_volumes *volumes, struct hv_volume *volume,
	const struct hv_volume_options *options, struct hv_error *err)
{
	const char *from = hv_opts_get(&volume->opts, "from");
	hv_auto_volume struct hv_volume other = {0};
	bool read_only;

	if (from && hv_store_volume_get(volumes->store, from, &other, err) != HV_OK)
		return err->code;
	read_only = options->read_only || other.read_only;
	if (read_only == volume->read_only)
		return HV_OK;
	volume->read_only = read_only;
	if (hv_volume_check_aliases(volumes, volume->name,
		    read_only ? "become read-only" : "become writable", err) != HV_OK)
		return err->code;
	return check_unused(volumes, volume->name, "ro", err);
}

/* A file system has one owner under all its names. */
static enum hv_code check_owner(struct hv_volumes *volumes, const struct hv_volume *volume,
	const struct hv_volume_options *options, struct hv_error *err)
{
	const struct hv_volume_kind *kind;

	if (!options->from)
		return HV_OK;
	if (hv_volume_data_kind(volumes, volume, &kind, err) != HV_OK)
		return err->code;
	if (!kind->mounted_while_used)
		return HV_OK;
	return hv_fs_check_owner(volume->name, options->from, &options->owner, err);
}

/* The options of a change. */
struct change {
	const struct hv_volume_kind *kind;
	const struct hv_opts *before;
	const struct hv_opts *changes;
	struct hv_volume_options options; /* as they will be */
	struct hv_volume_options were;
	bool was_read_only;
};

/* An alias without the option has it from its volume. */
static enum hv_code check_as(struct hv_volumes *volumes, const struct hv_volume *volume,
	const struct change *change, struct hv_error *err)
{
	const struct hv_as *as = &change->options.as, *was = &change->were.as;

	if (as->uid == was->uid && as->gid == was->gid)
		return HV_OK;
	if (hv_volume_check_aliases(volumes, volume->name, "get another option as", err) != HV_OK)
		return err->code;
	return check_unused(volumes, volume->name, "as", err);
}

static bool is_size_changed(const struct change *change)
{
	return change->options.size_bytes != change->were.size_bytes;
}

/* Data that is there belongs to no project, and would not be counted. */
static enum hv_code check_size(struct hv_volumes *volumes, const struct hv_volume *volume,
	const struct change *change, struct hv_error *err)
{
	int rc;

	if (!is_size_changed(change) || change->were.size_bytes > 0)
		return HV_OK;
	rc = hv_managed_is_empty(volumes, volume->name);
	if (rc < 0)
		return hv_fail(err, HV_INTERNAL, "the directory of volume '%s' cannot be read: %s",
			volume->name, strerrordesc_np(-rc));
	if (rc == 0)
		return hv_fail(err, HV_VOLUME_IN_USE,
			"volume '%s' has data, and was created without a size: the data would not be counted",
			volume->name);
	return HV_OK;
}

/* Whether to change a directory now: the directory of a file system is changed when mounted. */
static bool is_owner_changed(const struct change *change)
{
	return hv_source_is_owned(change->changes) && !change->kind->mounted_while_used;
}

/* All that can be said before anything is done. */
static enum hv_code check(struct hv_volumes *volumes, struct hv_volume *volume,
	struct change *change, struct hv_error *err)
{
	const char *ro = hv_opts_get(change->changes, "ro");
	bool is_owned = is_owner_changed(change);

	if (hv_volume_read_options(&volume->opts, &change->options, err) != HV_OK ||
		hv_volume_read_options(change->before, &change->were, err) != HV_OK)
		return err->code;
	if (change->options.on_remove == HV_ON_REMOVE_PURGE && !change->kind->own_directory &&
		volume->made_ino == 0)
		return hv_fail(err, HV_SOURCE_REFUSED,
			"%s was not made for volume '%s', and will not be purged with it",
			volume->source, volume->name);
	if (change_read_only(volumes, volume, &change->options, err) != HV_OK ||
		check_owner(volumes, volume, &change->options, err) != HV_OK ||
		check_as(volumes, volume, change, err) != HV_OK ||
		check_size(volumes, volume, change, err) != HV_OK)
		return err->code;
	if ((is_owned || hv_opts_get(change->changes, "require-mount")) &&
		hv_volume_check_mount(volumes, volume, err) != HV_OK)
		return err->code;
	if (is_owned && hv_source_check_allowed(volumes, volume, err) != HV_OK)
		return err->code;
	if (ro && *ro && strcmp(ro, "true") != 0 && strcmp(ro, "1") != 0 && volume->read_only)
		return refuse_writable(volume, err);
	return HV_OK;
}

/* A server that does not answer is not asked: then what is changed stays so. */
static void note_owner(
	struct hv_volumes *volumes, const struct hv_volume *volume, struct mc_owner *ret)
{
	mc_auto_fd fd = mc_host_is_slow(volumes->core, volume->source)
				? MC_FD_NONE
				: mc_host_open(volumes->core, volume->source);
	struct stat is;

	if (fd >= 0 && fstat(fd, &is) == 0)
		*ret = (struct mc_owner){is.st_uid, is.st_gid, (int)(is.st_mode & 07777)};
}

static enum hv_code change_owner(struct hv_volumes *volumes, const struct hv_volume *volume,
	const struct change *change, struct hv_error *err)
{
	struct mc_owner owner = {-1, -1, -1};
	struct hv_volume was = *volume;
	hv_auto_error struct hv_error ignored = {0};

	if (!is_owner_changed(change))
		return HV_OK;
	note_owner(volumes, volume, &owner);
	if (hv_volume_own(volumes, volume, err) == HV_OK)
		return HV_OK;
	(void)!mc_host_own(volumes->core, volume->source, &owner, NULL);
	was.opts = *change->before;
	was.read_only = change->was_read_only;
	(void)!hv_store_volume_set_opts(volumes->store, &was, &ignored);
	return err->code;
}

/* The record before the owner: killed in between, the volume is given the one of its record when it
 * is mounted first.  The limit before the record: it is what may not be possible. */
static enum hv_code apply(struct hv_volumes *volumes, const struct hv_volume *volume,
	const struct change *change, struct hv_error *err)
{
	hv_auto_error struct hv_error ignored = {0};
	bool is_limited = is_size_changed(change);

	if (is_limited &&
		hv_volume_limit(volumes, volume, change->options.size_bytes, err) != HV_OK)
		return err->code;
	if (hv_store_volume_set_opts(volumes->store, volume, err) == HV_OK &&
		change_owner(volumes, volume, change, err) == HV_OK) {
		hv_volume_changed(volumes, volume->name);
		return HV_OK;
	}
	if (is_limited)
		(void)!hv_volume_limit(volumes, volume, change->were.size_bytes, &ignored);
	return err->code;
}

/* With the name held. */
static enum hv_code change_options(struct hv_volumes *volumes, struct hv_volume *volume,
	const struct hv_opts *opts, struct hv_error *err)
{
	hv_auto_opts struct hv_opts before = volume->opts;
	struct change change = {
		.kind = hv_kind_of(volumes, volume),
		.before = &before,
		.changes = opts,
		.was_read_only = volume->read_only,
	};

	volume->opts = (struct hv_opts){0};
	if (merge(&before, opts, &volume->opts, err) != HV_OK ||
		check(volumes, volume, &change, err) != HV_OK)
		return err->code;
	return apply(volumes, volume, &change, err);
}

enum hv_code hv_volume_set(struct hv_volumes *volumes, const char *name, const struct hv_opts *opts,
	struct hv_error *err)
{
	hv_auto_volume struct hv_volume volume = {0};

	if (check_keys(opts, err) != HV_OK)
		return err->code;
	HV_HOLD(hold, &volumes->locks, name);
	if (hv_volume_find(volumes, name, &volume, err) != HV_OK ||
		hv_kind_check(volumes, &volume, err) != HV_OK)
		return err->code;
	return change_options(volumes, &volume, opts, err);
}

enum hv_code hv_volume_keep_data(
	struct hv_volumes *volumes, struct hv_volume *volume, struct hv_error *err)
{
	const struct hv_volume_kind *kind = hv_kind_of(volumes, volume);
	hv_auto_opts struct hv_opts keep = {0};

	if (!kind->own_directory || kind->mounted_while_used ||
		hv_opts_get(&volume->opts, "on-remove") ||
		hv_managed_is_empty(volumes, volume->name) == 1)
		return HV_OK;
	if (hv_opts_add(&keep, "on-remove", "keep") < 0)
		return hv_oom(err);
	return change_options(volumes, volume, &keep, err);
}
