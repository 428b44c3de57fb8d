/* SPDX-License-Identifier: Apache-2.0 */
/* Things with a name, sorted by it. */
#ifndef DAEMON_NAMES_H
#define DAEMON_NAMES_H

#include <stddef.h>

/* The first member of each thing. */
struct hv_named {
	char *name;
};

/* Zeroed to begin with.  The things are the caller's; the array is released with
 * hv_names_done(). */
struct hv_names {
	struct hv_named **items;
	size_t count;
	size_t room;
};

void hv_names_done(struct hv_names *names) __attribute__((nonnull));

/* The thing of this name, or NULL. */
void *hv_names_find(const struct hv_names *names, const char *name)
	__attribute__((nonnull, pure, warn_unused_result));

/* Add a thing whose name is not there.  Returns 0 or -ENOMEM. */
int hv_names_add(struct hv_names *names, struct hv_named *named)
	__attribute__((nonnull, warn_unused_result));

/* Remove the thing of this name, if there is one. */
void hv_names_remove(struct hv_names *names, const char *name) __attribute__((nonnull));

#endif
