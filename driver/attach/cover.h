/* SPDX-License-Identifier: Apache-2.0 */
/* An attachment that another mount is in the way of. */
#ifndef ATTACH_COVER_H
#define ATTACH_COVER_H

#include "attach/attach.h"
#include "mountcore/mounts.h"
#include "mountcore/ns.h"
#include "store/store.h"

/* "covered", by that mount of its container, whose mount namespace is `ns_fd` (cover.c). */
enum hv_code hv_record_set_covered(struct hv_attacher *attacher, struct hv_record *record,
	int ns_fd, const struct mc_mount *cover, struct hv_error *err);

/* Fail with `code`, because the record, refreshed just now, is "covered". */
enum hv_code hv_record_fail_covered(struct hv_attacher *attacher, const struct hv_record *record,
	enum hv_code code, struct hv_error *err);

/* Fail because a directory of `path`, in the container of `record`, is missing and lies on a mount
 * that is read-only: `err` is replaced by which one (cover.c).  Left as it is for the root. */
enum hv_code hv_record_fail_read_only(struct hv_attacher *attacher, const struct hv_record *record,
	const struct mc_ns *ns, struct hv_error *err);

#endif
