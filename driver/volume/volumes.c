#include "volumes.h"

#include <stdlib.h>
#include <string.h>

#include "kind.h"

enum hv_code hv_volume_origin(struct hv_volumes *volumes, const struct hv_volume *volume,
	struct hv_volume *ret, struct hv_error *err)
{
	const char *from = hv_opts_get(&volume->opts, "from");
	enum hv_code code = from ? HV_OK : hv_fail(err, HV_INTERNAL, "no other volume is named");

	while (code == HV_OK && from) {
		char *name = strdup(from);

		hv_volume_done(ret);
		code = name ? hv_store_volume_get(volumes->store, name, ret, err) : hv_oom(err);
		free(name);
		from = code == HV_OK ? hv_opts_get(&ret->opts, "from") : NULL;
	}
	return code;
}

enum hv_code hv_volume_data_kind(struct hv_volumes *volumes, const struct hv_volume *volume,
	const struct hv_volume_kind **ret, struct hv_error *err)
{
	struct hv_volume origin = {0};
	enum hv_code code = HV_OK;

	if (hv_opts_get(&volume->opts, "from")) {
		code = hv_volume_origin(volumes, volume, &origin, err);
		volume = &origin;
	}
	if (code == HV_OK)
		code = hv_kind_check(volumes, volume, err);
	if (code == HV_OK)
		*ret = hv_kind_of(volumes, volume);
	hv_volume_done(&origin);
	return code;
}

enum hv_code hv_volume_check_aliases(
	struct hv_volumes *volumes, const char *name, const char *what, struct hv_error *err)
{
	char *alias = NULL;
	enum hv_code code = hv_store_volume_with_opt(volumes->store, "from", name, &alias, err);

	if (code == HV_OK && alias) {
		hv_fail(err, HV_VOLUME_IN_USE,
			"volume '%s' cannot %s while '%s' is another name for its data", name, what,
			alias);
		code = hv_hint(err, "docker volume rm %s", alias);
	}
	free(alias);
	return code;
}

enum hv_code hv_volume_find_unfinished(
	struct hv_volumes *volumes, const char *name, struct hv_volume *ret, struct hv_error *err)
{
	struct hv_volume *list = NULL;
	size_t count = 0;
	enum hv_code code = hv_store_volume_unfinished(volumes->store, &list, &count, err);

	*ret = (struct hv_volume){0};
	for (size_t i = 0; i < count && !ret->name; i++) {
		if (strcmp(list[i].name, name) != 0)
			continue;
		*ret = list[i];
		list[i] = (struct hv_volume){0};
	}
	hv_volumes_free(list, count);
	if (ret->name)
		code = hv_kind_check(volumes, ret, err);
	if (code != HV_OK)
		hv_volume_done(ret);
	return code;
}
