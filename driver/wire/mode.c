/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/mode.h"

#include <stddef.h>
#include <string.h>

static bool read_word(const char *word, size_t length, struct hv_mode *ret)
{
	const struct {
		const char *word;
		bool *is_said;
	} words[] = {
		{"ro", &ret->is_read_only},
		{"rw", &ret->is_read_write},
		{"required", &ret->is_required},
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strlen(words[i].word) != length || memcmp(words[i].word, word, length) != 0)
			continue;
		if (*words[i].is_said)
			return false;
		*words[i].is_said = true;
		return true;
	}
	return false;
}

bool hv_mode_parse(const char *text, struct hv_mode *ret)
{
	struct hv_mode mode = {0};
	size_t length;

	*ret = mode;
	for (;; text += length + 1) {
		length = strcspn(text, ",");
		if (!read_word(text, length, &mode))
			return false;
		if (!text[length])
			break;
	}
	if (mode.is_read_only && mode.is_read_write)
		return false;
	*ret = mode;
	return true;
}
