/* SPDX-License-Identifier: Apache-2.0 */
/* A user namespace that no process is in.
 *
 * Sequence: clone(CLONE_NEWUSER); the child sleeps; write /proc/CHILD/uid_map and gid_map; open
 * /proc/CHILD/ns/user; kill the child, wait for its end.  The descriptor keeps the namespace, and
 * then the mount that is given it (mount_setattr(2)).
 *
 * A map of more than one line is for a process outside that has CAP_SETUID and CAP_SETGID there;
 * since 5.12, if it maps ID 0 of the parent namespace, CAP_SETFCAP too (verify_root_map() in
 * kernel/user_namespace.c; user_namespaces(7)).  All three are in Docker's default set. */
#include "userns.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mountcore/cleanup.h"

#include "core.h"
#include "helper.h"
#include "idmap.h"
#include "procfs.h"
#include "sys.h"

/* Ends with the thread that made it, if that does not end it before.  All signals are blocked. */
static void sleep_in_child(pid_t parent) __attribute__((noreturn));

static void sleep_in_child(pid_t parent)
{
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (getppid() != parent)
		_exit(1); /* it ended before it was said */
	for (;;)
		pause();
}

static int write_map(
	const struct mc_core *core, pid_t pid, const char *name, const struct mc_idmap *map)
{
	char text[MC_IDMAP_TEXT_SIZE];
	int size = mc_idmap_format(map, text);
	mc_sys_auto_fd fd = size < 0 ? size : mc_procfs_open_of(core, pid, name, O_WRONLY);
	ssize_t written;

	if (fd < 0)
		return fd;
	written = mc_sys_write(fd, text, (size_t)size);
	return written < 0 ? (int)written : 0;
}

int mc_userns_make(
	const struct mc_core *core, const struct mc_idmap *users, const struct mc_idmap *groups)
{
	const pid_t parent = getpid();
	sigset_t before;
	int pid, rc, fd = MC_FD_NONE;

	mc_helper_block_signals(&before);
	pid = mc_sys_fork_userns();
	if (pid == 0)
		sleep_in_child(parent);
	rc = pid < 0 ? pid : write_map(core, pid, "uid_map", users);
	if (rc == 0)
		rc = write_map(core, pid, "gid_map", groups);
	if (rc == 0)
		rc = fd = mc_procfs_open_of(core, pid, "ns/user", O_RDONLY);
	if (pid > 0) {
		(void)kill(pid, SIGKILL); /* our own child: it can be killed */
		(void)waitpid(pid, NULL, 0);
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return rc < 0 ? rc : fd;
}
