/* The records of one container, side by side. */
#include <stdlib.h>

#include "inside.h"

enum hv_code hv_siblings_read(struct hv_attacher *attacher, const char *container_id,
	struct hv_siblings *ret, struct hv_error *err)
{
	const struct hv_record_filter filter = {.container_id = container_id};

	return hv_store_attachment_list(attacher->store, &filter, &ret->records, &ret->count, err);
}

void hv_siblings_done(struct hv_siblings *siblings)
{
	hv_records_free(siblings->records, siblings->count);
	*siblings = (struct hv_siblings){0};
}

struct mc_own *hv_siblings_own(
	const struct hv_siblings *siblings, uint64_t ns_ino, size_t *ret_count)
{
	struct mc_own *own = calloc(siblings->count + 1, sizeof(*own));

	*ret_count = 0;
	for (size_t i = 0; own && i < siblings->count; i++) {
		const struct hv_record *record = &siblings->records[i];

		if (record->pid > 0 && record->ns_ino == ns_ino && record->mount_id)
			own[(*ret_count)++] = (struct mc_own){
				record->mount_id, {record->root_dev, record->root_ino}};
	}
	return own;
}
