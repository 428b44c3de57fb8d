/* SPDX-License-Identifier: Apache-2.0 */
/* Removing a volume.
 *
 * Sequence: refuse while attachments or rules are recorded, or while any process has mounted what
 * would be deleted; take Docker's mount out; mark the record (first commit: from here on the volume
 * does not exist); move the directory, if it is ours, to the trash; forget the record
 * (lifecycle.c).  A crash in between is finished at the next start.  A thread deletes the content
 * of the trash (trash.c), after the answer.  The data of a `path` volume is touched only with
 * on-remove=purge (purge.c). */
#include "mountcore/cleanup.h"
#include "volume/volume.h"

#include "kind.h"
#include "lifecycle.h"
#include "mount_table.h"
#include "publish.h"
#include "set.h"
#include "users.h"
#include "volumes.h"

static enum hv_code refuse_attached(
	struct hv_volumes *volumes, const char *name, struct hv_error *err)
{
	hv_auto_records struct hv_records records = {0};
	const struct hv_attachment *first;
	size_t at = 0;

	if (hv_volume_attachments(volumes, name, &records, err) != HV_OK)
		return err->code;
	if (records.count == 0)
		return HV_OK;
	while (at + 1 < records.count &&
		records.items[at].from_volume_option) /* the others are in the way */
		at++;
	first = &records.items[at].view;
	hv_fail(err, HV_VOLUME_IN_USE, "volume '%s' is attached to container '%s' at %s", name,
		first->container_name, first->target);
	return hv_hint(err, "docker hostvol detach %s:%s", first->container_name, first->target);
}

static enum hv_code refuse_ruled(struct hv_volumes *volumes, const char *name, struct hv_error *err)
{
	hv_auto_rule_records struct hv_rule_records rules = {0};

	if (hv_store_rule_list(volumes->store, name, &rules, err) != HV_OK)
		return err->code;
	if (rules.count == 0)
		return HV_OK;
	hv_fail(err, HV_VOLUME_IN_USE, "rule %s attaches volume '%s' to %.255s at %s",
		rules.items[0].id, name, rules.items[0].selector, rules.items[0].target);
	return hv_hint(err, "docker hostvol detach %s", rules.items[0].id);
}

/* Whether nothing but attachments and rules is in the way. */
static enum hv_code check(struct hv_volumes *volumes, const struct hv_volume *volume,
	struct mc_mounts **host, struct hv_error *err)
{
	const struct hv_volume_kind *kind = hv_kind_of(volumes, volume);

	if (hv_volume_check_aliases(volumes, volume->name, "be removed", err) != HV_OK)
		return err->code;
	return kind->check_removal ? kind->check_removal(volumes, volume, host, err) : HV_OK;
}

enum hv_code hv_volume_prepare_removal(
	struct hv_volumes *volumes, const char *name, bool is_kept, struct hv_error *err)
{
	hv_auto_volume struct hv_volume volume = {0};
	mc_auto_mounts host = NULL;
	enum hv_code code;

	HV_HOLD(hold, &volumes->locks, name);
	code = hv_volume_find(volumes, name, &volume, err);
	if (code == HV_NO_SUCH_VOLUME) {
		hv_error_done(err);
		return hv_volume_check_aliases(volumes, name, "be removed", err);
	}
	if (code != HV_OK || check(volumes, &volume, &host, err) != HV_OK)
		return err->code;
	return is_kept ? hv_volume_keep_data(volumes, &volume, err) : HV_OK;
}

/* Finish removing a volume that was to go with its attachment: it is in HV_REMOVING by now, and no
 * other volume is a name for its data.  The error stays if it is not. */
static enum hv_code finish_begun(struct hv_volumes *volumes, const char *name, struct hv_error *err)
{
	hv_auto_volume struct hv_volume volume = {0};
	struct hv_error cause = {0};
	enum hv_code code = hv_volume_check_aliases(volumes, name, "be removed", &cause);

	if (code == HV_OK)
		code = hv_volume_find_unfinished(volumes, name, &volume, &cause);
	if (code == HV_OK && !volume.name)
		return err->code;
	if (code == HV_OK)
		code = hv_volume_settle(volumes, &volume, &cause);
	hv_error_done(err);
	*err = cause;
	return code;
}

enum hv_code hv_volume_remove(
	struct hv_volumes *volumes, const char *name, bool is_kept, struct hv_error *err)
{
	hv_auto_volume struct hv_volume volume = {0};
	mc_auto_mounts host = NULL;
	enum hv_code code;

	HV_HOLD(hold, &volumes->locks, name);
	code = hv_volume_find(volumes, name, &volume, err);
	if (code == HV_NO_SUCH_VOLUME)
		return finish_begun(volumes, name, err);
	if (code != HV_OK || check(volumes, &volume, &host, err) != HV_OK ||
		refuse_ruled(volumes, name, err) != HV_OK ||
		refuse_attached(volumes, name, err) != HV_OK ||
		(is_kept && hv_volume_keep_data(volumes, &volume, err) != HV_OK) ||
		hv_users_check(volumes, &volume, &host, err) != HV_OK ||
		hv_volume_unpublish(volumes, name, err) != HV_OK ||
		hv_store_volume_set_phase(volumes->store, name, HV_REMOVING, err) != HV_OK)
		return err->code;
	return hv_volume_finish_remove(volumes, &volume, err);
}
