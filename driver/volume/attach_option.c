/* SPDX-License-Identifier: Apache-2.0 */
/* Option attach: the container that a new volume is attached to, and where; declared in
 * volume/volume.h. */
#include <limits.h>
#include <string.h>

#include "volume/volume.h"
#include "wire/mode.h"
#include "wire/selector.h"

/* Git Bash makes such a path of a word that begins with a slash. */
static bool is_drive(const char *target)
{
	bool is_letter =
		(target[0] >= 'A' && target[0] <= 'Z') || (target[0] >= 'a' && target[0] <= 'z');

	return is_letter && target[1] == ':' && (target[2] == '/' || target[2] == '\\');
}

/* The colon before it, behind a selector; the end if there is none. */
static const char *find_target(const char *value)
{
	size_t length = hv_selector_length(value);

	return length > 0 ? value + length : value + strlen(value);
}

static enum hv_code check_selector(const char *text, struct hv_error *err)
{
	hv_auto_selector struct hv_selector selector = {.count = 0};

	return hv_selector_parse(text, &selector, err);
}

enum hv_code hv_volume_read_attach(
	const char *value, struct hv_attach_place *ret, struct hv_error *err)
{
	const bool is_selector = hv_selector_is_meant(value);
	const char *colon = is_selector ? find_target(value) : strchrnul(value, ':');
	const char *target = *colon ? colon + 1 : colon;
	const char *mode = strchrnul(target, ':');
	size_t name = (size_t)(colon - value), length = (size_t)(mode - target);

	struct hv_mode read = {0};

	*ret = (struct hv_attach_place){.required = false};
	if (is_drive(target)) {
		hv_fail(err, HV_BAD_REQUEST, "option attach=%.300s names a target of Windows",
			value);
		return hv_hint(err,
			"write a path of the container, attach=web:/mnt/data; in Git Bash, which changes it: MSYS_NO_PATHCONV=1 docker volume create ...");
	}
	if (*mode && !hv_mode_parse(mode + 1, &read))
		return hv_fail(err, HV_BAD_REQUEST,
			"option attach=%.300s has an unknown mode: only " HV_MODES " are known",
			value);
	if (name == 0 || name > (is_selector ? HV_SELECTOR_MAX : NAME_MAX) ||
		length >= sizeof(ret->target) || target[0] != '/') {
		hv_fail(err, HV_BAD_REQUEST,
			"option attach=%.300s is not CONTAINER:TARGET, with the absolute path of a target",
			value);
		return hv_hint(err,
			"write attach=CONTAINER:TARGET, such as attach=web:/mnt/data or attach=web:/mnt/data:ro");
	}
	memcpy(ret->container, value, name);
	memcpy(ret->target, target, length);
	ret->read_only = read.is_read_only;
	ret->required = read.is_required;
	ret->is_selector = is_selector;
	return is_selector ? check_selector(ret->container, err) : HV_OK;
}
