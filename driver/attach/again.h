/* Attach again, to a later start. */
#ifndef ATTACH_AGAIN_H
#define ATTACH_AGAIN_H

#include "mount.h"

/* Attach what a record wants to the container that runs, whose lock is held (again.c); `siblings`
 * are the records of that container, or NULL: none of them is at or below the target.  `mount`
 * makes the mount.  The record says what came of it; when it failed that is "pending", with the
 * reason. */
enum hv_code hv_attach_again(struct hv_attacher *attacher, const struct hv_target *target,
	const struct hv_siblings *siblings, hv_mount_fn *mount, struct hv_record *record,
	struct hv_error *err);

/* The same for one that was taken out only for a moment: how late it was is not changed. */
enum hv_code hv_attach_back(struct hv_attacher *attacher, const struct hv_target *target,
	struct hv_record *record, struct hv_error *err);

#endif
