/* Attachments below the target of another. */
#ifndef ATTACH_NESTED_H
#define ATTACH_NESTED_H

#include "attach/attach.h"

#include "container.h"
#include "siblings.h"

/* Those that were taken out for an outer one. */
struct hv_nested {
	const struct hv_siblings *siblings;
	bool *is_lifted; /* of each; owned until they are put back */
};

/* Take out, of a container whose lock is held, what is mounted below the path of `outer`, which is
 * about to be mounted (nested.c).  hv_nested_put_back() follows either way. */
enum hv_code hv_nested_lift(struct hv_attacher *attacher, const struct hv_siblings *siblings,
	struct hv_record *outer, struct hv_nested *ret, struct hv_error *err);

/* Attach them again, on top.  One that cannot be is "pending", with the reason, and is tried again.
 */
void hv_nested_put_back(
	struct hv_attacher *attacher, const struct hv_target *target, struct hv_nested *nested);

#endif
