/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/clock.h"

#include "wire/text.h"

long long hv_clock_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000;
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

char *hv_clock_format(long long seconds)
{
	const time_t time = (time_t)seconds;
	struct tm parts;

	if (!gmtime_r(&time, &parts))
		return NULL;
	return hv_text_format("%04d-%02d-%02dT%02d:%02d:%02dZ", parts.tm_year + 1900,
		parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
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
