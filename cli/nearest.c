/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/nearest.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

enum { WORD_MAX = 64, DISTANCE_MAX = 2 };

static bool is_same(char a, char b)
{
	return tolower((unsigned char)a) == tolower((unsigned char)b);
}

static unsigned smaller(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* Row by row: the distances of the first i letters of `a` from each beginning of `b`. */
static unsigned measure(const char *a, size_t a_length, const char *b, size_t b_length)
{
	unsigned rows[3][WORD_MAX + 1] = {{0}};
	unsigned *before = rows[0], *last = rows[1], *now = rows[2];

	for (size_t j = 0; j <= b_length; j++)
		last[j] = (unsigned)j;
	for (size_t i = 1; i <= a_length; i++) {
		unsigned *free_row = before;

		now[0] = (unsigned)i;
		for (size_t j = 1; j <= b_length; j++) {
			bool is_exchanged = i > 1 && j > 1 && is_same(a[i - 1], b[j - 2]) &&
					    is_same(a[i - 2], b[j - 1]);

			now[j] = smaller(last[j], now[j - 1]) + 1;
			now[j] = smaller(now[j], last[j - 1] + !is_same(a[i - 1], b[j - 1]));
			if (is_exchanged)
				now[j] = smaller(now[j], before[j - 2] + 1);
		}
		before = last;
		last = now;
		now = free_row;
	}
	return last[b_length];
}

void hv_nearest_add(struct hv_nearest *nearest, const char *name)
{
	size_t length = strlen(name);
	size_t longer = length > nearest->length ? length : nearest->length;
	unsigned distance;

	if (nearest->length == 0 || longer > WORD_MAX)
		return;
	distance = measure(nearest->word, nearest->length, name, length);
	/* "rm" is as near to "ls" as two words of two letters can be. */
	if (distance > DISTANCE_MAX || distance > longer / 2)
		return;
	if (nearest->name && distance >= nearest->distance)
		return;
	nearest->name = name;
	nearest->distance = distance;
}
