/* SPDX-License-Identifier: Apache-2.0 */
/* Time for deadlines, and the Engine's time. */
#ifndef WIRE_CLOCK_H
#define WIRE_CLOCK_H

#include <stdbool.h>
#include <time.h>

/* CLOCK_MONOTONIC in whole seconds: no change of the date moves it.  Source: clock_gettime(2). */
time_t hv_clock_seconds(void);

/* The same in milliseconds. */
long long hv_clock_ms(void);

/* The same in microseconds. */
long long hv_clock_us(void);

/* How long this thread has run on a processor, in microseconds.  Source: clock_gettime(2). */
long long hv_clock_thread_us(void);

/* CLOCK_REALTIME in milliseconds since 1970: the date, which can be set. */
long long hv_clock_date_ms(void);

enum { HV_CLOCK_TEXT_SIZE = 64 };

/* Write so many seconds since 1970, and `part` of the next one in so many digits (0: none), as an
 * RFC 3339 time in UTC.  Returns false beyond the years that struct tm has.  Any thread. */
bool hv_clock_write(long long seconds, int digits, long long part,
	char ret[static HV_CLOCK_TEXT_SIZE]) __attribute__((warn_unused_result));

/* The same, owned by the caller; NULL on ENOMEM, too. */
char *hv_clock_format_part(long long seconds, int digits, long long part)
	__attribute__((warn_unused_result));

/* So many seconds since 1970 as an RFC 3339 time in UTC, owned by the caller; NULL on ENOMEM, or
 * beyond the years that time_t has.  Any thread. */
char *hv_clock_format(long long seconds) __attribute__((warn_unused_result));

/* Read an RFC 3339 time, with a fraction and a zone: milliseconds since 1970.  Returns false if it
 * is none.  Any thread. */
bool hv_clock_parse_ms(const char *text, long long *ret)
	__attribute__((nonnull, warn_unused_result));

#endif
