/* SPDX-License-Identifier: Apache-2.0 */
#include "looks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *subpath_of(const struct mc_source_args *args)
{
	return args->subpath ? args->subpath : "";
}

static void drop(struct hv_look *look)
{
	free(look->source);
	free(look->subpath);
	mc_source_look_free(look->look);
	*look = (struct hv_look){0};
}

void hv_looks_done(struct hv_looks *looks)
{
	for (size_t i = 0; i < HV_LOOKS_MAX; i++)
		drop(&looks->items[i]);
}

static struct hv_look *find(struct hv_looks *looks, const struct mc_source_args *args)
{
	for (size_t i = 0; i < HV_LOOKS_MAX; i++) {
		struct hv_look *look = &looks->items[i];

		if (look->look && strcmp(look->source, args->source) == 0 &&
			strcmp(look->subpath, subpath_of(args)) == 0)
			return look;
	}
	return NULL;
}

/* The oldest one goes.  NULL: out of memory. */
static struct hv_look *add(struct hv_looks *looks, const struct mc_source_args *args)
{
	struct hv_look *look = &looks->items[looks->next++ % HV_LOOKS_MAX];

	drop(look);
	look->source = strdup(args->source);
	look->subpath = strdup(subpath_of(args));
	return look->source && look->subpath ? look : NULL;
}

int hv_looks_compare(struct hv_looks *looks, struct mc_core *core,
	const struct mc_source_args *args, enum mc_source_is *ret, struct mc_err *err)
{
	struct hv_look *look = find(looks, args);
	int rc;

	if (look && mc_source_look_compare(look->look, args, ret, NULL) == 0 &&
		*ret == MC_SOURCE_SAME)
		return 0;
	if (look)
		drop(look);
	look = add(looks, args);
	if (!look)
		return mc_err_set(err, MC_STEP_SETUP, -ENOMEM);
	rc = mc_source_look(core, args, &look->look, err);
	return rc == 0 ? mc_source_look_compare(look->look, args, ret, err) : rc;
}
