/* SPDX-License-Identifier: Apache-2.0 */
/* The marked directories of containers, and the news to the daemon. */
#ifndef START_MARKS_H
#define START_MARKS_H

#include "guard.h"

void guard_set_id(char ret[static HV_GATE_ID_SIZE], const char *id);

/* Returns false when there is no room, or no daemon. */
bool guard_tell(struct guard *guard, struct hv_gate_news *news);

/* <root>/<id>[/<file>], cut if it is too long, and then nothing is there. */
void guard_path(
	const struct root *root, const char *id, const char *file, char ret[static PATH_MAX]);

/* Whether that is there; of a link, whatever it leads to. */
bool guard_has(const struct root *root, const char *id, const char *file);

/* A runtime makes the container, in that root: mark it, if it is known, and tell of it. */
void guard_take_created(struct guard *guard, unsigned root, const char *id);

/* The same of a container that was found there and has not started. */
void guard_take_found(struct guard *guard, unsigned root, const char *id);

/* NULL: its directory is not marked. */
struct mark *guard_find_mark(struct guard *guard, const char *id);

/* By the number of its last hold; NULL: there is none. */
struct mark *guard_find_mark_of(struct guard *guard, uint32_t seq);

/* It has attachments: mark its directory as soon as that is made. */
void guard_know(struct guard *guard, const char *id);

/* It has none any more. */
void guard_forget(struct guard *guard, const char *id);

/* Know it, and hold its start.  `must_deny`: deny it at the deadline. */
void guard_mark(struct guard *guard, const char *id, bool must_deny);

void guard_unmark(struct guard *guard, const char *id);

bool guard_has_marks(const struct guard *guard);

/* Its directory is gone. */
void guard_take_gone(struct guard *guard, const char *id);

#endif
