/* SPDX-License-Identifier: Apache-2.0 */
/* The Engine's list of its containers with their names and labels, of any length: each container is
 * reported as it is read.  wire/containers.h reads less, and is cheaper. */
#ifndef WIRE_LISTED_H
#define WIRE_LISTED_H

#include <stdbool.h>
#include <stddef.h>

#include "wire/error.h"
#include "wire/json.h"
#include "wire/opts.h"

/* A container of the list. */
struct hv_listed {
	char *id;
	char *name;
	char *state;           /* "running", "paused", "exited" … */
	struct hv_texts names; /* as they are listed: with a slash before, and those by links */
	struct hv_opts labels;
};

/* Whether it runs; a paused one does. */
bool hv_listed_is_running(const struct hv_listed *listed) __attribute__((nonnull));
void hv_listed_done(struct hv_listed *listed) __attribute__((nonnull));
#define hv_auto_listed HV_AUTO(hv_listed_done)

/* The longest JSON of one container that is read. */
enum { HV_LISTED_MAX = 1 << 20 };

/* Borrowed; its members may be taken. */
typedef void (*hv_listed_fn)(void *context, struct hv_listed *listed);

/* The state of the reading; start with all zero but for the two members that are to be set. */
struct hv_listing {
	hv_listed_fn fn; /* to be set */
	void *context;   /* to be set */
	unsigned depth;  /* of arrays and objects */
	bool is_string;
	bool is_escaped;
	bool is_over;
	char *bytes; /* of the container that is being read */
	size_t size;
	size_t room;
	struct hv_error err; /* why the rest is not read */
};

/* Take the next bytes, in pieces of any size, and tell each whole container.
 * Returns HV_OK, or HV_INTERNAL with the sentence in listing->err; then nothing more is read.
 * Source: Engine API, ContainerList.  One thread. */
enum hv_code hv_listing_feed(struct hv_listing *listing, const char *bytes, size_t size)
	__attribute__((nonnull, warn_unused_result));

/* Whether all of the list has come. */
bool hv_listing_is_whole(const struct hv_listing *listing) __attribute__((nonnull));
void hv_listing_done(struct hv_listing *listing) __attribute__((nonnull));
#define hv_auto_listing HV_AUTO(hv_listing_done)

#endif
