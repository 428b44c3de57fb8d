/* Detach. */
#ifndef ATTACH_DETACH_H
#define ATTACH_DETACH_H

#include <limits.h>

#include "attach/attach.h"

/* Unmount what a record stands for, wherever it is in its namespace now, and remove what was made
 * for it, and its leftovers, where that may be done.  HV_OK also when it is gone already. Refreshes
 * the record first. */
enum hv_code hv_record_unmount(
	struct hv_attacher *attacher, struct hv_record *record, bool lazy, struct hv_error *err);

/* The same, but what was made stays, and stays known. */
enum hv_code hv_record_lift(
	struct hv_attacher *attacher, struct hv_record *record, struct hv_error *err);

/* Forget the record of an attachment.  What it leaves goes to an heir with the same commit. */
enum hv_code hv_record_drop(
	struct hv_attacher *attacher, const struct hv_record *record, struct hv_error *err);

/* Forget the record of an attachment that was unmounted; with is_ending_volume its volume too. */
enum hv_code hv_record_end(
	struct hv_attacher *attacher, const struct hv_record *record, struct hv_error *err);

/* Detach strictly for the volume's removal, which is begun (HV_REMOVING) with the same commit
 * unless something else keeps it. */
enum hv_code hv_detach_with_volume(
	struct hv_attacher *attacher, const char *id, struct hv_error *err);

#endif
