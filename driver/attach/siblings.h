/* SPDX-License-Identifier: Apache-2.0 */
/* The records of one container, side by side. */
#ifndef ATTACH_SIBLINGS_H
#define ATTACH_SIBLINGS_H

#include "attach/attach.h"
#include "mountcore/attach.h"
#include "mountcore/mounts.h"
#include "store/store.h"

/* Read the records of a container, intents included: outer targets before those below them, and of
 * one depth the oldest first.  With the container held if they are to be changed; free with
 * hv_records_done() either way. */
enum hv_code hv_siblings_read(struct hv_attacher *attacher, const char *container_id,
	struct hv_records *ret, struct hv_error *err);

/* Their mounts in the mount namespace `ns_ino`, as far as the records say, for
 * mc_attach_args.own.  Owned, with `ret_count` of them; NULL on ENOMEM. */
struct mc_own *hv_siblings_own(
	const struct hv_records *siblings, uint64_t ns_ino, size_t *ret_count);

/* The attachment to the process `pid` that is this mount of the namespace `ns_ino`, or NULL. */
const struct hv_record *hv_siblings_find_mount(const struct hv_records *siblings, long long pid,
	uint64_t ns_ino, const struct mc_mount *mount);

/* Whether a record of the container waits to be attached to it. */
bool hv_siblings_wait(const struct hv_records *siblings);

/* The attachment that is not there yet, while the container runs, and that `record` would be hidden
 * by if it were made now; or NULL. */
const struct hv_record *hv_siblings_find_outer(
	const struct hv_records *siblings, const struct hv_record *record);

#endif
