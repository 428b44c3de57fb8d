/* SPDX-License-Identifier: Apache-2.0 */
/* Following the directories in which runtimes keep containers. */
#ifndef START_FOLLOW_H
#define START_FOLLOW_H

#include "guard.h"

void guard_follow(struct guard *guard, const char *path);

/* Read the changes in the roots; and take them, if there are any. */
void guard_read_changes(struct guard *guard);
void guard_take_changes(struct guard *guard);

/* Tell of the containers that have not started yet: of `id`, or with "" of all. */
void guard_scan(struct guard *guard, const char *id);

#endif
