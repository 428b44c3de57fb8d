/* Attachments below the target of another. */
#ifndef ATTACH_NESTED_H
#define ATTACH_NESTED_H

#include "attach/attach.h"

#include "container.h"
#include "siblings.h"

/* Whether it is mounted, or wanted, below `path`, and not at it. */
bool hv_record_is_below(const struct hv_record *record, const char *path);

/* The attachment that is not there yet, while the container runs, and that `record` would be hidden
 * by if it were made now; or NULL. */
const struct hv_record *hv_siblings_find_outer(
	const struct hv_siblings *siblings, const struct hv_record *record);

/* "pending", because of that one. */
enum hv_code hv_record_wait_for(
	struct hv_record *record, const struct hv_record *outer, struct hv_error *err);

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
