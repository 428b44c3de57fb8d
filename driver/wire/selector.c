/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/selector.h"

#include <stdlib.h>
#include <string.h>

#include "wire/keeper.h"

/* The words that a selector begins with, and the labels that they stand for.
 * Source: Docker Compose and Docker Swarm label the containers that they create. */
static const struct word {
	const char *word;
	char separator;    /* before the second part */
	const char *first; /* label; NULL: the first part is a label, the second its value */
	const char *second;
} words[] = {
	{"label:", '=', NULL, NULL},
	{"compose:", '/', "com.docker.compose.project", "com.docker.compose.service"},
	{"service:", '\0', "com.docker.swarm.service.name", NULL},
};

static const struct word *find_word(const char *text)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strncmp(text, words[i].word, strlen(words[i].word)) == 0)
			return &words[i];
	return NULL;
}

bool hv_selector_is_meant(const char *text)
{
	const struct word *word = find_word(text);

	return word && text[strlen(word->word)] != '/';
}

size_t hv_selector_length(const char *text)
{
	size_t length = 0;

	for (const char *at = text; (at = strstr(at, ":/")); at++)
		length = (size_t)(at - text);
	return length;
}

static bool add(struct hv_selector *ret, const char *key, size_t key_length, const char *value)
{
	size_t at = ret->count++;

	ret->labels[at].key = strndup(key, key_length);
	ret->labels[at].value = value ? strdup(value) : NULL;
	return ret->labels[at].key && (!value || ret->labels[at].value);
}

/* label:KEY[=VALUE]; the value may be empty. */
static bool read_label(const char *text, const char *middle, struct hv_selector *ret)
{
	return add(ret, text, (size_t)(middle - text), *middle ? middle + 1 : NULL);
}

static bool read_names(
	const struct word *word, const char *text, const char *middle, struct hv_selector *ret)
{
	hv_auto_free char *first = strndup(text, (size_t)(middle - text));

	return first && add(ret, word->first, strlen(word->first), first) &&
	       (!*middle || add(ret, word->second, strlen(word->second), middle + 1));
}

static enum hv_code fail(const char *text, const char *why, struct hv_error *err)
{
	hv_fail(err, HV_BAD_REQUEST, "the selector \"%.255s\" %s", text, why);
	return hv_hint(err, "write " HV_SELECTOR_FORM);
}

static bool has_control(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			return true;
	return false;
}

enum hv_code hv_selector_parse(const char *text, struct hv_selector *ret, struct hv_error *err)
{
	const struct word *word = find_word(text);
	const char *rest, *middle;

	*ret = (struct hv_selector){.count = 0};
	if (!word)
		return fail(text, "is none", err);
	if (strlen(text) > HV_SELECTOR_MAX)
		return fail(text, "is too long", err);
	if (has_control(text))
		return fail(text, "has a control character in it", err);
	rest = text + strlen(word->word);
	middle = word->separator ? strchrnul(rest, word->separator) : rest + strlen(rest);
	if (middle == rest)
		return fail(text, "names nothing", err);
	if (word->first && *middle && (!middle[1] || strchr(middle + 1, word->separator)))
		return fail(text, "has a part too many, or an empty one", err);
	if (word->first ? read_names(word, rest, middle, ret) : read_label(rest, middle, ret))
		return HV_OK;
	return hv_oom(err);
}

/* How many labels of the selector, in order, are as it wants them. */
static size_t count_matches(const struct hv_selector *selector, const struct hv_opts *labels)
{
	for (size_t i = 0; i < selector->count; i++) {
		const char *value = hv_opts_get(labels, selector->labels[i].key);
		const char *wanted = selector->labels[i].value;

		if (!value || (wanted && strcmp(value, wanted) != 0))
			return i;
	}
	return selector->count;
}

bool hv_selector_match(const struct hv_selector *selector, const struct hv_opts *labels)
{
	return selector->count > 0 && !hv_opts_get(labels, HV_KEEPER_LABEL) &&
	       count_matches(selector, labels) == selector->count;
}

const char *hv_selector_miss(
	const struct hv_selector *selector, const struct hv_opts *labels, size_t *ret_at)
{
	size_t at = count_matches(selector, labels);

	if (at == selector->count || hv_opts_get(labels, HV_KEEPER_LABEL))
		return NULL;
	*ret_at = at;
	return hv_opts_get(labels, selector->labels[at].key);
}

void hv_selector_done(struct hv_selector *selector)
{
	for (size_t i = 0; i < selector->count; i++) {
		free(selector->labels[i].key);
		free(selector->labels[i].value);
	}
	*selector = (struct hv_selector){.count = 0};
}
