/* SPDX-License-Identifier: Apache-2.0 */
/* A moment, as docker's --since and --until take it. */
#ifndef CLI_WHEN_H
#define CLI_WHEN_H

#include <stdbool.h>

#include "wire/clock.h"

/* Read `text`: how long before `now_ms` ("10m", "1h30m"; "-10m" is later), a time of RFC 3339, the
 * same without a zone or cut after any part of it (in the local zone), or seconds since 1970 with a
 * fraction.  Milliseconds since 1970.  Returns false if it is none of these.
 * Source: docker/docker, api/types/time; Go, time.ParseDuration. */
bool hv_when_parse(const char *text, long long now_ms, long long *ret_ms)
	__attribute__((nonnull, warn_unused_result));

/* RFC 3339, in UTC. */
void hv_when_format(long long ms, char ret[static HV_CLOCK_TEXT_SIZE]) __attribute__((nonnull));

#endif
