/* SPDX-License-Identifier: Apache-2.0 */
/* The one place where steps and errnos of mountcore become codes and sentences, with
 * explain_source.c. */
#include "volume/explain.h"

#include <errno.h>

#include "explain_source.h"

static enum hv_code explain_replace(
	struct hv_error *err, const struct mc_err *cause, const struct hv_error_subject *names)
{
	if (cause->code == -ENOSYS) {
		hv_fail(err, HV_UNSUPPORTED,
			"the mount at %s in container '%s' cannot be replaced or covered on this kernel",
			names->target, names->container);
		return hv_hint(err, "choose another path, or detach the volume that is there");
	}
	if (cause->code == -ENOENT || cause->code == -ESTALE) {
		hv_fail(err, HV_CONTAINER_CHANGED,
			"the mount at %s in container '%s' was removed meanwhile", names->target,
			names->container);
		return hv_hint(err, "try again");
	}
	if (cause->code != -EOPNOTSUPP)
		return hv_fail(err, HV_INTERNAL,
			"the mount at %s in container '%s' cannot be replaced: %s", names->target,
			names->container, hv_explain_reason(cause));
	hv_fail(err, HV_UNSUPPORTED,
		"the mount at %s in container '%s' cannot be replaced atomically by this kernel",
		names->target, names->container);
	return hv_hint(err,
		"use Linux 6.5 or newer, or allow a moment without a mount there: attach with --replace=nonatomic");
}

static enum hv_code explain_target(
	struct hv_error *err, const struct mc_err *cause, const struct hv_error_subject *names)
{
	switch (-cause->code) {
	case ENOENT:
		hv_fail(err, HV_TARGET_MISSING, "there is no directory %s in container '%s'",
			names->target, names->container);
		return hv_hint(err, "leave out --no-mkdir to create it");
	case ENAMETOOLONG:
		return hv_fail(err, HV_BAD_REQUEST,
			"the path %s in container '%s', or a name in it, is too long",
			names->target, names->container);
	case ENOTDIR:
		return hv_fail(err, HV_TYPE_MISMATCH,
			"a part of the path %s in container '%s' is a file, not a directory",
			names->target, names->container);
	case ELOOP:
		return hv_fail(err, HV_TARGET_REFUSED,
			"the path %s in container '%s' goes through a link that leads nowhere or out of the container",
			names->target, names->container);
	case ESTALE:
		hv_fail(err, HV_CONTAINER_CHANGED,
			"the directory %s in container '%s' was moved or removed meanwhile",
			names->target, names->container);
		return hv_hint(err, "nothing was changed; try again");
	default:
		return hv_fail(err, HV_INTERNAL,
			"the path %s in container '%s' cannot be reached: %s", names->target,
			names->container, hv_explain_reason(cause));
	}
}

static enum hv_code explain_mkdir(
	struct hv_error *err, const struct mc_err *cause, const struct hv_error_subject *names)
{
	if (cause->code == -EROFS) {
		hv_fail(err, HV_TARGET_MISSING,
			"there is no directory %s in container '%s', and its file system is read-only",
			names->target, names->container);
		return hv_hint(err, "choose a directory that exists in the container");
	}
	if (cause->code == -E2BIG) {
		hv_fail(err, HV_TARGET_REFUSED,
			"too many directories of the path %s are missing in container '%s'",
			names->target, names->container);
		return hv_hint(err, "create some of them in the container first");
	}
	if (cause->code == -ENOSPC || cause->code == -EDQUOT || cause->code == -EPERM ||
		cause->code == -EACCES) {
		hv_fail(err, HV_TARGET_MISSING,
			"there is no directory %s in container '%s', and it cannot be made: %s",
			names->target, names->container, hv_explain_reason(cause));
		return hv_hint(err, "choose a directory that exists in the container");
	}
	if (cause->code == -ESTALE || cause->code == -EEXIST || cause->code == -ENOENT ||
		cause->code == -EXDEV || cause->code == -ELOOP)
		return hv_fail(err, HV_CONTAINER_CHANGED,
			"container '%s' changed the path %s while its directories were being made",
			names->container, names->target);
	return hv_fail(err, HV_INTERNAL, "the directory %s cannot be made in container '%s': %s",
		names->target, names->container, hv_explain_reason(cause));
}

static enum hv_code explain_move(
	struct hv_error *err, const struct mc_err *cause, const struct hv_error_subject *names)
{
	switch (-cause->code) {
	case ENOSPC:
		hv_fail(err, HV_UNSUPPORTED,
			"volume '%s' cannot be mounted at %s: container '%s' would have more mounts than the kernel allows",
			names->volume, names->target, names->container);
		return hv_hint(err, "raise the limit: sysctl -w fs.mount-max=NUMBER");
	case ELOOP:
		hv_fail(err, HV_SOURCE_REFUSED,
			"the directory %s of volume '%s' has a mount namespace's file mounted in it, one not newer than that of container '%s'",
			names->source, names->volume, names->container);
		return hv_hint(err,
			"unmount the file, or attach a subpath without it; find it: findmnt -R -t nsfs %s",
			names->source);
	case ENOENT:
		return hv_fail(err, HV_CONTAINER_CHANGED,
			"the directory %s in container '%s' was removed meanwhile", names->target,
			names->container);
	default:
		return hv_fail(err, HV_INTERNAL,
			"volume '%s' cannot be mounted at %s in container '%s': %s", names->volume,
			names->target, names->container, hv_explain_reason(cause));
	}
}

static enum hv_code explain_umount(
	struct hv_error *err, const struct mc_err *cause, const struct hv_error_subject *names)
{
	if (cause->code == -EINVAL || cause->code == -ENOENT) {
		hv_fail(err, HV_CONTAINER_CHANGED,
			"container '%s' changed what is mounted at %s while volume '%s' was being unmounted",
			names->container, names->target, names->volume);
		return hv_hint(err, "try again");
	}
	if (cause->code != -EBUSY)
		return hv_fail(err, HV_INTERNAL, "%s in container '%s' cannot be unmounted: %s",
			names->target, names->container, hv_explain_reason(cause));
	hv_fail(err, HV_BUSY, "volume '%s' is in use at %s in container '%s'", names->volume,
		names->target, names->container);
	return hv_hint(err,
		"end its uses (an open file, a working directory, a mount below it), or detach with --lazy");
}

static enum hv_code explain_identity(
	struct hv_error *err, const struct mc_err *cause, const struct hv_error_subject *names)
{
	if (cause->code == -ESTALE) {
		hv_fail(err, HV_BUSY,
			"something else was mounted over volume '%s' at %s in container '%s'",
			names->volume, names->target, names->container);
		return hv_hint(err, "unmount that first, in the container");
	}
	return hv_fail(err, HV_CONTAINER_CHANGED,
		"the path %s in container '%s' cannot be reached: %s", names->target,
		names->container, hv_explain_reason(cause));
}

static enum hv_code explain_setup(
	struct hv_error *err, const struct mc_err *cause, const struct hv_error_subject *names)
{
	if (mc_err_is_unsupported(cause->code)) {
		hv_fail(err, HV_UNSUPPORTED,
			"volume '%s' cannot be mounted at %s in container '%s': this kernel, or a seccomp filter around hostvol, lacks a system call that is needed",
			names->volume, names->target, names->container);
		return hv_hint(err,
			"use Linux 5.2 or newer, or set HOSTVOL_LEGACY=1; see which call is missing: docker hostvol version");
	}
	return hv_fail(err, HV_INTERNAL, "%s for volume '%s' failed: %s", mc_step_name(cause->step),
		names->volume, hv_explain_reason(cause));
}

static enum hv_code explain_process(
	struct hv_error *err, const struct mc_err *cause, const struct hv_error_subject *names)
{
	if (cause->code == -ESRCH || cause->code == -ENOENT || cause->code == -EINVAL) {
		hv_fail(err, HV_NOT_RUNNING, "container '%s' ended meanwhile", names->container);
		return hv_hint(err, "nothing was changed; start it first: docker start %s",
			names->container);
	}
	if (cause->code == -EXDEV)
		return hv_fail(err, HV_TARGET_REFUSED,
			"container '%s' has no mount namespace of its own", names->container);
	hv_fail(err, HV_DENIED, "the mount namespace of container '%s' cannot be opened: %s",
		names->container, hv_explain_reason(cause));
	return hv_hint(err,
		"give hostvol CAP_SYS_ADMIN and CAP_SYS_PTRACE; check for an AppArmor or SELinux denial: dmesg");
}

static enum hv_code explain_check(
	struct hv_error *err, const struct mc_err *cause, const struct hv_error_subject *names)
{
	switch ((unsigned)cause->step) {
	case MC_STEP_REFUSED:
		/* As a text it was looked at before. */
		hv_fail(err, HV_TARGET_REFUSED,
			"nothing may be mounted at %s in container '%s': it leads to /, /proc, /sys or /dev",
			names->target, names->container);
		return hv_hint(err, "choose a path other than / and outside /proc, /sys and /dev");
	case MC_STEP_TYPE:
		if (cause->code == -EISDIR) {
			hv_fail(err, HV_TYPE_MISMATCH,
				"%s in container '%s' is a directory, and a file cannot be mounted on it",
				names->target, names->container);
			return hv_hint(err, "add the file's name to the target");
		}
		hv_fail(err, HV_TYPE_MISMATCH, "%s in container '%s' is not a directory",
			names->target, names->container);
		return hv_hint(
			err, "to mount over a file, name a file of the volume with --subpath");
	case MC_STEP_OCCUPIED:
		hv_fail(err, HV_TARGET_EXISTS,
			"something is mounted at %s in container '%s' already", names->target,
			names->container);
		return hv_hint(err,
			"choose another path, or attach with --replace: the mount there stays covered until the volume is detached");
	default:
		hv_fail(err, HV_TARGET_REFUSED,
			"%s in container '%s' lies on a shared mount: a mount there would spread to the host or to other containers",
			names->target, names->container);
		return hv_hint(err, "choose a path on the container's own file system");
	}
}

static enum hv_code explain_helper(
	struct hv_error *err, const struct mc_err *cause, const struct hv_error_subject *names)
{
	switch (-cause->code) {
	case ETIMEDOUT:
		hv_fail(err, HV_TIMEOUT,
			"a file system on the way to %s (volume '%s') or to %s in container '%s' does not answer",
			names->source, names->volume, names->target, names->container);
		return hv_hint(err, "nothing was changed; check that its server is running");
	case EALREADY: /* Not tried: the kernel holds earlier tries until the server answers. */
		hv_fail(err, HV_TIMEOUT,
			"a file system on the way to %s (volume '%s') or to %s in container '%s' does not answer; earlier tries still wait for it",
			names->source, names->volume, names->target, names->container);
		return hv_hint(err,
			"nothing was changed; start its server again, or unmount it with umount -f");
	case EUSERS:
		hv_fail(err, HV_TIMEOUT,
			"too many file systems of this host do not answer: no more processes are started that could wait for one, for volume '%s' neither",
			names->volume);
		return hv_hint(err, "start their servers again, or unmount them with umount -f");
	default:
		return explain_setup(err, cause, names);
	}
}

static enum hv_code explain(
	struct hv_error *err, const struct mc_err *cause, const struct hv_error_subject *names)
{
	switch (cause->step) {
	case MC_STEP_SOURCE:
		return mc_err_is_dead(cause->code) ? hv_explain_dead(err, cause, names)
						   : hv_explain_source(err, cause, names);
	case MC_STEP_SUBPATH:
		return mc_err_is_dead(cause->code) ? hv_explain_dead(err, cause, names)
						   : hv_explain_subpath(err, cause, names);
	case MC_STEP_IDMAP:
		return *names->as ? hv_explain_as(err, cause, names)
				  : hv_explain_idmap(err, cause, names);
	case MC_STEP_USERNS:
		return hv_explain_userns(err, cause, names);
	case MC_STEP_PROPAGATION:
		return hv_explain_propagation(err, cause, names);
	case MC_STEP_REPLACE:
		return explain_replace(err, cause, names);
	case MC_STEP_PROCESS:
	case MC_STEP_ENTER:
		return explain_process(err, cause, names);
	case MC_STEP_TARGET:
		return explain_target(err, cause, names);
	case MC_STEP_REFUSED:
	case MC_STEP_TYPE:
	case MC_STEP_OCCUPIED:
	case MC_STEP_SHARED:
		return explain_check(err, cause, names);
	case MC_STEP_MKDIR:
		return explain_mkdir(err, cause, names);
	case MC_STEP_MOVE:
		return explain_move(err, cause, names);
	case MC_STEP_VERIFY:
		hv_fail(err, HV_CONTAINER_CHANGED,
			"container '%s' moved the directory %s while it was being mounted on",
			names->container, names->target);
		return hv_hint(err, "nothing was changed; try again");
	case MC_STEP_IDENTITY:
		return explain_identity(err, cause, names);
	case MC_STEP_UMOUNT:
		return explain_umount(err, cause, names);
	case MC_STEP_HELPER:
		return explain_helper(err, cause, names);
	case MC_STEP_CLONE:
		if (cause->code == -EOPNOTSUPP || cause->code == -ENODEV)
			return hv_explain_legacy(err, cause, names);
		if (cause->code == -EINVAL)
			return hv_explain_clone(err, names);
		break;
	case MC_STEP_LOCK:
	case MC_STEP_OWNER: /* the callers of these have the words */
	case MC_STEP_FS:
	case MC_STEP_QUOTA:
	case MC_STEP_SETUP:
	case MC_STEP_NONE:
	case MC_STEP_COUNT:
		break;
	}
	return explain_setup(err, cause, names);
}

/* Failures without a container: a mount for Docker, or a path on the host. */
static enum hv_code explain_here(
	struct hv_error *err, const struct mc_err *cause, const struct hv_error_subject *names)
{
	switch ((unsigned)cause->step) {
	case MC_STEP_HELPER:
		if (cause->code != -ETIMEDOUT)
			break;
		hv_fail(err, HV_TIMEOUT,
			"a file system on the way to %s (volume '%s') does not answer",
			names->source, names->volume);
		return hv_hint(err, "nothing was changed; check that its server is running");
	case MC_STEP_SOURCE:
	case MC_STEP_SUBPATH:
	case MC_STEP_USERNS:
		return explain(err, cause, names);
	case MC_STEP_IDMAP:
		return hv_explain_as(err, cause, names);
	case MC_STEP_CLONE:
		if (cause->code == -EINVAL)
			return hv_explain_clone(err, names);
		break;
	case MC_STEP_MOVE:
		if (cause->code != -ENOSPC)
			break;
		hv_fail(err, HV_UNSUPPORTED,
			"volume '%s' cannot be mounted at %s: there would be more mounts than the kernel allows",
			names->volume, names->target);
		return hv_hint(err, "raise the limit: sysctl -w fs.mount-max=NUMBER");
	case MC_STEP_UMOUNT:
	case MC_STEP_IDENTITY:
		return hv_fail(err, HV_INTERNAL, "volume '%s' cannot be unmounted from %s: %s",
			names->volume, names->target, hv_explain_reason(cause));
	default:
		break;
	}
	if ((cause->step == MC_STEP_SETUP || cause->step == MC_STEP_CLONE) &&
		mc_err_is_unsupported(cause->code)) {
		hv_fail(err, HV_UNSUPPORTED,
			"volume '%s' cannot be mounted at %s: this kernel, or a seccomp filter around hostvol, lacks a system call that is needed",
			names->volume, names->target);
		return hv_hint(err, "see which call is missing: docker hostvol version");
	}
	return hv_fail(err, HV_INTERNAL, "volume '%s' cannot be mounted at %s: %s (%s)",
		names->volume, names->target, hv_explain_reason(cause), mc_step_name(cause->step));
}

static const char *known(const char *name)
{
	return name ? name : "?";
}

enum hv_code hv_error_from_mount(
	struct hv_error *err, const struct mc_err *cause, const struct hv_error_subject *names)
{
	const struct hv_error_subject all = {known(names->volume), known(names->source),
		known(names->container), known(names->target), known(names->subpath), names->asked,
		names->as ? names->as : "", known(names->fstype)};

	return names->container ? explain(err, cause, &all) : explain_here(err, cause, &all);
}
