/* SPDX-License-Identifier: Apache-2.0 */
/* Option attach: the container that a new volume is attached to, and where; declared in
 * volume/volume.h. */
#include <string.h>

#include "volume/volume.h"
#include "wire/mode.h"

/* Git Bash makes such a path of a word that begins with a slash. */
static bool is_drive(const char *target)
{
	bool is_letter =
		(target[0] >= 'A' && target[0] <= 'Z') || (target[0] >= 'a' && target[0] <= 'z');

	return is_letter && target[1] == ':' && (target[2] == '/' || target[2] == '\\');
}

enum hv_code hv_volume_read_attach(
	const char *value, struct hv_attach_place *ret, struct hv_error *err)
{
	const char *colon = strchrnul(value, ':'), *target = *colon ? colon + 1 : colon;
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
	if (name == 0 || name >= sizeof(ret->container) || length >= sizeof(ret->target) ||
		target[0] != '/') {
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
	return HV_OK;
}
