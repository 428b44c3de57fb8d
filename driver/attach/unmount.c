/* SPDX-License-Identifier: Apache-2.0 */
/* Unmount an attachment, and delete the paths created for it. */
#include "unmount.h"

#include <stdint.h>
#include <string.h>

#include "mountcore/detach.h"
#include "volume/explain.h"

#include "attachment.h"
#include "attachments.h"
#include "container.h"
#include "created_dirs.h"
#include "leftover.h"
#include "observe.h"
#include "propagation.h"

static void tell_busy(const struct mc_busy *busy, struct hv_error *err)
{
	for (unsigned i = 0; i < busy->count && err->busy_count < HV_BUSY_MAX; i++) {
		struct hv_busy *entry = &err->busy[err->busy_count++];

		entry->pid = busy->entries[i].pid;
		memcpy(entry->command, busy->entries[i].command, sizeof(entry->command));
		for (char *at = entry->command; *at; at++)
			if (*at < ' ' || *at > '~') /* it may call itself anything */
				*at = '?';
		entry->why = mc_busy_why_name(busy->entries[i].why);
	}
}

enum hv_code hv_record_unmount_as(struct hv_attacher *attacher, struct hv_record *record,
	const struct hv_unmount_manner *manner, struct hv_error *err)
{
	const struct hv_attachment *view = &record->view;
	const struct hv_error_subject names = {.volume = view->volume,
		.source = view->source,
		.container = view->container_name,
		.target = view->target,
		.subpath = view->subpath};
	hv_auto_ns struct mc_ns ns = MC_NS_NONE;
	char source[PATH_MAX];
	struct mc_made made;
	struct mc_busy busy = {0};
	struct mc_err cause = {0};
	struct mc_detach_args args = {
		.path = record->path,
		/* 0 would be whatever is there: not for one whose own mount was never seen. */
		.mount_id =
			record->mount_id || record->mountinfo_id ? record->mount_id : UINT64_MAX,
		.root = {record->root_dev, record->root_ino},
		.mountinfo_id = record->mountinfo_id,
		.source = source,
		.lazy = manner->is_lazy,
		.is_quick = manner->is_quick,
		.is_slave = view->is_slave,
		.made = manner->keeps_made ? NULL : &made,
	};
	enum hv_code code = hv_record_open_ns(attacher, record, &ns, err);

	if (code == HV_NOT_RUNNING)
		return HV_OK; /* the mount went with its namespace */
	if (code != HV_OK)
		return code;
	args.place = hv_place_of(&ns);
	hv_propagation_find_source(attacher, view, source);
	hv_made_parse(record->made, &made);
	if (mc_detach(attacher->core, &args, &busy, &cause) == 0 || !mc_ns_is_alive(&ns) ||
		!hv_record_is_mounted(record))
		return manner->keeps_made
			       ? HV_OK
			       : hv_leftovers_remove(attacher, &args.place, &made, record, err);
	hv_error_from_mount(err, &cause, &names);
	tell_busy(&busy, err);
	return err->code;
}

enum hv_code hv_record_unmount(struct hv_attacher *attacher, struct hv_record *record,
	bool keeps_made, struct hv_error *err)
{
	const struct hv_unmount_manner manner = {.is_lazy = true, .keeps_made = keeps_made};

	if (hv_attachment_refresh(attacher, record, err) != HV_OK)
		return err->code;
	return hv_record_unmount_as(attacher, record, &manner, err);
}
