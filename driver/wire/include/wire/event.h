/* SPDX-License-Identifier: Apache-2.0 */
/* The Engine's stream of events: JSON objects, a line each. */
#ifndef WIRE_EVENT_H
#define WIRE_EVENT_H

#include <stddef.h>

#include "wire/error.h"
#include "wire/opts.h"

/* The longest line that is read.  An event carries all labels of its container. */
enum { HV_EVENT_LINE_MAX = 1 << 20 };

/* An event; the strings are owned. */
struct hv_event {
	char *type;                     /* "container", "image" … */
	char *action;                   /* "start", "die", "destroy", "rename" … */
	char *container;                /* its ID; NULL: the event is not of a container */
	char *keeps;                    /* the volume that it keeps (wire/keeper.h); NULL: none */
	struct json_object *attributes; /* of the container; NULL: there are none */
};

/* The labels of the container, appended to `ret`, which the caller frees with hv_opts_done() either
 * way, and its name, borrowed; "" if it is not told.  Labels called "name" and "image" are left
 * out: the Engine has its own values there.  Returns 0 or -ENOMEM. */
int hv_event_read_labels(const struct hv_event *event, struct hv_opts *ret, const char **ret_name)
	__attribute__((nonnull, warn_unused_result));

/* Parse one line.  Returns HV_OK, or HV_INTERNAL when it is no event.  The caller frees `ret` with
 * hv_event_done() whatever is returned.
 * Source: Engine API, SystemEvents.  Any thread. */
enum hv_code hv_event_parse(const char *bytes, size_t size, struct hv_event *ret,
	struct hv_error *err) __attribute__((nonnull, warn_unused_result));
void hv_event_done(struct hv_event *event) __attribute__((nonnull));
#define hv_auto_event HV_AUTO(hv_event_done)

/* The line that is being received; start with all zero. */
struct hv_event_lines {
	char *bytes;
	size_t size;
};

typedef void (*hv_event_fn)(void *context, const struct hv_event *event);

/* Take what came in, in pieces of any size, and tell `fn` each whole event of a container.
 * Returns HV_OK, or HV_INTERNAL: a line that is too long or is no event; then the stream is of no
 * more use. */
enum hv_code hv_event_lines_feed(struct hv_event_lines *lines, const char *bytes, size_t size,
	hv_event_fn fn, void *context, struct hv_error *err)
	__attribute__((nonnull(1, 4, 6), warn_unused_result));
void hv_event_lines_done(struct hv_event_lines *lines) __attribute__((nonnull));

#endif
