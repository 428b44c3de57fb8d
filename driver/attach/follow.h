/* SPDX-License-Identifier: Apache-2.0 */
/* An attachment that follows its path becomes what that leads to now. */
#ifndef ATTACH_FOLLOW_H
#define ATTACH_FOLLOW_H

#include "attach/attach.h"
#include "store/store.h"

/* Bring the replacement of a mount to its end that a crash or a failure left half done (follow.c);
 * else nothing is done.  With the container held.  Returns HV_OK, also if the mounts went with
 * their container, or why it cannot be told or noted. */
enum hv_code hv_record_settle_follow(
	struct hv_attacher *attacher, struct hv_record *record, struct hv_error *err);

#endif
