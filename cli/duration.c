/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/duration.h"

#include <stdlib.h>
#include <string.h>

#include "wire/types.h"

enum { HOUR = 60 * 60, MINUTE = 60, DAY_HOURS = 24, YEAR = 365 * DAY_HOURS * HOUR };

static int seconds_of(char unit)
{
	switch (unit) {
	case 'h':
		return HOUR;
	case 'm':
		return MINUTE;
	case 's':
		return 1;
	default:
		return 0;
	}
}

/* A number, at most HV_LEASE_MAX_SECONDS + 1; negative: there is none. */
static long long take_number(const char **at)
{
	long long number = -1;

	for (; **at >= '0' && **at <= '9'; (*at)++) {
		number = (number < 0 ? 0 : number) * 10 + (**at - '0');
		if (number > HV_LEASE_MAX_SECONDS)
			number = HV_LEASE_MAX_SECONDS + 1LL;
	}
	return number;
}

static enum hv_code fail_form(const char *flag, const char *text, struct hv_error *err)
{
	const char *at = text;
	long long number = take_number(&at);

	hv_fail(err, HV_BAD_REQUEST, "--%s takes a duration, not \"%s\"", flag, text);
	if (number >= 0 && !*at)
		return hv_hint(err, "write the unit: --%s %ss", flag, text);
	if (number >= 0 && number <= YEAR / HOUR && strcmp(at, "d") == 0)
		return hv_hint(err, "write hours: --%s %lldh", flag, number * DAY_HOURS);
	return hv_hint(err, "write hours, minutes and seconds, such as 90s, 2h or 1h30m");
}

enum hv_code hv_duration_parse(
	const char *flag, const char *text, long long *ret_seconds, struct hv_error *err)
{
	const char *at = text;
	long long total = 0;

	if (strcmp(text, "0") == 0) {
		*ret_seconds = 0;
		return HV_OK;
	}
	do {
		long long number = take_number(&at);
		int unit = seconds_of(*at);

		if (number < 0 || unit == 0)
			return fail_form(flag, text, err);
		at++;
		total += number * unit;
		if (total > HV_LEASE_MAX_SECONDS)
			return hv_fail(err, HV_BAD_REQUEST, "--%s takes %d years at most", flag,
				HV_LEASE_MAX_SECONDS / YEAR);
	} while (*at);
	*ret_seconds = total;
	return HV_OK;
}
