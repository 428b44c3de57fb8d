/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/output.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "wire/clock.h"
#include "wire/text.h"
#include "wire/utf8.h"

/* As `docker ps` has it. */
enum { COLUMN_MIN = 10, COLUMN_GAP = 3 };

enum {
	MINUTE = 60,
	HOUR = 60 * MINUTE,
	DAY = 24 * HOUR,
	WEEK = 7 * DAY,
	MONTH = 30 * DAY,
	YEAR = 365 * DAY,
};

/* How a time below so many seconds is told: a number of units, or no number. */
static const struct {
	long long limit_seconds;
	long long unit_seconds;
	const char *words;
} ages[] = {
	{1, 0, "Less than a second"}, /* the daemon's clock may be a little ahead */
	{2, 0, "1 second"},
	{MINUTE, 1, "seconds"},
	{2LL * MINUTE, 0, "About a minute"},
	{HOUR, MINUTE, "minutes"},
	{2LL * HOUR, 0, "About an hour"},
	{2LL * DAY, HOUR, "hours"},
	{2LL * WEEK, DAY, "days"},
	{2LL * MONTH, WEEK, "weeks"},
	{2LL * YEAR, MONTH, "months"},
	{LLONG_MAX, YEAR, "years"},
};

void hv_text_clean(char *text)
{
	char *to = text;

	while (*text) {
		const unsigned char *at = (const unsigned char *)text;
		size_t length = hv_utf8_measure(at, SIZE_MAX);
		/* The two bytes of a C1 control become one '?'. */
		bool is_control = *at < 0x20 || *at == 0x7f || (*at == 0xc2 && at[1] < 0xa0);

		if (length == 0 || is_control) {
			*to++ = '?';
			text += length > 0 ? length : 1;
			continue;
		}
		memmove(to, text, length);
		to += length;
		text += length;
	}
	*to = '\0';
}

void hv_line_print(FILE *out, const char *format, ...)
{
	hv_auto_free char *line = NULL;
	va_list args;

	va_start(args, format);
	line = hv_text_format_list(format, args);
	va_end(args);
	if (!line)
		return;
	hv_text_clean(line);
	fprintf(out, "%s\n", line);
}

static void format_age(long long age, const char *suffix, char *buffer, size_t size_bytes)
{
	size_t i = 0;

	if (age >= HOUR)
		age += HOUR / 2; /* Docker rounds hours to the nearest */
	while (age >= ages[i].limit_seconds)
		i++;
	if (ages[i].unit_seconds == 0)
		snprintf(buffer, size_bytes, "%s%s", ages[i].words, suffix);
	else
		snprintf(buffer, size_bytes, "%lld %s%s", age / ages[i].unit_seconds, ages[i].words,
			suffix);
}

void hv_since_format(const char *since, time_t now, char *buffer, size_t size_bytes)
{
	long long then_ms = 0;

	if (hv_clock_parse_ms(since, &then_ms))
		format_age((long long)now - then_ms / 1000, " ago", buffer, size_bytes);
	else
		snprintf(buffer, size_bytes, "-");
}

void hv_until_format(const char *until, time_t now, char *buffer, size_t size_bytes)
{
	long long then_ms = 0;

	if (!hv_clock_parse_ms(until, &then_ms))
		snprintf(buffer, size_bytes, "-");
	else if (then_ms / 1000 <= (long long)now)
		snprintf(buffer, size_bytes, "over");
	else
		format_age(then_ms / 1000 - (long long)now, "", buffer, size_bytes);
}

int hv_table_add(struct hv_table *table, const char *text)
{
	char **cells = reallocarray(table->cells, table->count + 1, sizeof(*cells));
	char *copy = strdup(text ? text : "");

	if (cells)
		table->cells = cells;
	if (!cells || !copy) {
		free(copy);
		return -ENOMEM;
	}
	hv_text_clean(copy);
	table->cells[table->count++] = copy;
	return 0;
}

/* In characters; wide ones count as one, as in Docker's tables. */
static int width_of(const char *text)
{
	int width = 0;

	for (; *text; text++)
		width += (*text & 0xc0) != 0x80;
	return width;
}

static int column_width(const struct hv_table *table, size_t column)
{
	int widest = COLUMN_MIN - COLUMN_GAP;

	for (size_t i = column; i < table->count; i += table->columns) {
		int width = width_of(table->cells[i]);

		widest = width > widest ? width : widest;
	}
	return widest + COLUMN_GAP;
}

void hv_table_print(const struct hv_table *table, FILE *out)
{
	for (size_t i = 0; i < table->count; i++) {
		size_t column = i % table->columns;
		bool is_last = column + 1 == table->columns;
		int pad = is_last ? 0 : column_width(table, column) - width_of(table->cells[i]);

		fprintf(out, "%s%*s%s", table->cells[i], pad, "", is_last ? "\n" : "");
	}
}

void hv_table_done(struct hv_table *table)
{
	for (size_t i = 0; i < table->count; i++)
		free(table->cells[i]);
	free(table->cells);
	*table = (struct hv_table){0};
}
