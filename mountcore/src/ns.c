/* SPDX-License-Identifier: Apache-2.0 */
#include "mountcore/ns.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>

#include "mountcore/cleanup.h"

#include "core.h"
#include "procfs.h"
#include "sys.h"

static int inode_of(int fd, uint64_t *ret)
{
	struct stat stat;

	if (fstat(fd, &stat) < 0)
		return -errno;
	*ret = stat.st_ino;
	return 0;
}

/* A file of the process's directory in procfs; NULL with the error in `ret_rc`. */
static FILE *open_text(const struct mc_core *core, pid_t pid, const char *file, int *ret_rc)
{
	return mc_procfs_stream(mc_procfs_open_of(core, pid, file, O_RDONLY), ret_rc);
}

/* The outer ID of ID 0 in the process's user namespace, by `map` ("uid_map", "gid_map"). */
static int read_root_id(const struct mc_core *core, pid_t pid, const char *map, uint32_t *ret)
{
	unsigned inside, outside, count;
	int rc;
	mc_auto_file stream = open_text(core, pid, map, &rc);

	if (!stream)
		return rc;
	/* NOLINTNEXTLINE(cert-err34-c): the kernel's own numbers */
	while (fscanf(stream, "%u %u %u", &inside, &outside, &count) == 3) {
		if (inside != 0)
			continue;
		*ret = outside;
		return 0;
	}
	return -EINVAL;
}

int mc_ns_has_user(const struct mc_core *core, pid_t pid, uint32_t uid)
{
	unsigned inside, outside, count;
	int rc;
	mc_auto_file stream = open_text(core, pid, "uid_map", &rc);

	if (!stream)
		return rc;
	/* NOLINTNEXTLINE(cert-err34-c): the kernel's own numbers */
	while (fscanf(stream, "%u %u %u", &inside, &outside, &count) == 3)
		if (uid >= outside && uid - outside < count)
			return 1;
	return 0;
}

static int open_userns(const struct mc_core *core, pid_t pid, struct mc_ns *ns)
{
	uint64_t ino = 0;
	int rc;

	ns->userns_fd = mc_procfs_open_of(core, pid, "ns/user", O_RDONLY);
	if (ns->userns_fd < 0)
		return ns->userns_fd;
	rc = inode_of(ns->userns_fd, &ino);
	if (rc == 0 && ino == core->user_ino) {
		mc_close_fd(&ns->userns_fd);
		return 0;
	}
	if (rc == 0)
		rc = read_root_id(core, pid, "uid_map", &ns->uid);
	if (rc == 0)
		rc = read_root_id(core, pid, "gid_map", &ns->gid);
	return rc;
}

/* Whether CAP_SYS_ADMIN is in the bounding set, the limit for the container's first process and its
 * children. */
static int read_may_mount(const struct mc_core *core, pid_t pid, bool *ret)
{
	char line[256];
	unsigned long long bounding;
	int rc;
	mc_auto_file stream = open_text(core, pid, "status", &rc);

	if (!stream)
		return rc;
	*ret = true; /* the safe way */
	while (fgets(line, sizeof(line), stream)) {
		/* NOLINTNEXTLINE(cert-err34-c): the kernel's own number */
		if (sscanf(line, "CapBnd: %llx", &bounding) == 1)
			*ret = bounding >> CAP_SYS_ADMIN & 1;
	}
	return 0;
}

/* A directory of procfs stays that process's too, when its number is another's. */
static int open_process(const struct mc_core *core, pid_t pid)
{
	int fd = mc_sys_pidfd_open(pid);

	if (mc_err_is_unsupported(fd))
		fd = mc_procfs_open_of(core, pid, "", O_RDONLY | O_DIRECTORY);
	return fd == -EINVAL || fd == -ENOENT ? -ESRCH : fd;
}

/* Of a directory of procfs: a process that ended has no namespaces, also before it is reaped. */
static bool has_namespaces(int process)
{
	char text[32];

	return mc_sys_readlinkat(process, "ns/mnt", text, sizeof(text)) > 0;
}

static int open_all(const struct mc_core *core, pid_t pid, struct mc_ns *ns)
{
	int rc;

	ns->pidfd = open_process(core, pid);
	if (ns->pidfd < 0)
		return ns->pidfd;
	ns->ns_fd = mc_procfs_open_of(core, pid, "ns/mnt", O_RDONLY);
	if (ns->ns_fd < 0)
		return ns->ns_fd;
	rc = open_userns(core, pid, ns);
	if (rc == 0)
		rc = read_may_mount(core, pid, &ns->may_mount);
	if (rc == 0)
		rc = mc_sys_pidfd_send_signal(ns->pidfd, 0);
	if (rc < 0 && has_namespaces(ns->pidfd))
		rc = 0;
	if (rc == 0)
		rc = inode_of(ns->ns_fd, &ns->ino);
	if (rc == 0 && (ns->ino == core->home_ino || ns->ino == core->host_ino))
		rc = -EXDEV;
	return rc;
}

int mc_ns_has_own_root(const struct mc_core *core, pid_t pid)
{
	struct stat own, host;
	char name[32];

	snprintf(name, sizeof(name), "%d/root", pid);
	if (fstatat(core->proc, name, &own, 0) < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	if (fstat(core->host_root, &host) < 0)
		return -errno;
	return own.st_dev != host.st_dev || own.st_ino != host.st_ino;
}

bool mc_ns_is_alive(const struct mc_ns *ns)
{
	/* Readable once it has ended; a signal still reaches a process that was not reaped. */
	return ns->pidfd >= 0 && (mc_sys_poll_in(ns->pidfd, 0) == 0 || has_namespaces(ns->pidfd));
}

int mc_ns_kill(const struct mc_ns *ns)
{
	int rc = mc_sys_pidfd_send_signal(ns->pidfd, SIGKILL);

	return rc == -ESRCH ? 0 : rc;
}

int mc_ns_open(const struct mc_core *core, pid_t pid, struct mc_ns *ret, struct mc_err *err)
{
	MC_AUTO(struct mc_ns, mc_ns_close) ns = MC_NS_NONE;
	int rc = open_all(core, pid, &ns);

	/* A process that ends meanwhile gives EACCES, among others (proc_ns_get_link()). */
	if (rc < 0 && rc != -EXDEV && ns.pidfd >= 0 && !mc_ns_is_alive(&ns))
		rc = -ESRCH;
	if (rc < 0)
		return mc_err_set(err, MC_STEP_PROCESS, rc);
	*ret = ns;
	ns = MC_NS_NONE;
	return 0;
}

void mc_ns_close(struct mc_ns *ns)
{
	mc_close_fd(&ns->userns_fd);
	mc_close_fd(&ns->ns_fd);
	mc_close_fd(&ns->pidfd);
}
