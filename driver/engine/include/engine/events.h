/* SPDX-License-Identifier: Apache-2.0 */
/* A subscription to the Engine's events.  One thread. */
#ifndef ENGINE_EVENTS_H
#define ENGINE_EVENTS_H

#include <stdbool.h>

#include "engine/engine.h"
#include "wire/event.h"

struct hv_events;

/* Set up, not subscribed yet.  `fn` is told create, start, die, destroy and rename of every
 * container, from inside hv_events_wait().  Borrows `engine`.  NULL on ENOMEM. */
struct hv_events *hv_events_new(struct hv_engine *engine, hv_event_fn fn, void *context)
	__attribute__((nonnull(1, 2), warn_unused_result));
void hv_events_free(struct hv_events *events);

/* Begin to subscribe, from what happened two seconds ago on: the Engine answers before it has begun
 * to listen.  Does not wait.  Returns HV_OK or HV_INTERNAL (no socket).
 * Source: Engine API, SystemEvents. */
enum hv_code hv_events_subscribe(struct hv_events *events, struct hv_error *err)
	__attribute__((nonnull, warn_unused_result));

/* Wait until something happens: events, which are told, the subscription stands, `fd` can be read,
 * or `timeout_ms` are over.  Subscribed or not.
 * Returns HV_OK, or HV_INTERNAL or HV_TIMEOUT (the Engine took more than 30 seconds to say that it
 * will tell) when the subscription has ended; then subscribe again. */
enum hv_code hv_events_wait(struct hv_events *events, int fd, int timeout_ms, struct hv_error *err)
	__attribute__((nonnull, warn_unused_result));

/* Whether the Engine has confirmed the subscription: look-ups from now on, together with all later
 * events, miss nothing. */
bool hv_events_is_open(const struct hv_events *events) __attribute__((nonnull));

#endif
