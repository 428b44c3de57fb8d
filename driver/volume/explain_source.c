/* SPDX-License-Identifier: Apache-2.0 */
#include "explain_source.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "mountcore/path.h"

const char *hv_explain_reason(const struct mc_err *cause)
{
	const char *text = strerrordesc_np(-cause->code);

	return text ? text : "unknown error";
}

/* Root is refused by servers only. */
static enum hv_code hint_at_server(struct hv_error *err)
{
	return hv_hint(err,
		"mount a FUSE file system with allow_other or allow_root; check whether an NFS server squashes root");
}

/* Whether the path that the volume was created with has symlinks in it. */
static bool led_elsewhere(const struct hv_names *names)
{
	char clean[PATH_MAX];

	return names->asked && mc_path_clean(names->asked, clean, sizeof(clean)) == 0 &&
	       !mc_path_is_below(names->source, clean);
}

enum hv_code hv_explain_source(
	struct hv_error *err, const struct mc_err *cause, const struct hv_names *names)
{
	switch (-cause->code) {
	case ENOENT:
		if (led_elsewhere(names)) {
			hv_fail(err, HV_SOURCE_MISSING,
				"the directory %s, where the path %s led when volume '%s' was created, is not there",
				names->source, names->asked, names->volume);
			return hv_hint(err,
				"create the directory again; or, to follow the symlinks in the path again, remove the volume and create it again: docker volume rm %s",
				names->volume);
		}
		hv_fail(err, HV_SOURCE_MISSING, "the directory %s of volume '%s' is not there",
			names->source, names->volume);
		return hv_hint(err, "create it again, or remove the volume: docker volume rm %s",
			names->volume);
	case ENOTDIR:
		hv_fail(err, HV_SOURCE_REFUSED,
			"%s, which volume '%s' stands for, is not a directory", names->source,
			names->volume);
		return hv_hint(err, "put the directory back, or create the volume again");
	case ELOOP:
		hv_fail(err, HV_SOURCE_REFUSED,
			"the path %s of volume '%s' has a symlink in it that was not there when the volume was created",
			names->source, names->volume);
		return hv_hint(err, "put the directory back, or create the volume again");
	case EINVAL:
	case EXDEV:
		hv_fail(err, HV_SOURCE_REFUSED,
			"the directory %s of volume '%s' is not in a directory that volumes may be in",
			names->source, names->volume);
		return hv_hint(err, "ask the administrator to add the directory to HOSTVOL_ALLOW");
	default:
		hv_fail(err, HV_SOURCE_REFUSED,
			"the directory %s of volume '%s' cannot be opened: %s", names->source,
			names->volume, hv_explain_reason(cause));
		return cause->code == -EACCES ? hint_at_server(err) : err->code;
	}
}

enum hv_code hv_explain_dead(
	struct hv_error *err, const struct mc_err *cause, const struct hv_names *names)
{
	hv_fail(err, HV_SOURCE_MISSING, "the directory %s of volume '%s' does not answer: %s",
		names->source, names->volume, hv_explain_reason(cause));
	return hv_hint(err,
		"restart its server, or unmount it and mount it again; find the mount: findmnt -T %s",
		names->source);
}

enum hv_code hv_explain_subpath(
	struct hv_error *err, const struct mc_err *cause, const struct hv_names *names)
{
	switch (-cause->code) {
	case ENOENT:
		hv_fail(err, HV_SOURCE_MISSING, "there is no such subpath in volume '%s': %s",
			names->volume, names->subpath);
		return hv_hint(err,
			"choose a path that exists in the volume's directory on the host: %s",
			names->source);
	case EXDEV:
	case ELOOP:
		return hv_fail(err, HV_SOURCE_REFUSED,
			"the subpath %s of volume '%s' goes through a symlink that leads out of it",
			names->subpath, names->volume);
	case EAGAIN:
		hv_fail(err, HV_TIMEOUT,
			"the subpath %s of volume '%s' cannot be followed: directories are being renamed all the time",
			names->subpath, names->volume);
		return hv_hint(
			err, "try again, or give the subpath without symlinks that have '..'");
	default:
		return hv_fail(err, HV_SOURCE_REFUSED,
			"the subpath %s of volume '%s' cannot be opened: %s", names->subpath,
			names->volume, hv_explain_reason(cause));
	}
}

enum hv_code hv_explain_clone(struct hv_error *err, const struct hv_names *names)
{
	hv_fail(err, HV_SOURCE_REFUSED,
		"the directory %s of volume '%s' is on a mount that cannot be cloned: it is unbindable, or has parts that are locked",
		names->source, names->volume);
	return hv_hint(err,
		"make the mount bindable with mount --make-private; find it: findmnt -o TARGET,PROPAGATION -T %s",
		names->source);
}

enum hv_code hv_explain_legacy(
	struct hv_error *err, const struct mc_err *cause, const struct hv_names *names)
{
	hv_fail(err, HV_UNSUPPORTED,
		cause->code == -ENODEV
			? "the block device that %s of volume '%s' is on has no device node, which this old kernel needs to attach it to container '%s'"
			: "on this old kernel %s of volume '%s' cannot be attached to container '%s'",
		names->source, names->volume, names->container);
	return hv_hint(err,
		"use Linux 5.2 or newer; or use a directory on a disk's file system with nothing mounted inside, and a container with neither a user namespace of its own nor CAP_SYS_ADMIN");
}

enum hv_code hv_explain_idmap(
	struct hv_error *err, const struct mc_err *cause, const struct hv_names *names)
{
	if (cause->code == -ENOSYS) {
		hv_fail(err, HV_UNSUPPORTED,
			"this kernel cannot map the owners of volume '%s' for the user namespace of container '%s'",
			names->volume, names->container);
		return hv_hint(err,
			"use Linux 5.12 or newer, or attach with --idmap never: files will show as owned by nobody");
	}
	if (cause->code != -EINVAL)
		return hv_fail(err, HV_UNSUPPORTED,
			"the owners of volume '%s' cannot be mapped for container '%s': %s",
			names->volume, names->container, hv_explain_reason(cause));
	hv_fail(err, HV_UNSUPPORTED,
		"the file system of %s, or of a mount in it, cannot map owners for the user namespace of container '%s'",
		names->source, names->container);
	return hv_hint(err, "attach with --idmap never: files will show as owned by nobody");
}
