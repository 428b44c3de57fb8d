/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/place.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "wire/selector.h"

#define FORM "write CONTAINER:TARGET, such as web:/mnt/data"

enum { ID_DIGITS = 12 };

/* `text` is meant for a selector. */
static enum hv_code parse_selector(
	const char *text, const char *target, struct hv_place *ret, struct hv_error *err)
{
	hv_auto_selector struct hv_selector selector = {.count = 0};
	size_t length = target ? strlen(text) : hv_selector_length(text);

	if (length == 0 || (target && !*target)) {
		hv_fail(err, HV_BAD_REQUEST, "\"%s\" names no target in the containers", text);
		return hv_hint(err,
			"write SELECTOR:TARGET with the absolute path of a target, such as compose:shop/web:/mnt/data");
	}
	ret->selector = strndup(text, length);
	ret->target = strdup(target ? target : text + length + 1);
	if (!ret->selector || !ret->target)
		return hv_oom(err);
	return hv_selector_parse(ret->selector, &selector, err);
}

enum hv_code hv_place_parse(
	const char *text, const char *target, struct hv_place *ret, struct hv_error *err)
{
	const char *colon = strchrnul(text, ':');

	if (hv_selector_is_meant(text))
		return parse_selector(text, target, ret, err);
	if (colon == text) {
		hv_fail(err, HV_BAD_REQUEST, "\"%s\" names no container", text);
		return hv_hint(err, FORM);
	}
	if (target && *colon) {
		hv_fail(err, HV_BAD_REQUEST, "\"%s\" is not a container's name", text);
		return hv_hint(err, "write the container alone, without a colon and a target");
	}
	if (target && !*target)
		return hv_fail(err, HV_BAD_REQUEST, "the target is empty");
	if (!target && !*colon) {
		hv_fail(err, HV_BAD_REQUEST, "\"%s\" has no colon", text);
		return hv_hint(err, FORM);
	}
	if (!target && !colon[1]) {
		hv_fail(err, HV_BAD_REQUEST, "\"%s\" names no target in the container", text);
		return hv_hint(err, FORM);
	}
	ret->container = strndup(text, (size_t)(colon - text));
	ret->target = strdup(target ? target : colon + 1);
	return ret->container && ret->target ? HV_OK : hv_oom(err);
}

/* `target` is what stands before the colon, and may be a drive: Git Bash makes a path of Windows of
 * each word that begins with a slash. */
static enum hv_code hint_mode(const char *target, const char *mode, struct hv_error *err)
{
	if (isalpha((unsigned char)target[0]) && target[1] == ':' &&
		(mode[0] == '/' || mode[0] == '\\'))
		return hv_hint(err,
			"write a path of the container, not of Windows; in Git Bash: MSYS_NO_PATHCONV=1 docker hostvol ...");
	if (strcmp(mode, "z") == 0 || strcmp(mode, "Z") == 0)
		return hv_hint(err, "leave it out: hostvol does not change SELinux labels");
	return hv_hint(err,
		"give a target with a colon in it by flag: docker hostvol attach --target PATH SOURCE CONTAINER");
}

enum hv_code hv_place_mode_parse(struct hv_place *place, struct hv_error *err)
{
	char *colon = strchr(place->target, ':');

	if (!colon)
		return HV_OK;
	if (!hv_mode_parse(colon + 1, &place->mode)) {
		hv_fail(err, HV_BAD_REQUEST, "unknown mode \"%s\": only " HV_MODES " are known",
			colon + 1);
		return hint_mode(place->target, colon + 1, err);
	}
	*colon = '\0';
	if (!*place->target) {
		hv_fail(err, HV_BAD_REQUEST, "there is a mode, but no target in the container");
		return hv_hint(err, FORM);
	}
	return HV_OK;
}

enum hv_code hv_place_read_only(
	const struct hv_place *place, bool is_flag_set, bool *ret_read_only, struct hv_error *err)
{
	if (is_flag_set && place->mode.is_read_write)
		return hv_fail(err, HV_BAD_REQUEST, "--ro and :rw contradict each other");
	*ret_read_only = is_flag_set || place->mode.is_read_only;
	return HV_OK;
}

void hv_target_clean(char *target)
{
	char *to = target;

	for (const char *at = target; *at; at++) {
		bool is_dot = at[0] == '.' && (at[1] == '/' || !at[1]) && to > target;

		if (to > target && to[-1] == '/' && (*at == '/' || is_dot))
			continue;
		*to++ = *at;
	}
	if (to > target + 1 && to[-1] == '/')
		to--;
	*to = '\0';
}

void hv_place_done(struct hv_place *place)
{
	free(place->container);
	free(place->selector);
	free(place->target);
	*place = (struct hv_place){0};
}

bool hv_attachment_id_is(const char *text)
{
	return strspn(text, "0123456789abcdefABCDEF") == ID_DIGITS && !text[ID_DIGITS];
}
