#include "mountcore/ns.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "mountcore/cleanup.h"

#include "core.h"
#include "sys.h"

static int open_mount_ns(const struct mc_core *core, pid_t pid)
{
	char name[32];
	int fd;

	snprintf(name, sizeof(name), "%d/ns/mnt", pid);
	fd = mc_sys_openat(core->proc, name, O_RDONLY);
	return fd == -ENOENT ? -ESRCH : fd;
}

int mc_ns_open(const struct mc_core *core, pid_t pid, struct mc_ns *ret, struct mc_err *err)
{
	mc_auto_fd pidfd = mc_sys_pidfd_open(pid);
	mc_auto_fd ns_fd = MC_FD_NONE;
	struct stat stat;
	int rc;

	if (pidfd < 0)
		return mc_err_set(err, MC_STEP_PROCESS, pidfd == -EINVAL ? -ESRCH : pidfd);
	ns_fd = open_mount_ns(core, pid);
	if (ns_fd < 0)
		return mc_err_set(err, MC_STEP_PROCESS, ns_fd);
	rc = mc_sys_pidfd_send_signal(pidfd, 0);
	if (rc < 0)
		return mc_err_set(err, MC_STEP_PROCESS, rc);
	if (fstat(ns_fd, &stat) < 0)
		return mc_err_set(err, MC_STEP_PROCESS, -errno);
	if (stat.st_ino == core->home_ino || stat.st_ino == core->host_ino)
		return mc_err_set(err, MC_STEP_PROCESS, -EXDEV);
	*ret = (struct mc_ns){.ino = stat.st_ino};
	ret->pidfd = mc_take_fd(&pidfd);
	ret->ns_fd = mc_take_fd(&ns_fd);
	return 0;
}

bool mc_ns_is_alive(const struct mc_ns *ns)
{
	/* Readable once it has ended; a signal still reaches a process that was not reaped. */
	return ns->pidfd >= 0 && mc_sys_poll_in(ns->pidfd, 0) == 0;
}

void mc_ns_close(struct mc_ns *ns)
{
	mc_close_fd(&ns->ns_fd);
	mc_close_fd(&ns->pidfd);
}
