/* File systems in hand: mounted on the host while somebody has them, and no longer. */
#include "fs_use.h"

#include <stdio.h>
#include <string.h>

#include "mountcore/host.h"

#include "directory.h"
#include "fs.h"

static bool is_in_hand(struct hv_volumes *volumes, const char *source)
{
	const struct hv_use *use;

	pthread_mutex_lock(&volumes->fs_locks.lock);
	for (use = volumes->uses; use && strcmp(use->source, source) != 0;)
		use = use->next;
	pthread_mutex_unlock(&volumes->fs_locks.lock);
	return use != NULL;
}

/* With the source held.  In doubt it is used. */
static bool is_used(struct hv_volumes *volumes, const char *source)
{
	struct hv_error ignored = {0};
	bool has_record = true;

	if (is_in_hand(volumes, source))
		return true;
	if (hv_store_source_is_used(volumes->store, source, &has_record, &ignored) != HV_OK)
		has_record = true;
	hv_error_done(&ignored);
	return has_record;
}

static enum hv_code mount_it(
	struct hv_volumes *volumes, const struct hv_volume *volume, struct hv_error *err)
{
	struct mc_err cause = {0};
	enum hv_code code = HV_OK;
	int rc = mc_host_is_mounted(volumes->core, volume->source, &cause);

	if (rc < 0)
		return hv_fs_explain(&cause, volume, err);
	if (rc == 0)
		code = hv_fs_mount(volumes, volume, err);
	else if (is_used(volumes, volume->source))
		return HV_OK; /* whatever has become of its device since */
	if (code != HV_OK)
		return code;
	/* A mount that nobody uses is of a daemon that came to no end: it may have no owner yet. */
	code = hv_volume_own(volumes, volume, err);
	if (code != HV_OK)
		(void)!hv_fs_take_out(volumes, volume, NULL);
	return code;
}

static void add_use(struct hv_volumes *volumes, struct hv_use *use)
{
	pthread_mutex_lock(&volumes->fs_locks.lock);
	use->volumes = volumes;
	use->next = volumes->uses;
	volumes->uses = use;
	pthread_mutex_unlock(&volumes->fs_locks.lock);
}

static void drop_use(struct hv_volumes *volumes, const struct hv_use *use)
{
	pthread_mutex_lock(&volumes->fs_locks.lock);
	for (struct hv_use **at = &volumes->uses; *at; at = &(*at)->next) {
		if (*at == use) {
			*at = use->next;
			break;
		}
	}
	pthread_mutex_unlock(&volumes->fs_locks.lock);
}

/* With the source held: unmount it if nobody has it.  In doubt it stays, until the next time. */
static void unmount_unused(struct hv_volumes *volumes, const struct hv_use *use)
{
	if (!is_used(volumes, use->source))
		(void)!mc_host_unmount(volumes->core, use->type, use->device, use->source, NULL);
}

static void name_fs(struct hv_use *use, const struct hv_volume *volume)
{
	snprintf(use->source, sizeof(use->source), "%s", volume->source);
	snprintf(use->type, sizeof(use->type), "%s", hv_opts_get(&volume->opts, "type"));
	snprintf(use->device, sizeof(use->device), "%s", hv_opts_get(&volume->opts, "device"));
}

enum hv_code hv_fs_use(struct hv_volumes *volumes, const struct hv_volume *volume,
	struct hv_use *ret, struct hv_error *err)
{
	enum hv_code code;

	name_fs(ret, volume);
	HV_HOLD(hold, &volumes->fs_locks, ret->source);
	code = mount_it(volumes, volume, err);
	if (code == HV_OK)
		add_use(volumes, ret);
	else
		unmount_unused(volumes, ret);
	return code;
}

void hv_fs_unuse(struct hv_use *use)
{
	struct hv_volumes *volumes = use->volumes;

	HV_HOLD(hold, &volumes->fs_locks, use->source);
	drop_use(volumes, use);
	unmount_unused(volumes, use);
}

void hv_fs_unused(struct hv_volumes *volumes, const struct hv_volume *volume)
{
	struct hv_use use = {.volumes = NULL};

	name_fs(&use, volume);
	HV_HOLD(hold, &volumes->fs_locks, use.source);
	unmount_unused(volumes, &use);
}
