/* SPDX-License-Identifier: Apache-2.0 */
/* Paths created for attachments and not deleted yet. */
#ifndef ATTACH_LEFTOVER_H
#define ATTACH_LEFTOVER_H

#include "attach/attach.h"
#include "mountcore/attach.h"
#include "store/store.h"

/* Add to an owned list (NULL: empty) the paths created for a record, and its leftovers
 * (leftover.c). */
enum hv_code hv_leftovers_add(char **list, const struct hv_record *record, struct hv_error *err);

/* Remove the paths in the list `kept` from the record: they stay. */
enum hv_code hv_leftovers_leave(struct hv_record *record, const char *kept, struct hv_error *err)
	__attribute__((nonnull, warn_unused_result));

/* After an unmount that left `left` of the paths created for the record: delete its leftovers too,
 * where possible.  All paths that stay become its leftovers. */
enum hv_code hv_leftovers_remove(struct hv_attacher *attacher, const struct mc_place *place,
	const struct mc_made *left, struct hv_record *record, struct hv_error *err);

/* The heir of the leftovers of a record that ends: find an attachment of the same container, which
 * is held, that keeps one of them from being removed.  `ret_id` is its ID, and `ret_leftovers` all
 * of its leftovers then; both are owned, NULL at first, and stay so if there is no heir. */
enum hv_code hv_leftovers_find_heir(struct hv_attacher *attacher, const struct hv_record *record,
	char **ret_id, char **ret_leftovers, struct hv_error *err);

#endif
