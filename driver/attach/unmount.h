/* SPDX-License-Identifier: Apache-2.0 */
/* The mount of an attachment is taken out. */
#ifndef ATTACH_UNMOUNT_H
#define ATTACH_UNMOUNT_H

#include "attach/attach.h"
#include "store/store.h"

/* How an unmount is tried. */
struct hv_unmount_manner {
	bool is_lazy;
	bool is_quick;   /* more tries follow: do not look for its users */
	bool keeps_made; /* it is to be mounted again, or another is in its place */
};

/* Refresh the record, unmount its mount lazily, wherever that is in its namespace now, and delete
 * the paths created for it and its leftovers, where possible; with `keeps_made` these stay, and
 * stay known.  Returns HV_OK if the mount is gone. */
enum hv_code hv_record_unmount(struct hv_attacher *attacher, struct hv_record *record,
	bool keeps_made, struct hv_error *err);

/* The same in this manner, for a record that was refreshed just now. */
enum hv_code hv_record_unmount_as(struct hv_attacher *attacher, struct hv_record *record,
	const struct hv_unmount_manner *manner, struct hv_error *err);

#endif
