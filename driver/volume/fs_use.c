/* SPDX-License-Identifier: Apache-2.0 */
/* File systems in hand: mounted on the host while somebody has them, and no longer. */
#include "fs_use.h"

#include <stdio.h>
#include <string.h>

#include "mountcore/host.h"
#include "store/store.h"

#include "directory.h"
#include "fs.h"
#include "volumes.h"

bool hv_fs_is_used(struct hv_volumes *volumes, const char *source)
{
	hv_auto_error struct hv_error ignored = {0};
	const struct hv_volume_ref *use;
	bool has_record = true;

	pthread_mutex_lock(&volumes->fs_locks.lock);
	for (use = volumes->uses; use && strcmp(use->source, source) != 0;)
		use = use->next;
	pthread_mutex_unlock(&volumes->fs_locks.lock);
	return use ||
	       hv_store_source_is_used(volumes->store, source, &has_record, &ignored) != HV_OK ||
	       has_record;
}

static enum hv_code mount_it(
	struct hv_volumes *volumes, const struct hv_volume *volume, struct hv_error *err)
{
	struct mc_err cause = {0};
	int rc = mc_host_is_mounted(volumes->core, volume->source, &cause);

	if (rc < 0)
		return hv_fs_explain(&cause, volume, err);
	if (rc > 0 && hv_fs_is_used(volumes, volume->source))
		return HV_OK; /* whatever has become of its device since */
	if (rc == 0 && hv_fs_mount(volumes, volume, err) != HV_OK)
		return err->code;
	/* A mount that nobody uses is of a daemon that came to no end: it may have no owner yet. */
	if (hv_volume_own(volumes, volume, err) == HV_OK)
		return HV_OK;
	(void)!hv_fs_take_out(volumes, volume, NULL);
	return err->code;
}

/* With the source held: unmount it if nobody has it.  In doubt it stays, until the next time. */
static void unmount_unused(struct hv_volumes *volumes, const struct hv_volume_ref *use)
{
	if (!hv_fs_is_used(volumes, use->source))
		(void)!mc_host_unmount(volumes->core, use->type, use->device, use->source, NULL);
}

static void name_fs(struct hv_volume_ref *use, const struct hv_volume *volume)
{
	snprintf(use->source, sizeof(use->source), "%s", volume->source);
	snprintf(use->type, sizeof(use->type), "%s", hv_opts_get(&volume->opts, "type"));
	snprintf(use->device, sizeof(use->device), "%s", hv_opts_get(&volume->opts, "device"));
}

enum hv_code hv_fs_acquire(struct hv_volumes *volumes, const struct hv_volume *volume,
	struct hv_volume_ref *ret, struct hv_error *err)
{
	name_fs(ret, volume);
	HV_HOLD(hold, &volumes->fs_locks, ret->source);
	if (mount_it(volumes, volume, err) != HV_OK) {
		unmount_unused(volumes, ret);
		return err->code;
	}
	pthread_mutex_lock(&volumes->fs_locks.lock);
	ret->volumes = volumes;
	ret->next = volumes->uses;
	volumes->uses = ret;
	pthread_mutex_unlock(&volumes->fs_locks.lock);
	return HV_OK;
}

void hv_fs_release(struct hv_volume_ref *use)
{
	struct hv_volumes *volumes = use->volumes;

	HV_HOLD(hold, &volumes->fs_locks, use->source);
	pthread_mutex_lock(&volumes->fs_locks.lock);
	for (struct hv_volume_ref **at = &volumes->uses; *at; at = &(*at)->next) {
		if (*at == use) {
			*at = use->next;
			break;
		}
	}
	pthread_mutex_unlock(&volumes->fs_locks.lock);
	unmount_unused(volumes, use);
}

void hv_fs_unused(struct hv_volumes *volumes, const struct hv_volume *volume)
{
	struct hv_volume_ref use = {.volumes = NULL};

	name_fs(&use, volume);
	HV_HOLD(hold, &volumes->fs_locks, use.source);
	unmount_unused(volumes, &use);
}
