/* What is wanted for a container is made true. */
#ifndef ATTACH_REPAIR_H
#define ATTACH_REPAIR_H

#include "attach/attach.h"

#include "container.h"

/* Make true what is wanted for a container whose start is held, and refuse the start if it lacks
 * what it requires (repair.c).  Returns as hv_attachments_start(). */
enum hv_code hv_target_repair(struct hv_attacher *attacher, const struct hv_target *target,
	struct hv_repaired *ret, struct hv_error *err);

#endif
