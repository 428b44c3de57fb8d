/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/flags.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "cli/nearest.h"

const struct hv_flag *hv_flags_find(const struct hv_flag *flags, const char *name, size_t length)
{
	for (; flags->name; flags++)
		if (strncmp(flags->name, name, length) == 0 && !flags->name[length])
			return flags;
	return NULL;
}

const char *hv_flags_nearest(const struct hv_flag *flags, const char *word)
{
	const char *start = word + strspn(word, "-");
	struct hv_nearest nearest = {.word = start, .length = strcspn(start, "=")};

	/* A letter alone is near to any name of two, and means something else. */
	if (nearest.length < 2)
		return NULL;
	for (; flags->name; flags++)
		hv_nearest_add(&nearest, flags->name);
	return nearest.name;
}

const struct hv_flag *hv_flags_find_letter(const struct hv_flag *flags, char letter)
{
	for (; flags->name; flags++)
		if (flags->letter && flags->letter == letter)
			return flags;
	return NULL;
}

/* This function and the following return how many words they took; 0: no flag; negative: failed. */
static int set_bool(
	const struct hv_flag *flag, void *options, const char *value, struct hv_error *err)
{
	bool is_set = !value || strcmp(value, "true") == 0 || strcmp(value, "1") == 0;

	if (!is_set && strcmp(value, "false") != 0 && strcmp(value, "0") != 0)
		return -(int)hv_fail(err, HV_BAD_REQUEST, "--%s takes true or false, not \"%s\"",
			flag->name, value);
	memcpy((char *)options + flag->offset, &is_set, sizeof(is_set));
	return 1;
}

static int add_value(
	const struct hv_flag *flag, const char *value, void *options, struct hv_error *err)
{
	void *member = (char *)options + flag->offset;
	struct hv_values *values = member;

	if (values->count == HV_VALUES_MAX)
		return -(int)hv_fail(err, HV_BAD_REQUEST, "--%s is given more than %d times",
			flag->name, HV_VALUES_MAX);
	values->items[values->count++] = value;
	return 1;
}

/* With the value from the next word if `value` is NULL. */
static int take_text(const struct hv_flag *flag, const char *value, const char *next, void *options,
	struct hv_error *err)
{
	const char *taken = value ? value : next;

	if (!taken)
		return -(int)hv_fail(
			err, HV_BAD_REQUEST, "--%s needs a value: %s", flag->name, flag->value);
	if (!flag->is_list)
		memcpy((char *)options + flag->offset, &taken, sizeof(taken));
	else if (add_value(flag, taken, options, err) < 0)
		return -(int)err->code;
	return value ? 1 : 2;
}

static int take_long(const struct hv_flag *flags, const char *word, const char *next, void *options,
	struct hv_error *err)
{
	const char *equals = strchrnul(word, '=');
	const char *value = *equals ? equals + 1 : NULL;
	const struct hv_flag *flag = hv_flags_find(flags, word, (size_t)(equals - word));

	if (!flag)
		return 0;
	if (!flag->value)
		return set_bool(flag, options, value, err);
	return take_text(flag, value ? value : flag->otherwise, next, options, err);
}

static int take_letters(const struct hv_flag *flags, const char *letters, const char *next,
	void *options, struct hv_error *err)
{
	if (!hv_flags_find_letter(flags, letters[0]))
		return 0;
	for (const char *at = letters; *at; at++) {
		const struct hv_flag *flag = hv_flags_find_letter(flags, *at);
		const char *rest = at[1] == '=' ? at + 2 : at + 1;

		if (!flag)
			return -(int)hv_fail(
				err, HV_BAD_REQUEST, "unknown flag -%c in -%s", *at, letters);
		if (flag->value)
			return take_text(flag, at[1] ? rest : NULL, next, options, err);
		if (at[1] == '=')
			return set_bool(flag, options, rest, err);
		(void)set_bool(flag, options, NULL, err); /* without a value it cannot fail */
	}
	return 1;
}

int hv_flags_take(const struct hv_flag *flags, int argc, char *const argv[], void *options,
	struct hv_error *err)
{
	const char *word = argc > 0 ? argv[0] : "";
	const char *next = argc > 1 ? argv[1] : NULL;
	int used = 0;

	if (word[0] == '-' && word[1] == '-' && word[2])
		used = take_long(flags, word + 2, next, options, err);
	else if (word[0] == '-' && word[1] && word[1] != '-')
		used = take_letters(flags, word + 1, next, options, err);
	return used < 0 ? -EINVAL : used;
}

static enum hv_code fail_unknown(
	const struct hv_flag *flags, const char *word, struct hv_error *err)
{
	const char *meant = hv_flags_nearest(flags, word);

	hv_fail(err, HV_BAD_REQUEST, "unknown flag %s", word);
	return meant ? hv_hint(err, "did you mean: --%s", meant) : err->code;
}

enum hv_code hv_flags_parse(const struct hv_flag *flags, int argc, char *const argv[],
	void *options, struct hv_operands *ret_operands, struct hv_error *err)
{
	bool is_flag_over = false;

	while (argc > 0) {
		int used = 1;

		if (is_flag_over || argv[0][0] != '-' || !argv[0][1]) {
			if (ret_operands->count < HV_OPERANDS_MAX)
				ret_operands->items[ret_operands->count] = argv[0];
			ret_operands->count++;
		} else if (strcmp(argv[0], "--") == 0) {
			is_flag_over = true;
		} else {
			used = hv_flags_take(flags, argc, argv, options, err);
		}
		if (used < 0)
			return err->code;
		if (used == 0)
			return fail_unknown(flags, argv[0], err);
		argc -= used;
		argv += used;
	}
	return HV_OK;
}
