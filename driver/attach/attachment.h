/* An attachment, as its record has it. */
#ifndef ATTACH_ATTACHMENT_H
#define ATTACH_ATTACHMENT_H

#include <limits.h>

#include "attach/attach.h"

/* Set the state and the problem, borrowed, of a record's view. */
enum hv_code hv_record_set_state(struct hv_record *record, enum hv_attachment_state state,
	const char *problem, struct hv_error *err);

/* Whether its mount stands, as far as the record says. */
bool hv_record_is_mounted(const struct hv_record *record);

/* Whether it ended with the container's process, which it was wanted for. */
bool hv_record_is_over(const struct hv_record *record);

/* The process it was attached to has ended, and the mount with it: "pending". */
enum hv_code hv_record_forget_mount(struct hv_record *record, struct hv_error *err);

/* The path on the host of what is attached, subpath included. */
void hv_full_source(const struct hv_attachment *view, char ret[static PATH_MAX]);

/* Whether it is mounted, or wanted, below `path`, and not at it. */
bool hv_record_is_below(const struct hv_record *record, const char *path);

/* "pending", because of that one. */
enum hv_code hv_record_wait_for(
	struct hv_record *record, const struct hv_record *outer, struct hv_error *err);

/* How each problem that hv_record_check_gone() tells begins. */
#define HV_DOUBT "the Docker Engine that answers at "

/* Whether the record's problem is one of them. */
bool hv_record_is_doubted(const struct hv_record *record);

#endif
