/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/token.h"

#include <string.h>

struct scan {
	const char *at;
	const char *end;
	size_t depth;
	bool is_after_comma;
};

static bool is_one_of(char character, const char *set)
{
	return character && strchr(set, character);
}

static size_t count_digits(const char *at, const char *end)
{
	const char *from = at;

	while (at < end && *at >= '0' && *at <= '9')
		at++;
	return (size_t)(at - from);
}

/* A sign, digits without a leading zero, a fraction, an exponent. */
static bool is_number(const char *at, const char *end)
{
	size_t digits;

	if (at < end && *at == '-')
		at++;
	digits = count_digits(at, end);
	if (digits == 0 || (digits > 1 && *at == '0'))
		return false;
	at += digits;
	if (at < end && *at == '.') {
		digits = count_digits(at + 1, end);
		if (digits == 0)
			return false;
		at += 1 + digits;
	}
	if (at < end && is_one_of(*at, "eE")) {
		at++;
		if (at < end && is_one_of(*at, "+-"))
			at++;
		digits = count_digits(at, end);
		if (digits == 0)
			return false;
		at += digits;
	}
	return at == end;
}

static bool is_word(const char *at, const char *end)
{
	static const char *const literals[] = {"true", "false", "null"};
	size_t length = (size_t)(end - at);

	for (size_t i = 0; i < sizeof(literals) / sizeof(literals[0]); i++)
		if (length == strlen(literals[i]) && memcmp(at, literals[i], length) == 0)
			return true;
	return is_number(at, end);
}

/* From behind the opening quote to behind the closing one, or the end. */
static bool skip_string(struct scan *scan)
{
	while (scan->at < scan->end && *scan->at != '"') {
		if ((unsigned char)*scan->at < ' ')
			return false;
		scan->at += *scan->at == '\\' && scan->end - scan->at > 1 ? 2 : 1;
	}
	if (scan->at < scan->end)
		scan->at++;
	return true;
}

/* A literal or a number; inside an object or array, a word cut off by the end may go on. */
static bool skip_word(struct scan *scan)
{
	const char *from = scan->at;

	while (scan->at < scan->end && !is_one_of(*scan->at, " \t\r\n{}[],:\""))
		scan->at++;
	return (scan->at == scan->end && scan->depth > 0) || is_word(from, scan->at);
}

/* Returns whether it is a token. */
static bool skip_token(struct scan *scan)
{
	char first = *scan->at;
	bool is_after_comma = scan->is_after_comma;

	scan->is_after_comma = first == ',';
	if (!is_one_of(first, "{}[],:\""))
		return skip_word(scan);
	scan->at++;
	if (first == '"')
		return skip_string(scan);
	if (first == '{' || first == '[')
		scan->depth++;
	if (first == '}' || first == ']') {
		if (is_after_comma || scan->depth == 0)
			return false;
		scan->depth--;
	}
	return true;
}

bool hv_json_has_tokens(const char *bytes, size_t size, size_t *ret_size)
{
	struct scan scan = {.at = bytes, .end = bytes + size};
	bool is_begun = false;

	for (;;) {
		while (scan.at < scan.end && is_one_of(*scan.at, " \t\r\n"))
			scan.at++;
		*ret_size = (size_t)(scan.at - bytes);
		if (scan.at == scan.end || (is_begun && scan.depth == 0))
			return true;
		if (!skip_token(&scan))
			return false;
		is_begun = true;
	}
}
