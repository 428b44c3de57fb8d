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
static bool led_elsewhere(const struct hv_error_subject *names)
{
	char clean[PATH_MAX];

	return names->asked && mc_path_clean(names->asked, clean, sizeof(clean)) == 0 &&
	       !mc_path_is_below(names->source, clean);
}

enum hv_code hv_explain_source(
	struct hv_error *err, const struct mc_err *cause, const struct hv_error_subject *names)
{
	switch (-cause->code) {
	case ENOENT:
		if (names->volume[0] == '/') { /* no volume: a directory that is attached */
			hv_fail(err, HV_SOURCE_MISSING, "there is no directory %s on the host",
				names->source);
			return hv_hint(err, "create it again: mkdir -p %s", names->source);
		}
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
	struct hv_error *err, const struct mc_err *cause, const struct hv_error_subject *names)
{
	hv_fail(err, HV_SOURCE_MISSING, "the directory %s of volume '%s' does not answer: %s",
		names->source, names->volume, hv_explain_reason(cause));
	return hv_hint(err,
		"restart its server, or unmount it and mount it again; find the mount: findmnt -T %s",
		names->source);
}

enum hv_code hv_explain_subpath(
	struct hv_error *err, const struct mc_err *cause, const struct hv_error_subject *names)
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

enum hv_code hv_explain_clone(struct hv_error *err, const struct hv_error_subject *names)
{
	hv_fail(err, HV_SOURCE_REFUSED,
		"the directory %s of volume '%s' is on a mount that cannot be cloned: it is unbindable, or has parts that are locked",
		names->source, names->volume);
	return hv_hint(err,
		"make the mount bindable with mount --make-private; find it: findmnt -o TARGET,PROPAGATION -T %s",
		names->source);
}

enum hv_code hv_explain_legacy(
	struct hv_error *err, const struct mc_err *cause, const struct hv_error_subject *names)
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
	struct hv_error *err, const struct mc_err *cause, const struct hv_error_subject *names)
{
	if (cause->code == -ENOSYS) {
		hv_fail(err, HV_UNSUPPORTED,
			"this kernel cannot map the owners of volume '%s' for the user namespace of container '%s'",
			names->volume, names->container);
		return hv_hint(err,
			"use Linux 5.12 or newer, or attach with --idmap never: files will show as owned by nobody");
	}
	if (cause->code == -EPERM) {
		hv_fail(err, HV_UNSUPPORTED,
			"the owners of volume '%s' cannot be mapped for container '%s': the mount of %s, or a mount in it, maps owners already",
			names->volume, names->container, names->source);
		return hv_hint(err,
			"attach with --idmap never, or use Linux 6.15 or newer and a mount with no other in it; find them: findmnt -R -T %s",
			names->source);
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

enum hv_code hv_explain_as(
	struct hv_error *err, const struct mc_err *cause, const struct hv_error_subject *names)
{
	switch (-cause->code) {
	case ENOSYS:
		hv_fail(err, HV_UNSUPPORTED,
			"this kernel cannot show the owner of volume '%s' as %s", names->volume,
			names->as);
		return hv_hint(err, "use Linux 5.12 or newer, or leave out the other owner (as)");
	case EINVAL:
		hv_fail(err, HV_UNSUPPORTED,
			"the owner of volume '%s' cannot be shown as %s: the file system of %s (%s), or of a mount in it, cannot map owners on this kernel",
			names->volume, names->as, names->source, names->fstype);
		return hv_hint(err,
			"use a directory on ext4, XFS, Btrfs, (from Linux 6.3 on) tmpfs or (from 7.3 on) overlay, or leave out the other owner (as)");
	case EPERM:
		hv_fail(err, HV_UNSUPPORTED,
			"the owner of volume '%s' cannot be shown as %s: the mount of %s (%s), or a mount in it, maps owners already",
			names->volume, names->as, names->source, names->fstype);
		return hv_hint(err,
			"mount it without a map of its own (X-mount.idmap), on Linux 6.15 or newer without another mount in it, or leave out the other owner (as); find it: findmnt -R -T %s",
			names->source);
	default:
		return hv_fail(err, HV_UNSUPPORTED,
			"the owner of volume '%s' cannot be shown as %s: %s", names->volume,
			names->as, hv_explain_reason(cause));
	}
}

enum hv_code hv_explain_userns(
	struct hv_error *err, const struct mc_err *cause, const struct hv_error_subject *names)
{
	switch (-cause->code) {
	case ERANGE:
		hv_fail(err, HV_BAD_REQUEST,
			"the owner of volume '%s' cannot be shown as %s: the container's user namespace has no such user or group",
			names->volume, names->as);
		return hv_hint(err,
			"choose IDs that are in the container's /proc/self/uid_map and gid_map");
	case ENOSPC:
	case EUSERS:
		hv_fail(err, HV_UNSUPPORTED,
			"the owner of volume '%s' cannot be shown as %s: the kernel allows no further user namespace",
			names->volume, names->as);
		return hv_hint(err, "raise the limit: sysctl -w user.max_user_namespaces=NUMBER");
	case EPERM:
		hv_fail(err, HV_UNSUPPORTED,
			"the owner of volume '%s' cannot be shown as %s: hostvol may not make a user namespace",
			names->volume, names->as);
		return hv_hint(err,
			"give it CAP_SETUID, CAP_SETGID and CAP_SETFCAP, or see which security module refuses: dmesg");
	default:
		return hv_fail(err, HV_UNSUPPORTED,
			"the owner of volume '%s' cannot be shown as %s: no user namespace can be made: %s",
			names->volume, names->as, hv_explain_reason(cause));
	}
}

enum hv_code hv_explain_propagation(
	struct hv_error *err, const struct mc_err *cause, const struct hv_error_subject *names)
{
	const char *slash = *names->subpath ? "/" : "";

	switch (-cause->code) {
	case EINVAL:
		hv_fail(err, HV_SOURCE_REFUSED,
			"volume '%s' cannot be attached at %s in container '%s' with propagation slave: %s%s%s is on a private mount of the host, from which nothing propagates",
			names->volume, names->target, names->container, names->source, slash,
			names->subpath);
		return hv_hint(err,
			"leave out --propagation slave, or make that mount shared with mount --make-shared; find it: findmnt -o TARGET,PROPAGATION -T %s%s%s",
			names->source, slash, names->subpath);
	case ENOENT:
		hv_fail(err, HV_SOURCE_MISSING,
			"volume '%s' cannot be attached at %s in container '%s': the mount of %s%s%s was unmounted just now",
			names->volume, names->target, names->container, names->source, slash,
			names->subpath);
		return hv_hint(err, "nothing was changed; try again");
	case ENOSYS:
		hv_fail(err, HV_UNSUPPORTED,
			"this kernel cannot attach volume '%s' at %s in container '%s' with propagation slave",
			names->volume, names->target, names->container);
		return hv_hint(err, "use Linux 5.2 or newer, or leave out --propagation slave");
	default:
		return hv_fail(err, HV_INTERNAL,
			"volume '%s' cannot be attached at %s in container '%s': the propagation of %s%s%s cannot be found out: %s",
			names->volume, names->target, names->container, names->source, slash,
			names->subpath, hv_explain_reason(cause));
	}
}
