/* SPDX-License-Identifier: Apache-2.0 */
#include "mountcore/err.h"

#include <errno.h>
#include <stddef.h>

static const char *const step_names[MC_STEP_COUNT] = {
	[MC_STEP_NONE] = "nothing",
	[MC_STEP_SETUP] = "setting up",
	[MC_STEP_SOURCE] = "opening the source",
	[MC_STEP_SUBPATH] = "opening the path inside the source",
	[MC_STEP_IDMAP] = "mapping the owners of the source's files",
	[MC_STEP_LOCK] = "locking the mount's attributes",
	[MC_STEP_REPLACE] = "replacing the mount at the target",
	[MC_STEP_CLONE] = "cloning the source's mount tree",
	[MC_STEP_PROCESS] = "opening the container's process",
	[MC_STEP_ENTER] = "entering the mount namespace",
	[MC_STEP_TARGET] = "resolving the target",
	[MC_STEP_REFUSED] = "checking the target's place",
	[MC_STEP_TYPE] = "comparing the types of source and target",
	[MC_STEP_OCCUPIED] = "checking that the target is free",
	[MC_STEP_SHARED] = "checking the propagation of the parent mount",
	[MC_STEP_MKDIR] = "making the mountpoint",
	[MC_STEP_OWNER] = "setting the owner and mode of the directory",
	[MC_STEP_QUOTA] = "limiting the size of the directory",
	[MC_STEP_FS] = "mounting the file system on the host",
	[MC_STEP_MOVE] = "moving the mount to the target",
	[MC_STEP_VERIFY] = "verifying the mount",
	[MC_STEP_IDENTITY] = "checking that the mount is ours",
	[MC_STEP_UMOUNT] = "unmounting",
	[MC_STEP_HELPER] = "waiting for the helper process",
	[MC_STEP_USERNS] = "making a user namespace for the owners of the source's files",
	[MC_STEP_PROPAGATION] = "checking the propagation of the source's mount",
};

int mc_err_set(struct mc_err *err, enum mc_step step, int code)
{
	if (code && err && !err->code)
		*err = (struct mc_err){.code = code, .step = step};
	return code;
}

const char *mc_step_name(enum mc_step step)
{
	return (unsigned)step < MC_STEP_COUNT ? step_names[step] : step_names[MC_STEP_NONE];
}

bool mc_err_is_unsupported(int code)
{
	return code == -ENOSYS || code == -EPERM || code == -EOPNOTSUPP;
}

bool mc_err_is_dead(int code)
{
	static const int codes[] = {ENOTCONN, ESTALE, EIO, EHOSTDOWN, EHOSTUNREACH, ENETDOWN,
		ENETUNREACH, ECONNABORTED, ECONNREFUSED, ECONNRESET, ESHUTDOWN, EREMOTEIO};

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (code == -codes[i])
			return true;
	return false;
}
