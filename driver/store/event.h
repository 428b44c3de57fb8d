/* SPDX-License-Identifier: Apache-2.0 */
/* The events of attachments.  All functions are for inside a transaction. */
#ifndef STORE_EVENT_H
#define STORE_EVENT_H

#include "store/store.h"
#include "wire/action.h"

/* An attachment, as it is on record before a change. */
struct hv_known {
	bool is_there; /* and was acknowledged */
	enum hv_attachment_state state;
};

enum hv_code hv_event_known(
	struct hv_store *store, const char *id, struct hv_known *ret, struct hv_error *err);

/* Add the events that a change made, now that `record` is written: none if nothing changed that a
 * user would see. */
enum hv_code hv_event_note(struct hv_store *store, const struct hv_record *record,
	const struct hv_known *known, struct hv_error *err);

/* Add an event of the attachment on record.  None if there is no such one, or it was never
 * acknowledged. */
enum hv_code hv_event_add(struct hv_store *store, const char *id, enum hv_action action,
	const char *detail, struct hv_error *err);

/* Let the last event of an attachment, of this kind, take the place of the event before, if that
 * has the same: an event that happens all the time must not push out all others. */
enum hv_code hv_event_merge(
	struct hv_store *store, const char *id, enum hv_action action, struct hv_error *err);

#endif
