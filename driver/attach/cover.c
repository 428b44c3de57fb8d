/* SPDX-License-Identifier: Apache-2.0 */
/* An attachment that cannot be reached, because another mount is in the way. */
#include "cover.h"

#include <string.h>

#include "mountcore/cleanup.h"
#include "wire/text.h"

#include "attachment.h"
#include "attachments.h"
#include "container.h"
#include "drift.h"
#include "siblings.h"

/* The attachment of the same container that the mount is, or NULL. */
static const struct hv_record *find_own(const struct hv_records *siblings,
	const struct hv_record *record, const struct mc_mount *cover)
{
	return hv_siblings_find_mount(siblings, record->pid, record->ns_ino, cover);
}

enum hv_code hv_record_set_covered(struct hv_attacher *attacher, struct hv_record *record,
	int ns_fd, const struct mc_mount *cover, struct hv_error *err)
{
	hv_auto_records struct hv_records siblings = {0};
	hv_auto_free char *sentence = NULL;
	const struct hv_record *own;
	struct mc_watch_event by;
	bool is_seen;

	if (hv_siblings_read(attacher, record->view.container_id, &siblings, err) != HV_OK)
		return err->code;
	own = find_own(&siblings, record, cover);
	if (own)
		sentence = hv_text_format("covered by volume '%s' attached at %s", own->view.volume,
			own->view.target);
	else
		sentence = hv_text_format(
			"covered by a mount at %s (%s)", cover->target, cover->fstype);
	if (!sentence)
		return hv_oom(err);
	is_seen = !own && hv_witness_find_mount(attacher, ns_fd, cover, &by);
	return hv_record_set_drift(record, HV_COVERED, sentence, is_seen ? &by : NULL, err);
}

enum hv_code hv_record_fail_covered(struct hv_attacher *attacher, const struct hv_record *record,
	enum hv_code code, struct hv_error *err)
{
	const struct hv_attachment *view = &record->view;
	hv_auto_records struct hv_records siblings = {0};
	mc_auto_mounts mounts = NULL;
	hv_auto_ns struct mc_ns ns = MC_NS_NONE;
	hv_auto_error struct hv_error ignored = {0};
	const struct hv_record *own = NULL;
	struct mc_mount cover;

	hv_fail(err, code, "volume '%s' at %s in container '%s' is %s", view->volume, view->target,
		view->container_name, view->problem);
	if (hv_record_open_ns(attacher, record, &ns, &ignored) != HV_OK ||
		mc_mounts_read(attacher->core, ns.ns_fd, &mounts, NULL) < 0)
		return code;
	if (mc_mounts_find_cover(mounts, record->mountinfo_id, &cover) &&
		hv_siblings_read(attacher, view->container_id, &siblings, &ignored) == HV_OK)
		own = find_own(&siblings, record, &cover);
	if (own)
		return hv_hint(err, "uncover it: docker hostvol detach %s:%s",
			own->view.container_name, own->view.target);
	return hv_hint(err, "unmount that first, in the container");
}

/* `mount` is the one that the directory would have to be made on. */
static enum hv_code tell_read_only(const struct hv_records *siblings,
	const struct hv_record *record, const struct mc_mount *mount, struct hv_error *err)
{
	const struct hv_attachment *view = &record->view;
	const struct hv_record *own = find_own(siblings, record, mount);
	char source[PATH_MAX];

	if (!mount->target[1])
		return err->code; /* the root: that is said */
	hv_error_done(err);
	if (own) {
		hv_fail(err, HV_TARGET_MISSING,
			"there is no directory %s in container '%s', and volume '%s' is read-only at %s",
			view->target, view->container_name, own->view.volume, own->view.target);
		hv_attachment_host_path(&own->view, source);
		return hv_hint(err, "create the directory in the volume on the host: mkdir -p %s%s",
			source, record->path + strlen(own->path));
	}
	hv_fail(err, HV_TARGET_MISSING,
		"there is no directory %s in container '%s', and the mount at %s (%s) is read-only",
		view->target, view->container_name, mount->target, mount->fstype);
	return hv_hint(err, "create the directory in the source of the mount at %s", mount->target);
}

enum hv_code hv_record_fail_read_only(struct hv_attacher *attacher, const struct hv_record *record,
	const struct mc_ns *ns, struct hv_error *err)
{
	hv_auto_records struct hv_records siblings = {0};
	mc_auto_mounts mounts = NULL;
	hv_auto_error struct hv_error ignored = {0};
	struct mc_mount mount;

	if (!record->path || mc_mounts_read(attacher->core, ns->ns_fd, &mounts, NULL) < 0 ||
		mc_mounts_of(mounts, record->path, &mount) < 0 ||
		hv_siblings_read(attacher, record->view.container_id, &siblings, &ignored) != HV_OK)
		return err->code;
	return tell_read_only(&siblings, record, &mount, err);
}
