/* SPDX-License-Identifier: Apache-2.0 */
/* Attachments to which later mounts of the host propagate. */
#ifndef ATTACH_PROPAGATION_H
#define ATTACH_PROPAGATION_H

#include "mount_op.h"
#include "observe.h"

/* Whether the words of a request contradict propagation.  Returns HV_OK or HV_BAD_REQUEST. */
enum hv_code hv_propagation_check_request(
	const struct hv_attach_request *request, struct hv_error *err);

/* Whether the options of an attach go with propagation, if that is asked for: a mount that comes
 * later has the attributes and the owners that it has on the host, so nothing may be promised that
 * it would not keep.  `attr` is of the volume.
 * Returns HV_OK or HV_UNSUPPORTED. */
enum hv_code hv_propagation_check(
	const struct hv_mount_op *attempt, struct mc_attr attr, struct hv_error *err);

/* The path on the host that an attachment shows: of a slave as the mount table has it, by which its
 * later mounts are known.  Symlinks of the subpath are followed then, unless that would wait for a
 * server: for a second at most. */
void hv_propagation_find_source(
	struct hv_attacher *attacher, const struct hv_attachment *view, char ret[static PATH_MAX]);

/* Whether the mount `cover`, on top of the record's, was passed on from the host: it is mounted on
 * the record's source now.  `sight` has the table that both are in. */
bool hv_propagation_is_passed_on(struct hv_attacher *attacher, const struct hv_sight *sight,
	const struct hv_record *record, const struct mc_mount *cover);

#endif
