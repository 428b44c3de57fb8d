/* What was made for attachments and is not removed yet. */
#ifndef ATTACH_LEFTOVER_H
#define ATTACH_LEFTOVER_H

#include "attach/attach.h"
#include "mountcore/attach.h"

/* Leftovers (leftover.c): what was made for attachments and is not removed yet.  Add to an owned
 * list (NULL: empty) what was made for a record, and its leftovers. */
enum hv_code hv_leftovers_add(char **list, const struct hv_record *record, struct hv_error *err);

/* Take out of what is to be removed with a record what is in the list `kept`, which stays. */
enum hv_code hv_leftovers_leave(struct hv_record *record, const char *kept, struct hv_error *err)
	__attribute__((nonnull, warn_unused_result));

/* Behind an unmount, which left `left` of what was made for the record: remove its leftovers too,
 * where that may be done; what stays of all is its leftovers then. */
enum hv_code hv_leftovers_remove(struct hv_attacher *attacher, const struct mc_place *place,
	const struct mc_made *left, struct hv_record *record, struct hv_error *err);

/* Who gets the leftovers of a record that ends. */
struct hv_inheritance {
	char *id;        /* owned; NULL: nobody, or there are none */
	char *leftovers; /* owned; all of the heir's then */
};

/* Find it: an attachment of the same container, which is held, that keeps one of them from being
 * removed.  Zeroed at first; hv_inheritance_done() either way. */
enum hv_code hv_inheritance_find(struct hv_attacher *attacher, const struct hv_record *record,
	struct hv_inheritance *ret, struct hv_error *err);
void hv_inheritance_done(struct hv_inheritance *inheritance);

#endif
