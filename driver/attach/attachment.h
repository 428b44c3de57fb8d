/* SPDX-License-Identifier: Apache-2.0 */
/* An attachment, as its record has it. */
#ifndef ATTACH_ATTACHMENT_H
#define ATTACH_ATTACHMENT_H

#include <limits.h>

#include "attach/attach.h"
#include "store/store.h"

/* Read the records that match; free with hv_records_done() either way. */
enum hv_code hv_records_list(struct hv_attacher *attacher, const struct hv_record_filter *filter,
	struct hv_records *ret, struct hv_error *err);

/* The one way to a state: without a problem. */
void hv_record_set_state(struct hv_record *record, enum hv_attachment_state state);

/* "attached"; a doubt about its container is the Engine's to end, and stays; so does the end of a
 * lease, and that its path cannot be followed. */
void hv_record_set_attached(struct hv_record *record);

/* Tell in a sentence what is wrong in that state.  The arguments may be in its old problem. */
enum hv_code hv_record_set_problem(struct hv_record *record, enum hv_problem problem,
	struct hv_error *err, const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Whether its mount stands, as far as the record says. */
bool hv_record_is_mounted(const struct hv_record *record);

/* Whether it is wanted no more, and has no mount: it ended with the container's process, which it
 * was wanted for, or its lease is over. */
bool hv_attachment_has_ended(const struct hv_record *record);

/* The process it was attached to has ended, and the mount with it: "pending". */
void hv_attachment_set_pending(struct hv_record *record);

/* Of one that follows its path: the former mount and source are those on record again; or there are
 * none. */
void hv_record_take_former(struct hv_record *record);
void hv_record_forget_former(struct hv_record *record);

/* The path on the host of what is attached, subpath included. */
void hv_attachment_host_path(const struct hv_attachment *view, char ret[static PATH_MAX]);

/* Whether it is mounted, or wanted, below `path`, and not at it. */
bool hv_record_is_below(const struct hv_record *record, const char *path);

/* "pending", because of that one. */
enum hv_code hv_record_wait_for(
	struct hv_record *record, const struct hv_record *outer, struct hv_error *err);

#endif
