/* SPDX-License-Identifier: Apache-2.0 */
/* The Engine's list of its containers, of any length: each container is reported as it is read. */
#ifndef WIRE_CONTAINERS_H
#define WIRE_CONTAINERS_H

#include <stdbool.h>
#include <stddef.h>

/* One of the list; `id` is borrowed. */
typedef void (*hv_containers_fn)(void *context, const char *id, bool is_running);

/* Where the list is; start with all zero but for what is said. */
struct hv_containers {
	hv_containers_fn fn; /* to be set */
	void *context;       /* to be set */
	unsigned depth;      /* of arrays and objects */
	bool is_string;
	bool is_escaped;
	bool is_value;   /* behind a member's colon */
	bool is_over;    /* the list has ended */
	bool is_garbage; /* it is none */
	char text[80];   /* the string that is being read, as far as it is of use */
	size_t size;
	char key[16];
	char id[80];
	char state[16];
};

/* Take what came in, in pieces of any size, and tell each whole container.  Only members "Id" and
 * "State" are read; the rest is not even checked to be JSON.
 * Source: Engine API, ContainerList. */
void hv_containers_feed(struct hv_containers *list, const char *bytes, size_t size)
	__attribute__((nonnull));

/* Whether all of the list has come, and it was one. */
bool hv_containers_are_whole(const struct hv_containers *list) __attribute__((nonnull));

#endif
