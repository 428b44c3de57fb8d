/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/clock.h"

#include <stdio.h>
#include <string.h>

static long long clock_us(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

long long hv_clock_us(void)
{
	return clock_us(CLOCK_MONOTONIC);
}

long long hv_clock_thread_us(void)
{
	return clock_us(CLOCK_THREAD_CPUTIME_ID);
}

long long hv_clock_ms(void)
{
	return hv_clock_us() / 1000;
}

long long hv_clock_date_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

bool hv_clock_write(
	long long seconds, int digits, long long part, char ret[static HV_CLOCK_TEXT_SIZE])
{
	const time_t time = (time_t)seconds;
	char fraction[24] = "";
	struct tm parts;

	if (!gmtime_r(&time, &parts))
		return false;
	if (digits > 0)
		snprintf(fraction, sizeof(fraction), ".%0*lld", digits, part);
	snprintf(ret, HV_CLOCK_TEXT_SIZE, "%04d-%02d-%02dT%02d:%02d:%02d%sZ", parts.tm_year + 1900,
		parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
		fraction);
	return true;
}

char *hv_clock_format_part(long long seconds, int digits, long long part)
{
	char text[HV_CLOCK_TEXT_SIZE];

	return hv_clock_write(seconds, digits, part, text) ? strdup(text) : NULL;
}

char *hv_clock_format(long long seconds)
{
	return hv_clock_format_part(seconds, 0, 0);
}

time_t hv_clock_seconds(void)
{
	return (time_t)(hv_clock_ms() / 1000);
}

/* The digits behind the point, as milliseconds; the rest stays in `text`. */
static long long take_fraction(const char **text)
{
	long long weight = 100, ms = 0;

	for (; **text >= '0' && **text <= '9'; (*text)++) {
		ms += (**text - '0') * weight;
		weight /= 10;
	}
	return ms;
}

bool hv_clock_parse_ms(const char *text, long long *ret)
{
	struct tm parts = {0};
	const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &parts);
	long long ms = 0;
	time_t seconds;

	if (!rest)
		return false;
	seconds = timegm(&parts);
	if (*rest == '.') {
		rest++;
		ms = take_fraction(&rest);
	}
	rest = strptime(rest, "%z", &parts); /* Z, +02:00 */
	*ret = ((long long)seconds - parts.tm_gmtoff) * 1000 + ms;
	return rest && !*rest;
}
