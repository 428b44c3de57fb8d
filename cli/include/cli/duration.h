/* SPDX-License-Identifier: Apache-2.0 */
/* Durations as docker writes them: 90s, 2h, 1h30m. */
#ifndef CLI_DURATION_H
#define CLI_DURATION_H

#include "wire/error.h"

/* Read the value of --`flag`: whole hours, minutes and seconds, each with its unit, or a 0; at most
 * HV_LEASE_MAX_SECONDS.
 * Returns HV_OK, or HV_BAD_REQUEST with a sentence and a hint.  Source: Go's time.ParseDuration,
 * which also takes fractions and smaller units. */
enum hv_code hv_duration_parse(const char *flag, const char *text, long long *ret_seconds,
	struct hv_error *err) __attribute__((nonnull, warn_unused_result));

#endif
