/* SPDX-License-Identifier: Apache-2.0 */
/* Volumes that exist for attachments only: of a directory of the host, or of a volume of another
 * driver.
 *
 * Sequence: find the directory; with the name held, compare it with the volume that is there, or
 * record one, in HV_ATTACHING; make what is missing of the directory.  The first attachment makes
 * it HV_VOLUME_READY, and the commit that ends the last one deletes it (driver/store).  A volume
 * that nothing was attached of is taken back at once, or at the next start. */
#include "borrow.h"

#include <string.h>

#include "kind.h"
#include "lifecycle.h"
#include "overlap.h"
#include "volumes.h"

bool hv_volume_is_borrowed(const struct hv_volumes *volumes, const struct hv_volume *volume)
{
	return hv_kind_of(volumes, volume)->is_hidden;
}

static enum hv_code add_opt(
	struct hv_volume *volume, const char *key, const char *value, struct hv_error *err)
{
	return hv_opts_add(&volume->opts, key, value) == 0 ? HV_OK : hv_oom(err);
}

static enum hv_code add_opts(
	const struct hv_foreign *foreign, struct hv_volume *ret, struct hv_error *err)
{
	if (add_opt(ret, "path", foreign->path, err) != HV_OK)
		return err->code;
	if (!foreign->driver)
		return HV_OK;
	if (add_opt(ret, "driver", foreign->driver, err) != HV_OK ||
		(foreign->o && add_opt(ret, "o", foreign->o, err) != HV_OK))
		return err->code;
	return foreign->is_mounted ? add_opt(ret, "mounted", "true", err) : HV_OK;
}

/* The options as of a volume of hostvol; they borrow from `bind`. */
static enum hv_code read_options(const struct hv_foreign *foreign, struct hv_opts *bind,
	struct hv_volume_options *ret, struct hv_error *err)
{
	*ret = (struct hv_volume_options){.path = foreign->path, .owner = {-1, -1, -1}};
	if (foreign->o) {
		if (hv_opts_add(bind, "type", "none") < 0 ||
			hv_opts_add(bind, "device", foreign->path) < 0 ||
			hv_opts_add(bind, "o", foreign->o) < 0)
			return hv_oom(err);
		ret->path = NULL; /* and is the device */
		if (hv_volume_read_options(bind, ret, err) != HV_OK)
			return err->code;
	}
	ret->mkdir = foreign->mkdir;
	ret->require_mount = foreign->is_mounted;
	return HV_OK;
}

/* As it would be recorded. */
static enum hv_code find_source(struct hv_volumes *volumes, const struct hv_foreign *foreign,
	struct hv_volume *ret, struct hv_error *err)
{
	hv_auto_opts struct hv_opts bind = {0};
	struct hv_volume_options options;
	const struct hv_volume_kind *kind;
	struct hv_source found = {0};

	if (read_options(foreign, &bind, &options, err) != HV_OK)
		return err->code;
	ret->name = strdup(foreign->name);
	ret->kind = strdup(foreign->driver ? "engine" : "host");
	ret->created_at = hv_time_rfc3339();
	if (!ret->name || !ret->kind || !ret->created_at)
		return hv_oom(err);
	if (hv_kind_check(volumes, ret, err) != HV_OK)
		return err->code;
	kind = hv_kind_of(volumes, ret);
	if (kind->resolve(volumes, ret->name, &options, &found, err) != HV_OK)
		return err->code;
	ret->source = strdup(found.source);
	ret->missing = found.missing;
	ret->read_only = options.read_only || found.read_only;
	ret->phase = HV_VOLUME_CREATING;
	if (!ret->source)
		return hv_oom(err);
	return add_opts(foreign, ret, err);
}

static enum hv_code forget(
	struct hv_volumes *volumes, const struct hv_volume *volume, struct hv_error *err)
{
	if (volume->phase == HV_ATTACHING)
		return hv_volume_undo(volumes, volume, err);
	/* It was attached: its directories stay. */
	if (hv_store_volume_set_phase(volumes->store, volume->name, HV_ATTACHING, err) != HV_OK)
		return err->code;
	return hv_store_volume_forget(volumes->store, volume->name, err);
}

static enum hv_code record(
	struct hv_volumes *volumes, struct hv_volume *volume, struct hv_error *err)
{
	hv_auto_error struct hv_error ignored = {0};

	volume->phase = HV_ATTACHING;
	if (hv_store_volume_add(volumes->store, volume, err) != HV_OK)
		return err->code;
	/* Again, now that a removal that deletes a directory sees this record. */
	if (hv_overlap_check(volumes, volume, err) != HV_OK) {
		(void)!hv_store_volume_forget(volumes->store, volume->name, &ignored);
		return err->code;
	}
	if (volume->missing == 0 ||
		(hv_kind_of(volumes, volume)->make(volumes, volume, err) == HV_OK &&
			hv_store_volume_made(volumes->store, volume, err) == HV_OK))
		return HV_OK;
	(void)hv_volume_undo(volumes, volume, &ignored);
	return err->code;
}

/* The source that was attached leads elsewhere now. */
static enum hv_code refuse_changed(const struct hv_volume *there, const struct hv_volume *wanted,
	const struct hv_attachment *attached, struct hv_error *err)
{
	const char *driver = hv_opts_get(&wanted->opts, "driver");

	if (driver) {
		hv_fail(err, HV_SOURCE_REFUSED,
			"volume '%s' of the driver %s is not the one any more that is attached to container '%s': it has another place or other options",
			wanted->name, driver, attached->container_name);
		return hv_hint(err, "detach the former one first: docker hostvol detach %s:%s",
			attached->container_name, attached->target);
	}
	hv_fail(err, HV_SOURCE_REFUSED,
		"%s led to %s when it was attached to container '%s', and leads to %s now",
		wanted->name, there->source, attached->container_name, wanted->source);
	return hv_hint(err, "attach %s by that path, or detach first: docker hostvol detach %s:%s",
		wanted->source, attached->container_name, attached->target);
}

/* Not by the Engine's CreatedAt: of a volume of `local` before Docker 23 that is the change time of
 * its directory, which each new file changes.  A directory that was made again is found by its
 * inode, as that of a path is (driver/attach/source.c). */
static bool is_same(const struct hv_volume *a, const struct hv_volume *b, bool follow)
{
	static const char *const identity[] = {"driver", "o", "mounted"};

	for (size_t i = 0; i < sizeof(identity) / sizeof(identity[0]); i++) {
		const char *one = hv_opts_get(&a->opts, identity[i]);
		const char *two = hv_opts_get(&b->opts, identity[i]);

		if (strcmp(one ? one : "", two ? two : "") != 0)
			return false;
	}
	return follow || strcmp(a->source, b->source) == 0;
}

/* The volume that is recorded, in `ret` instead of what was found; if it stands for something else
 * and nothing is attached of it any more, it is forgotten. */
static enum hv_code compare(struct hv_volumes *volumes, struct hv_volume *there,
	const struct hv_foreign *foreign, bool only_look, struct hv_volume *ret,
	struct hv_error *err)
{
	bool follow = foreign->follow;
	hv_auto_records struct hv_records records = {0};

	if (!hv_volume_is_borrowed(volumes, there) || is_same(there, ret, follow)) {
		hv_volume_done(ret);
		*ret = *there;
		*there = (struct hv_volume){0};
		return HV_OK;
	}
	if (hv_volume_attachments(volumes, there->name, &records, err) != HV_OK)
		return err->code;
	if (records.count > 0)
		return refuse_changed(there, ret, &records.items[0].view, err);
	return only_look ? HV_OK : forget(volumes, there, err);
}

enum hv_code hv_volume_borrow(struct hv_volumes *volumes, const struct hv_foreign *foreign,
	bool only_look, struct hv_volume *ret, struct hv_error *err)
{
	hv_auto_volume struct hv_volume there = {0};
	enum hv_code code;

	if (find_source(volumes, foreign, ret, err) != HV_OK)
		return err->code;
	HV_HOLD(hold, &volumes->locks, foreign->name);
	code = hv_store_volume_get(volumes->store, foreign->name, &there, err);
	if (code == HV_OK)
		code = compare(volumes, &there, foreign, only_look, ret, err);
	if (code != HV_OK && code != HV_NO_SUCH_VOLUME)
		return code;
	hv_error_done(err);
	return only_look || ret->phase != HV_VOLUME_CREATING ? HV_OK : record(volumes, ret, err);
}

enum hv_code hv_volume_return(struct hv_volumes *volumes, const char *name, struct hv_error *err)
{
	hv_auto_volume struct hv_volume volume = {0};
	bool is_attached = true;
	enum hv_code code;

	HV_HOLD(hold, &volumes->locks, name);
	code = hv_store_volume_get(volumes->store, name, &volume, err);
	if (code == HV_NO_SUCH_VOLUME) {
		hv_error_done(err);
		return HV_OK;
	}
	if (code != HV_OK || !hv_volume_is_borrowed(volumes, &volume) ||
		hv_store_volume_is_attached(volumes->store, name, &is_attached, err) != HV_OK)
		return err->code;
	return is_attached ? HV_OK : forget(volumes, &volume, err);
}

enum hv_code hv_borrowed_clear(
	struct hv_volumes *volumes, const struct hv_volume *borrowed, struct hv_error *err)
{
	hv_auto_records struct hv_records records = {0};
	const struct hv_attachment *first;

	if (hv_volume_attachments(volumes, borrowed->name, &records, err) != HV_OK)
		return err->code;
	if (records.count == 0)
		return forget(volumes, borrowed, err);
	first = &records.items[0].view;
	hv_fail(err, HV_VOLUME_EXISTS, "volume '%s' of the driver %s is attached to container '%s'",
		borrowed->name, first->driver ? first->driver : "local", first->container_name);
	return hv_hint(err, "choose another name, or detach it first: docker hostvol detach %s:%s",
		first->container_name, first->target);
}
