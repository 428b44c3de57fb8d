#include "wire/utf8.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

/* Without a NUL, and counted in bytes. */
static const char replacement[] = "\xef\xbf\xbd";
enum { REPLACEMENT_BYTES = sizeof(replacement) - 1 };

/* How many bytes the character at `at` has; 0: it is none.  A NUL ends what may continue it.
 * Source: RFC 3629, section 4. */
static size_t measure(const unsigned char *at)
{
	size_t length = *at < 0x80 ? 1 : *at < 0xe0 ? 2 : *at < 0xf0 ? 3 : 4;
	bool is_overlong = (*at == 0xe0 && at[1] < 0xa0) || (*at == 0xf0 && at[1] < 0x90);
	bool is_beyond = (*at == 0xed && at[1] > 0x9f) || (*at == 0xf4 && at[1] > 0x8f);

	if ((*at >= 0x80 && *at < 0xc2) || *at > 0xf4 || is_overlong || is_beyond)
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
		length = measure(at);
		at += length;
	}
	return length > 0;
}

char *hv_utf8_copy(const char *text)
{
	const unsigned char *at = (const unsigned char *)text;
	char *clean = malloc(strlen(text) * REPLACEMENT_BYTES + 1), *to = clean;

	while (clean && *at) {
		size_t length = measure(at);

		memcpy(to, length > 0 ? (const char *)at : replacement,
			length > 0 ? length : REPLACEMENT_BYTES);
		to += length > 0 ? length : REPLACEMENT_BYTES;
		at += length > 0 ? length : 1;
	}
	if (clean)
		*to = '\0';
	return clean;
}

struct json_object *hv_utf8_json(const char *text)
{
	struct json_object *object;
	char *clean;

	if (hv_utf8_is_valid(text))
		return json_object_new_string(text);
	clean = hv_utf8_copy(text);
	object = clean ? json_object_new_string(clean) : NULL;
	free(clean);
	return object;
}
