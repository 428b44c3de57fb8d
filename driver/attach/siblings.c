/* SPDX-License-Identifier: Apache-2.0 */
/* The records of one container, side by side. */
#include "siblings.h"

#include <stdlib.h>
#include <string.h>

#include "attachment.h"
#include "attachments.h"

static unsigned depth(const struct hv_record *record)
{
	unsigned count = 0;

	for (const char *at = record->path; *at; at++)
		count += *at == '/';
	return count;
}

/* Of one depth they stay in their order.  There are few for one container. */
static void sort(struct hv_records *siblings)
{
	for (size_t i = 1; i < siblings->count; i++) {
		struct hv_record record = siblings->items[i];
		size_t at = i;

		for (; at > 0 && depth(&siblings->items[at - 1]) > depth(&record); at--)
			siblings->items[at] = siblings->items[at - 1];
		siblings->items[at] = record;
	}
}

enum hv_code hv_siblings_read(struct hv_attacher *attacher, const char *container_id,
	struct hv_records *ret, struct hv_error *err)
{
	const struct hv_record_filter filter = {.container_id = container_id};

	if (hv_records_list(attacher, &filter, ret, err) != HV_OK)
		return err->code;
	sort(ret);
	return HV_OK;
}

bool hv_siblings_wait(const struct hv_records *siblings)
{
	for (struct hv_record *record = NULL; (record = hv_records_next(siblings, record));)
		if (record->is_done && record->pid == 0 && !hv_attachment_has_ended(record))
			return true;
	return false;
}

struct mc_own *hv_siblings_own(
	const struct hv_records *siblings, uint64_t ns_ino, size_t *ret_count)
{
	size_t count = siblings ? siblings->count : 0;
	struct mc_own *own = calloc(count + 1, sizeof(*own));

	*ret_count = 0;
	for (size_t i = 0; own && i < count; i++) {
		const struct hv_record *record = &siblings->items[i];

		if (record->pid > 0 && record->ns_ino == ns_ino && record->mount_id)
			own[(*ret_count)++] = (struct mc_own){
				record->mount_id, {record->root_dev, record->root_ino}};
	}
	return own;
}

const struct hv_record *hv_siblings_find_mount(const struct hv_records *siblings, long long pid,
	uint64_t ns_ino, const struct mc_mount *mount)
{
	for (struct hv_record *record = NULL; (record = hv_records_next(siblings, record));)
		if (record->pid == pid && record->ns_ino == ns_ino &&
			record->mountinfo_id == mount->id &&
			strcmp(record->path, mount->target) == 0) /* its number may be another's */
			return record;
	return NULL;
}

const struct hv_record *hv_siblings_find_outer(
	const struct hv_records *siblings, const struct hv_record *record)
{
	const struct hv_record *outer = NULL;

	for (struct hv_record *other = NULL; (other = hv_records_next(siblings, other));)
		if (other->is_done && !other->is_ending && !hv_attachment_has_ended(other) &&
			other->pid == 0 && hv_record_is_below(record, other->path))
			outer = other;
	return outer;
}
