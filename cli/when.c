/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/when.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "wire/clock.h"

/* A hundred years: more is a mistake, and no number overflows. */
#define DURATION_MAX_MS 3.2e12

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Digits, and a point somewhere in or beside them. */
static bool take_number(const char **text, double *ret)
{
	size_t whole = strspn(*text, "0123456789");
	size_t fraction = (*text)[whole] == '.' ? 1 + strspn(*text + whole + 1, "0123456789") : 0;
	char number[32];

	if (whole + fraction == 0 || (whole == 0 && fraction == 1) ||
		whole + fraction >= sizeof(number))
		return false;
	snprintf(number, sizeof(number), "%.*s", (int)(whole + fraction), *text);
	*ret = strtod(number, NULL);
	*text += whole + fraction;
	return true;
}

static bool take_unit(const char **text, double *ret_ms)
{
	/* "ms" stands before "m", which it begins with. */
	static const struct {
		const char *name;
		double ms;
	} units[] = {{"ns", 1e-6}, {"us", 1e-3}, {"µs", 1e-3}, {"ms", 1}, {"s", 1e3}, {"m", 6e4},
		{"h", 3.6e6}};

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		size_t length = strlen(units[i].name);

		if (strncmp(*text, units[i].name, length) == 0) {
			*text += length;
			*ret_ms = units[i].ms;
			return true;
		}
	}
	return false;
}

static bool parse_duration(const char *text, double *ret_ms)
{
	bool is_negative = *text == '-';
	double sum = 0;

	text += *text == '-' || *text == '+';
	if (strcmp(text, "0") != 0)
		do {
			double number, unit_ms;

			if (!take_number(&text, &number) || !take_unit(&text, &unit_ms))
				return false;
			sum += number * unit_ms;
		} while (*text);
	*ret_ms = is_negative ? -sum : sum;
	return sum < DURATION_MAX_MS;
}

/* Seconds as a fraction, up to milliseconds. */
static long long take_fraction_ms(const char **text)
{
	long long ms = 0, weight = 100;

	if (**text != '.' || !is_digit((*text)[1]))
		return 0;
	for ((*text)++; is_digit(**text); (*text)++) {
		ms += (**text - '0') * weight;
		weight /= 10;
	}
	return ms;
}

static bool parse_local(const char *text, long long *ret_ms)
{
	static const char *const formats[] = {
		"%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H", "%Y-%m-%d"};

	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		struct tm parts = {.tm_isdst = -1};
		const char *rest = strptime(text, formats[i], &parts);
		long long ms = rest && i == 0 ? take_fraction_ms(&rest) : 0;

		if (!rest || *rest)
			continue;
		*ret_ms = (long long)mktime(&parts) * 1000 + ms;
		return true;
	}
	return false;
}

static bool parse_seconds(const char *text, long long *ret_ms)
{
	size_t digits = strspn(text, "0123456789");
	const char *rest = text + digits;

	if (digits == 0 || digits > 12)
		return false;
	*ret_ms = strtoll(text, NULL, 10) * 1000 + take_fraction_ms(&rest);
	return !*rest;
}

bool hv_when_parse(const char *text, long long now_ms, long long *ret_ms)
{
	double before_ms = 0;

	if (parse_duration(text, &before_ms)) {
		*ret_ms = now_ms - (long long)before_ms;
		return true;
	}
	return hv_clock_parse_ms(text, ret_ms) || parse_local(text, ret_ms) ||
	       parse_seconds(text, ret_ms);
}

void hv_when_format(long long ms, char ret[static HV_CLOCK_TEXT_SIZE])
{
	long long part_ms = (ms % 1000 + 1000) % 1000;

	/* Of a time that was parsed, whose year has a number. */
	(void)!hv_clock_write((ms - part_ms) / 1000, 3, part_ms, ret);
}
