/* SPDX-License-Identifier: Apache-2.0 */
/* The known word that a mistyped one was meant to be. */
#ifndef CLI_NEAREST_H
#define CLI_NEAREST_H

#include <stddef.h>

/* A search; `name` and `distance` are empty at first. */
struct hv_nearest {
	const char *word; /* `length` bytes, as typed; borrowed */
	size_t length;
	const char
		*name; /* the nearest so far, the first of several; borrowed; NULL: none is near */
	unsigned distance; /* of `name` */
};

/* Take `name` if it is nearer to the word than those before.  Near is a name that two letters more,
 * less, other or exchanged with their neighbour turn into the word; one letter if neither has more
 * than three.  Upper and lower case are the same.  Words of more than 64 bytes are near to
 * nothing.  Source: Damerau-Levenshtein distance, in its restricted form. */
void hv_nearest_add(struct hv_nearest *nearest, const char *name) __attribute__((nonnull));

#endif
