/* SPDX-License-Identifier: Apache-2.0 */
#include "volumes.h"

#include <string.h>

#include "kind.h"

void hv_volume_list_done(struct hv_volume_list *list)
{
	hv_store_volumes_free(list->items, list->count);
}

void hv_volumes_listen(struct hv_volumes *volumes,
	void (*on_change)(void *context, const char *name), void *context)
{
	volumes->change_context = context;
	volumes->on_change = on_change;
}

void hv_volume_changed(const struct hv_volumes *volumes, const char *name)
{
	if (volumes->on_change)
		volumes->on_change(volumes->change_context, name);
}

enum hv_code hv_volume_find(
	struct hv_volumes *volumes, const char *name, struct hv_volume *ret, struct hv_error *err)
{
	enum hv_code code = hv_store_volume_get(volumes->store, name, ret, err);

	if (code != HV_OK || !hv_kind_of(volumes, ret)->is_hidden)
		return code;
	hv_volume_done(ret);
	return hv_fail(err, HV_NO_SUCH_VOLUME, "no such volume: %.255s", name);
}

enum hv_code hv_volume_get(
	struct hv_volumes *volumes, const char *name, struct hv_volume *ret, struct hv_error *err)
{
	return hv_volume_find(volumes, name, ret, err);
}

enum hv_code hv_volumes_list(
	struct hv_volumes *volumes, struct hv_volume_list *ret, struct hv_error *err)
{
	size_t used = 0;

	if (hv_store_volume_list(volumes->store, &ret->items, &ret->count, err) != HV_OK)
		return err->code;
	for (size_t i = 0; i < ret->count; i++) {
		if (hv_kind_of(volumes, &ret->items[i])->is_hidden)
			hv_volume_done(&ret->items[i]);
		else
			ret->items[used++] = ret->items[i];
	}
	ret->count = used;
	return HV_OK;
}

enum hv_code hv_volume_references(
	struct hv_volumes *volumes, const char *name, long long *ret, struct hv_error *err)
{
	return hv_store_ref_total(volumes->store, name, ret, err);
}

enum hv_code hv_volume_attachments(
	struct hv_volumes *volumes, const char *name, struct hv_records *ret, struct hv_error *err)
{
	const struct hv_record_filter filter = {.volume = name};

	return hv_store_attachment_list(volumes->store, &filter, ret, err);
}

enum hv_code hv_volume_step(struct hv_volumes *volumes, const struct hv_volume **at,
	struct hv_volume *kept, struct hv_error *err)
{
	const char *from = hv_opts_get(&(*at)->opts, "from");
	struct hv_volume next = {0};
	enum hv_code code;

	*at = NULL;
	if (!from)
		return HV_OK;
	code = hv_store_volume_get(volumes->store, from, &next, err);
	hv_volume_done(kept);
	*kept = next;
	*at = kept;
	return code;
}

enum hv_code hv_volume_origin(struct hv_volumes *volumes, const struct hv_volume *volume,
	struct hv_volume *ret, struct hv_error *err)
{
	if (!hv_opts_get(&volume->opts, "from"))
		return hv_fail(err, HV_INTERNAL, "no other volume is named");
	while (volume)
		if (hv_volume_step(volumes, &volume, ret, err) != HV_OK)
			return err->code;
	return HV_OK;
}

enum hv_code hv_volume_data_kind(struct hv_volumes *volumes, const struct hv_volume *volume,
	const struct hv_volume_kind **ret, struct hv_error *err)
{
	hv_auto_volume struct hv_volume origin = {0};

	if (hv_opts_get(&volume->opts, "from")) {
		if (hv_volume_origin(volumes, volume, &origin, err) != HV_OK)
			return err->code;
		volume = &origin;
	}
	if (hv_kind_check(volumes, volume, err) != HV_OK)
		return err->code;
	*ret = hv_kind_of(volumes, volume);
	return HV_OK;
}

enum hv_code hv_volume_check_aliases(
	struct hv_volumes *volumes, const char *name, const char *what, struct hv_error *err)
{
	hv_auto_free char *alias = NULL;
	enum hv_code code = hv_store_volume_with_opt(volumes->store, "from", name, &alias, err);

	if (code != HV_OK || !alias)
		return code;
	hv_fail(err, HV_VOLUME_IN_USE,
		"volume '%s' cannot %s while '%s' is another name for its data", name, what, alias);
	return hv_hint(err, "docker volume rm %s", alias);
}

enum hv_code hv_volume_find_unfinished(
	struct hv_volumes *volumes, const char *name, struct hv_volume *ret, struct hv_error *err)
{
	hv_auto_volume_list struct hv_volume_list list = {0};

	*ret = (struct hv_volume){0};
	if (hv_store_volume_unfinished(volumes->store, &list.items, &list.count, err) != HV_OK)
		return err->code;
	for (size_t i = 0; i < list.count; i++) {
		if (strcmp(list.items[i].name, name) != 0 ||
			hv_kind_of(volumes, &list.items[i])->is_hidden)
			continue;
		if (hv_kind_check(volumes, &list.items[i], err) != HV_OK)
			return err->code;
		*ret = list.items[i];
		list.items[i] = (struct hv_volume){0};
		break;
	}
	return HV_OK;
}
