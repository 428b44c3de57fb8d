/* SPDX-License-Identifier: Apache-2.0 */
#include "fs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mountcore/cleanup.h"
#include "volume/explain.h"

#include "address.h"
#include "fs_check.h"
#include "options.h"
#include "state_dir.h"
#include "volumes.h"

/* In the directory of the volume, while it takes the place of its _data. */
#define NEW_DIRECTORY "_data.new"

enum { RENEW_TRIES = 3 };

enum hv_code hv_fs_explain(
	const struct mc_err *cause, const struct hv_volume *volume, struct hv_error *err)
{
	const char *type = hv_opts_get(&volume->opts, "type");
	const char *device = hv_opts_get(&volume->opts, "device");
	const struct hv_error_subject names = {
		.volume = volume->name, .source = volume->source, .target = volume->source};

	if (cause->step == MC_STEP_HELPER && cause->code == -ETIMEDOUT) {
		hv_fail(err, HV_TIMEOUT,
			"the file system of volume '%s' (%s on %s) was not mounted in time, and was given up",
			volume->name, type, device);
		return hv_hint(err,
			"check its server or disk, or try again if its journal is long; see the host's kernel log: dmesg");
	}
	if (cause->step != MC_STEP_FS)
		return hv_error_from_mount(err, cause, &names);
	if (cause->code == -ENODEV)
		return hv_fail(err, HV_UNSUPPORTED,
			"the host's kernel has no file system '%s', which volume '%s' is of", type,
			volume->name);
	if (cause->code == -EBUSY) {
		hv_fail(err, HV_SOURCE_REFUSED,
			"the file system of volume '%s' (%s on %s) cannot be mounted: it is in use in another way, as read-only against writable",
			volume->name, type, device);
		return hv_hint(err,
			"use ro=true instead of ro in option o if another volume has the device writable; find its users: findmnt, or losetup -j for an image");
	}
	hv_fail(err, cause->code == -ENOENT ? HV_SOURCE_MISSING : HV_SOURCE_REFUSED,
		"the file system of volume '%s' (%s on %s) cannot be mounted: %s", volume->name,
		type, device, strerrordesc_np(-cause->code));
	return hv_hint(err,
		"see the host's kernel log (dmesg), and try the same mount on the host: mount -t %s -o OPTIONS %s /mnt",
		type, device);
}

/* Replace the mountpoint of a volume by a new directory.  A mount that is on it by now goes with
 * it, in every namespace but our own (there it is -EBUSY); a later mount finds no mountpoint.
 * Source: rename(2) of Linux 3.18 and later. */
static int renew_directory(struct hv_volumes *volumes, const struct hv_volume *volume)
{
	mc_auto_fd top = hv_state_dir(volumes, "volumes");
	mc_auto_fd own = MC_FD_NONE;
	int rc = 0;

	if (top < 0)
		return top;
	own = openat(top, volume->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (own < 0 || (mkdirat(own, NEW_DIRECTORY, 0755) < 0 && errno != EEXIST))
		return -errno;
	if (fchmodat(own, NEW_DIRECTORY, 0755, 0) < 0 ||
		renameat(own, NEW_DIRECTORY, own, "_data") < 0)
		rc = -errno;
	(void)unlinkat(own, NEW_DIRECTORY, AT_REMOVEDIR);
	return rc;
}

int hv_fs_take_out(
	struct hv_volumes *volumes, const struct hv_volume *volume, struct mc_err *ret_cause)
{
	return mc_host_unmount(volumes->core, hv_opts_get(&volume->opts, "type"),
		hv_opts_get(&volume->opts, "device"), volume->source, ret_cause);
}

/* The helper is past its deadline, but its mount(2) may still succeed in the kernel. */
static void give_up(struct hv_volumes *volumes, const struct hv_volume *volume)
{
	for (int i = 0; i < RENEW_TRIES && renew_directory(volumes, volume) == -EBUSY; i++)
		(void)!hv_fs_take_out(volumes, volume, NULL);
}

enum hv_code hv_fs_mount(
	struct hv_volumes *volumes, const struct hv_volume *volume, struct hv_error *err)
{
	struct hv_volume_options options = {0};
	struct mc_fs fs;
	char refused[MC_FS_OPTION_SIZE];
	struct mc_err cause = {0};

	if (hv_volume_read_options(&volume->opts, &options, err) != HV_OK ||
		hv_fs_check(volumes, volume->name, &options, err) != HV_OK)
		return err->code;
	if (mc_fs_read(options.type, options.device, options.o, &fs, refused) < 0)
		return hv_fail(err, HV_INTERNAL, "option o of volume '%s' cannot be read",
			volume->name); /* it was read at create */
	if (hv_fs_resolve(volume->name, &fs, err) != HV_OK)
		return err->code;
	if (mc_host_mount(volumes->core, &fs, volume->source, &cause) >= 0)
		return HV_OK;
	if (cause.step == MC_STEP_HELPER)
		give_up(volumes, volume);
	return hv_fs_explain(&cause, volume, err);
}

enum hv_code hv_fs_unmount(
	struct hv_volumes *volumes, const struct hv_volume *volume, struct hv_error *err)
{
	struct mc_err cause = {0};
	const struct hv_error_subject names = {
		.volume = volume->name, .source = volume->source, .target = volume->source};

	if (hv_fs_take_out(volumes, volume, &cause) == 0)
		return HV_OK;
	if (cause.step == MC_STEP_IDENTITY && cause.code == -ESTALE) {
		hv_fail(err, HV_BUSY,
			"the file system of volume '%s' cannot be unmounted: hostvol did not make the mount that is at %s",
			volume->name, volume->source);
		return hv_hint(err, "umount %s", volume->source);
	}
	if (cause.step != MC_STEP_HELPER || cause.code != -ETIMEDOUT)
		return hv_error_from_mount(err, &cause, &names);
	hv_fail(err, HV_TIMEOUT, "the file system of volume '%s' was not unmounted in time",
		volume->name);
	return hv_hint(
		err, "its data is still there; try again: docker volume rm %s", volume->name);
}
