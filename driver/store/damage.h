/* SPDX-License-Identifier: Apache-2.0 */
/* The note of damaged rows that lists have met, for one table: the sentence about the first one, or
 * NULL; owned by the store, and changed under its lock. */
#ifndef STORE_DAMAGE_H
#define STORE_DAMAGE_H

#include <stdbool.h>

#include "wire/error.h"

/* Note the sentence that a list `found` (NULL: none), which is taken over.  `is_all`: the list is
 * of the whole table, and replaces the note; another list cannot tell whether the note is outdated.
 */
void hv_damage_note(char **noted, char *found, bool is_all) __attribute__((nonnull(1)));

/* Returns HV_OK without a note, else HV_STATE_UNREADABLE with its sentence. */
enum hv_code hv_damage_tell(const char *noted, struct hv_error *err) __attribute__((nonnull(2)));

#endif
