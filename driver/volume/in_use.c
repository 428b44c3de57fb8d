/* Volumes in hand: a volume's directory is what the volume stands for while somebody has it. */
#include "volume/volume.h"

#include "fs_use.h"
#include "kind.h"
#include "managed_dir.h"
#include "options.h"
#include "volumes.h"

/* What option o with bind says of each mount of the volume. */
static enum hv_code read_attr(
	const struct hv_volume *volume, struct mc_attr *ret, struct hv_error *err)
{
	struct hv_volume_options options = {0};
	enum hv_code code = hv_volume_read_options(&volume->opts, &options, err);

	*ret = options.attr;
	return code;
}

enum hv_code hv_volume_use(struct hv_volumes *volumes, const struct hv_volume *volume,
	struct hv_use *ret, struct hv_error *err)
{
	struct hv_volume origin = {0};
	enum hv_code code = HV_OK;

	ret->attr = (struct mc_attr){0};
	if (hv_opts_get(&volume->opts, "from")) {
		code = hv_volume_origin(volumes, volume, &origin, err);
		volume = &origin;
	}
	if (code == HV_OK)
		hv_managed_settle(volumes, volume);
	if (code == HV_OK && hv_kind_of(volumes, volume)->mounted_while_used)
		code = hv_fs_use(volumes, volume, ret, err);
	else if (code == HV_OK && hv_opts_get(&volume->opts, "o"))
		code = read_attr(volume, &ret->attr, err);
	hv_volume_done(&origin);
	return code;
}

void hv_volume_unuse(struct hv_use *use)
{
	if (use->volumes)
		hv_fs_unuse(use);
}

void hv_volume_unused(struct hv_volumes *volumes, const char *name)
{
	struct hv_volume volume = {0}, origin = {0};
	const struct hv_volume *data = &volume;
	struct hv_error ignored = {0};
	enum hv_code code = hv_store_volume_get(volumes->store, name, &volume, &ignored);

	if (code == HV_OK && hv_opts_get(&volume.opts, "from")) {
		code = hv_volume_origin(volumes, &volume, &origin, &ignored);
		data = &origin;
	}
	if (code == HV_OK && hv_kind_of(volumes, data)->mounted_while_used)
		hv_fs_unused(volumes, data);
	hv_volume_done(&volume);
	hv_volume_done(&origin);
	hv_error_done(&ignored);
}
