#include "kind.h"

#include <string.h>

static const struct hv_volume_kind unknown = {.name = ""};

const struct hv_volume_kind *hv_kind_of(
	const struct hv_volumes *volumes, const struct hv_volume *volume)
{
	for (const struct hv_volume_kind *const *at = volumes->kinds; at && *at; at++)
		if (strcmp((*at)->name, volume->kind) == 0)
			return *at;
	return &unknown;
}

const struct hv_volume_kind *hv_kind_choose(
	const struct hv_volumes *volumes, const struct hv_volume_options *options)
{
	for (const struct hv_volume_kind *const *at = volumes->kinds; at && *at; at++)
		if ((*at)->claims(options))
			return *at;
	return NULL;
}
