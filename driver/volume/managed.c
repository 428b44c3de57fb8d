/* The directories of hostvol's own: those of the state, and volumes/NAME/_data in it. */
#include "managed.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mountcore/cleanup.h"
#include "mountcore/host.h"

#include "inside.h"

/* In volumes/NAME: its data was left by a volume that is removed, for the next one of its name. */
#define KEPT ".kept"

int hv_state_dir(const struct hv_volumes *volumes, const char *name)
{
	mc_auto_fd state = open(volumes->state_local, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat is;
	int fd;

	if (state < 0 || fstat(state, &is) < 0)
		return -errno;
	if (volumes->state_id.ino != 0 &&
		(is.st_dev != volumes->state_id.dev || is.st_ino != volumes->state_id.ino))
		return -ESTALE;
	if (!name)
		return mc_take_fd(&state);
	if (mkdirat(state, name, 0711) < 0 && errno != EEXIST)
		return -errno;
	fd = openat(state, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int hv_volumes_dir(const struct hv_volumes *volumes)
{
	mc_auto_fd fd = hv_state_dir(volumes, "volumes");
	mc_auto_fd host = MC_FD_NONE;
	char path[PATH_MAX];
	struct stat ours, theirs;

	if (fd < 0)
		return fd;
	if ((size_t)snprintf(path, sizeof(path), "%s/volumes", volumes->state_host) >= sizeof(path))
		return -ENAMETOOLONG;
	host = mc_host_open(volumes->core, path);
	if (host < 0 || fstat(fd, &ours) < 0 || fstat(host, &theirs) < 0)
		return host < 0 ? host : -errno;
	if (ours.st_dev != theirs.st_dev || ours.st_ino != theirs.st_ino)
		return -ESTALE;
	return mc_take_fd(&fd);
}

enum hv_code hv_fail_view(const struct hv_volumes *volumes, struct hv_error *err)
{
	mc_auto_fd state = hv_state_dir(volumes, NULL);

	if (state == -ESTALE) {
		hv_fail(err, HV_STATE_UNREADABLE,
			"something was mounted at %s on the host after hostvol had started: its records are below that",
			volumes->state_host);
		return hv_hint(err, "unmount it; or restart hostvold, if it is the right disk");
	}
	hv_fail(err, HV_STATE_UNREADABLE,
		"something is mounted at %s/volumes on the host, which hostvol does not see",
		volumes->state_host);
	return hv_hint(err,
		"unmount it, or mount the disk at %s itself, disable the plugin and enable it again",
		volumes->state_host);
}

/* Make a directory, with this mode whatever the umask, or take the one that is there.  Durable. */
static int make_durable(int parent, const char *name, mode_t mode)
{
	int fd;

	if (mkdirat(parent, name, mode) < 0) {
		if (errno != EEXIST)
			return -errno;
		fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		return fd < 0 ? -errno : fd;
	}
	fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fchmod(fd, mode) < 0 || fsync(fd) < 0 || fsync(parent) < 0) {
		int rc = -errno;

		close(fd);
		return rc;
	}
	return fd;
}

int hv_dir_is_empty_but(int fd, const char *spared)
{
	int own = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const struct dirent *entry;
	DIR *dir = own < 0 ? NULL : fdopendir(own);
	int count = 0;

	if (!dir) {
		int rc = -errno;

		if (own >= 0)
			close(own);
		return rc;
	}
	while ((entry = readdir(dir))) /* NOLINT(concurrency-mt-unsafe): a stream of our own */
		count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
			 (!spared || strcmp(entry->d_name, spared) != 0);
	closedir(dir);
	return count == 0;
}

static int is_empty(int fd)
{
	return hv_dir_is_empty_but(fd, NULL);
}

/* Data that no volume left there: somebody else's, which would go with the volume. */
static bool is_foreign(int own, int data)
{
	return is_empty(data) == 0 && faccessat(own, KEPT, F_OK, AT_SYMLINK_NOFOLLOW) < 0;
}

static enum hv_code refuse_foreign(
	const struct hv_volumes *volumes, const char *name, struct hv_error *err)
{
	hv_fail(err, HV_SOURCE_REFUSED,
		"volume '%s' cannot be created: there is data in %s/volumes/%s/_data that no volume of this name left",
		name, volumes->state_host, name);
	return hv_hint(err,
		"move it away; or, for the volume to have it, and to delete it when it is removed: touch %s/volumes/%s/%s",
		volumes->state_host, name, KEPT);
}

enum hv_code hv_managed_make(struct hv_volumes *volumes, const char *name, struct hv_error *err)
{
	mc_auto_fd top = hv_volumes_dir(volumes);
	mc_auto_fd own = top < 0 ? top : make_durable(top, name, 0711);
	mc_auto_fd data = own < 0 ? own : make_durable(own, "_data", 0755);

	if (data >= 0)
		return is_foreign(own, data) ? refuse_foreign(volumes, name, err) : HV_OK;
	if (data == -ESTALE)
		return hv_fail_view(volumes, err);
	if (data == -ENOSPC || data == -EDQUOT)
		return hv_fail(err, HV_STATE_UNREADABLE,
			"there is no space for the directory of volume '%s' on the disk that holds %s",
			name, volumes->state_host);
	return hv_fail(err, HV_STATE_UNREADABLE,
		"the directory of volume '%s' cannot be made in %s: %s", name, volumes->state_host,
		strerrordesc_np(-data));
}

void hv_managed_unmake(struct hv_volumes *volumes, const char *name)
{
	mc_auto_fd top = hv_state_dir(volumes, "volumes");
	mc_auto_fd own = MC_FD_NONE;

	if (top < 0)
		return;
	own = openat(top, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (own >= 0 && (unlinkat(own, "_data", AT_REMOVEDIR) == 0 || errno == ENOENT))
		(void)unlinkat(own, KEPT, 0);
	(void)unlinkat(top, name, AT_REMOVEDIR);
}

int hv_managed_keep(struct hv_volumes *volumes, const char *name)
{
	mc_auto_fd top = hv_state_dir(volumes, "volumes");
	mc_auto_fd own = MC_FD_NONE, kept = MC_FD_NONE;

	if (top < 0)
		return top;
	hv_managed_unmake(volumes, name); /* one without data leaves nothing */
	own = openat(top, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (own < 0)
		return errno == ENOENT ? 0 : -errno;
	kept = openat(own, KEPT, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	return kept < 0 || fsync(own) < 0 ? -errno : 0;
}

/* Open the directory of the volume's data.  Returns a descriptor or a negative errno. */
static int open_data(const struct hv_volumes *volumes, const char *name)
{
	mc_auto_fd top = hv_state_dir(volumes, "volumes");
	mc_auto_fd own = MC_FD_NONE;
	int fd;

	if (top < 0)
		return top;
	own = openat(top, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	fd = own < 0 ? own : openat(own, "_data", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int hv_managed_is_empty(const struct hv_volumes *volumes, const char *name)
{
	mc_auto_fd data = open_data(volumes, name);

	return data < 0 ? data : is_empty(data);
}

void hv_managed_settle(const struct hv_volumes *volumes, const struct hv_volume *volume)
{
	mc_auto_fd data = MC_FD_NONE;
	uid_t uid = hv_opts_get(&volume->opts, "uid") ? (uid_t)-1 : volumes->remap_uid;
	gid_t gid = hv_opts_get(&volume->opts, "gid") ? (gid_t)-1 : volumes->remap_gid;
	struct stat is;

	if (volumes->remap_uid == 0 || strcmp(volume->kind, "managed") != 0)
		return;
	data = open_data(volumes, volume->name);
	if (data >= 0 && fstat(data, &is) == 0 && is.st_uid == 0 && is_empty(data) == 1)
		(void)!fchown(data, uid, gid);
}

/* Whether `name` in the directory is missing, or a directory that is empty but for `spared`. */
static bool is_nothing(int state, const char *name, const char *spared)
{
	mc_auto_fd fd = openat(state, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? errno == ENOENT : hv_dir_is_empty_but(fd, spared) == 1;
}

enum hv_code hv_volumes_check_state(const struct hv_volumes *volumes, struct hv_error *err)
{
	static const char *const names[] = {"volumes", "trash"};
	/* A new ext4 for the data.  No volume's name has a '+'. */
	static const char *const spared[] = {"lost+found", NULL};
	mc_auto_fd state = hv_state_dir(volumes, NULL);
	struct stat records;

	if (state < 0)
		return hv_fail(err, HV_STATE_UNREADABLE,
			"the state directory %s cannot be used: %s", volumes->state_host,
			strerrordesc_np(-state));
	/* An empty one is of a start that came to nothing. */
	if (fstatat(state, "hostvol.db", &records, 0) == 0 && records.st_size > 0)
		return HV_OK;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (is_nothing(state, names[i], spared[i]))
			continue;
		hv_fail(err, HV_STATE_UNREADABLE,
			"the state directory %s is not hostvol's: there is no hostvol.db in it, but something named %s",
			volumes->state_host, names[i]);
		return hv_hint(err,
			"name a directory of hostvol's own (HOSTVOL_STATE, --state); if hostvol.db was lost, restore it, or move %s/%s away",
			volumes->state_host, names[i]);
	}
	return HV_OK;
}
