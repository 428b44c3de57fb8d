/* SPDX-License-Identifier: Apache-2.0 */
/* Volumes of the store by their names, and by the names of each other. */
#ifndef VOLUME_VOLUMES_H
#define VOLUME_VOLUMES_H

#include "store/store.h"
#include "volume/volume.h"

/* The attachments of a volume, as the store lists them. */
struct hv_volume_records {
	struct hv_record *items;
	size_t count;
};

#define hv_auto_volume_records HV_AUTO(hv_volume_records_done)
static inline void hv_volume_records_done(struct hv_volume_records *records)
{
	hv_records_free(records->items, records->count);
}

/* Read the attachments of a volume. */
enum hv_code hv_volume_attachments(struct hv_volumes *volumes, const char *name,
	struct hv_volume_records *ret, struct hv_error *err);

/* The volume whose data an alias (option from) shows; `ret` is zeroed or a volume to be freed. */
enum hv_code hv_volume_origin(struct hv_volumes *volumes, const struct hv_volume *volume,
	struct hv_volume *ret, struct hv_error *err);

/* The kind of the volume whose data this one shows: its own kind, or its origin's.
 * HV_UNSUPPORTED: of a kind that is not known. */
enum hv_code hv_volume_data_kind(struct hv_volumes *volumes, const struct hv_volume *volume,
	const struct hv_volume_kind **ret, struct hv_error *err);

/* Whether another volume shows the data of this one (option from): HV_OK or HV_VOLUME_IN_USE.
 * `what` cannot be done then: "be removed". */
enum hv_code hv_volume_check_aliases(
	struct hv_volumes *volumes, const char *name, const char *what, struct hv_error *err);

/* The volume of this name that is in any phase but HV_THERE; `ret->name` is NULL if there is none.
 * The caller frees it with hv_volume_done(), whatever is returned.  HV_UNSUPPORTED: there is one,
 * of a kind that is not known. */
enum hv_code hv_volume_find_unfinished(
	struct hv_volumes *volumes, const char *name, struct hv_volume *ret, struct hv_error *err);

#endif
