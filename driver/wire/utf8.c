/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/utf8.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wire/cleanup.h"

/* Without a NUL, and counted in bytes. */
static const char replacement[] = "\xef\xbf\xbd";
enum { REPLACEMENT_BYTES = sizeof(replacement) - 1 };

size_t hv_utf8_measure(const unsigned char *at, size_t left)
{
	size_t length = *at < 0x80 ? 1 : *at < 0xe0 ? 2 : *at < 0xf0 ? 3 : 4;
	bool is_overlong, is_beyond;

	if ((*at >= 0x80 && *at < 0xc2) || *at > 0xf4 || length > left)
		return 0;
	is_overlong = (*at == 0xe0 && at[1] < 0xa0) || (*at == 0xf0 && at[1] < 0x90);
	is_beyond = (*at == 0xed && at[1] > 0x9f) || (*at == 0xf4 && at[1] > 0x8f);
	if (is_overlong || is_beyond)
		return 0;
	for (size_t i = 1; i < length; i++)
		if ((at[i] & 0xc0) != 0x80)
			return 0;
	return length;
}

bool hv_utf8_is_valid(const char *text)
{
	const unsigned char *at = (const unsigned char *)text;
	size_t length = 1;

	while (*at && length > 0) {
		length = hv_utf8_measure(at, SIZE_MAX);
		at += length;
	}
	return length > 0;
}

char *hv_utf8_copy(const char *text)
{
	const unsigned char *at = (const unsigned char *)text;
	char *clean = malloc(strlen(text) * REPLACEMENT_BYTES + 1), *to = clean;

	while (clean && *at) {
		size_t length = hv_utf8_measure(at, SIZE_MAX);

		memcpy(to, length > 0 ? (const char *)at : replacement,
			length > 0 ? length : REPLACEMENT_BYTES);
		to += length > 0 ? length : REPLACEMENT_BYTES;
		at += length > 0 ? length : 1;
	}
	if (clean)
		*to = '\0';
	return clean;
}

static uint32_t decode(const unsigned char *at, size_t length)
{
	uint32_t character = length == 1 ? *at : *at & (0xffU >> (length + 1));

	for (size_t i = 1; i < length; i++)
		character = character << 6 | (at[i] & 0x3f);
	return character;
}

/* Returns the end of what was written to `to`. */
static char *escape(uint32_t character, char *to)
{
	if (character < 0x80) {
		*to = (char)character;
		return to + 1;
	}
	if (character < 0x10000)
		return to + sprintf(to, "\\u%04x", (unsigned)character);
	character -= 0x10000;
	return to + sprintf(to, "\\u%04x\\u%04x", (unsigned)(0xd800 + (character >> 10)),
			    (unsigned)(0xdc00 + (character & 0x3ff)));
}

int hv_utf8_escape(const char *bytes, size_t size, char **ret, size_t *ret_size)
{
	enum { GROWTH = 3 }; /* at most: 2 bytes become 6, 3 become 6, 4 become 12 */
	const unsigned char *at = (const unsigned char *)bytes, *end = at + size;
	char *escaped = malloc(size * GROWTH + 1), *to = escaped;

	if (!escaped)
		return -ENOMEM;
	while (at < end) {
		size_t length = hv_utf8_measure(at, (size_t)(end - at));

		if (length == 0) {
			free(escaped);
			return -EILSEQ;
		}
		to = escape(decode(at, length), to);
		at += length;
	}
	*to = '\0';
	*ret = escaped;
	*ret_size = (size_t)(to - escaped);
	return 0;
}

struct json_object *hv_utf8_json(const char *text)
{
	hv_auto_free char *clean = NULL;

	if (hv_utf8_is_valid(text))
		return json_object_new_string(text);
	clean = hv_utf8_copy(text);
	return clean ? json_object_new_string(clean) : NULL;
}
