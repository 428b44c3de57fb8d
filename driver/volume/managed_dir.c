/* SPDX-License-Identifier: Apache-2.0 */
#include "managed_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mountcore/cleanup.h"

#include "state_dir.h"
#include "volumes.h"

enum { MANAGED_PARTS = 2 }; /* <name>/_data */

/* In volumes/NAME: its data was left by a volume that is removed, for the next one of its name. */
#define KEPT ".kept"

/* Make a directory, with this mode whatever the umask, or take the one that is there. */
static int make_dir(int parent, const char *name, mode_t mode, bool *ret_is_new)
{
	bool is_new = mkdirat(parent, name, mode) == 0;
	mc_auto_fd fd = MC_FD_NONE;

	if (!is_new && errno != EEXIST)
		return -errno;
	fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || (is_new && fchmod(fd, mode) < 0))
		return -errno;
	*ret_is_new = is_new;
	return mc_take_fd(&fd);
}

/* Make volumes/NAME/_data, or take it, durably.  Each directory is synced once, when its mode and
 * its entries are there, the deepest first; `top` is volumes/. */
static int make_durable(int top, const char *name, int *ret_own, int *ret_data)
{
	bool is_own_new = false, is_data_new = false;
	mc_auto_fd own = make_dir(top, name, 0711, &is_own_new);
	mc_auto_fd data = own < 0 ? own : make_dir(own, "_data", 0755, &is_data_new);

	if (data < 0)
		return data;
	if ((is_data_new && fsync(data) < 0) || ((is_data_new || is_own_new) && fsync(own) < 0) ||
		(is_own_new && fsync(top) < 0))
		return -errno;
	*ret_own = mc_take_fd(&own);
	*ret_data = mc_take_fd(&data);
	return 0;
}

/* Data that no volume left there is somebody else's, and would go with the volume. */
static enum hv_code refuse_foreign(
	const struct hv_volumes *volumes, const char *name, struct hv_error *err)
{
	hv_fail(err, HV_SOURCE_REFUSED,
		"volume '%s' cannot be created: there is data in %s/volumes/%s/_data that no volume of this name left",
		name, volumes->state_host, name);
	return hv_hint(err,
		"move the data away; or give it to the volume, which deletes it when removed: touch %s/volumes/%s/%s",
		volumes->state_host, name, KEPT);
}

enum hv_code hv_managed_find(const struct hv_volumes *volumes, const char *name,
	struct hv_source *ret, struct hv_error *err)
{
	if ((size_t)snprintf(ret->source, sizeof(ret->source), "%s/volumes/%s/_data",
		    volumes->state_host, name) >= sizeof(ret->source))
		return hv_fail(
			err, HV_STATE_UNREADABLE, "the path of the state directory is too long");
	ret->missing = MANAGED_PARTS;
	return HV_OK;
}

enum hv_code hv_managed_make(struct hv_volumes *volumes, const char *name, struct hv_error *err)
{
	mc_auto_fd top = hv_volumes_dir(volumes);
	mc_auto_fd own = MC_FD_NONE, data = MC_FD_NONE;
	int rc = top < 0 ? top : make_durable(top, name, &own, &data);

	if (rc == 0)
		rc = hv_dir_is_empty_but(data, NULL);
	if (rc > 0 || (rc == 0 && faccessat(own, KEPT, F_OK, AT_SYMLINK_NOFOLLOW) == 0))
		return HV_OK;
	if (rc == 0)
		return refuse_foreign(volumes, name, err);
	if (rc == -ESTALE)
		return hv_fail_state_shadowed(volumes, err);
	if (rc == -ENOSPC || rc == -EDQUOT)
		return hv_fail(err, HV_STATE_UNREADABLE,
			"there is no space for the directory of volume '%s' on the disk that holds %s",
			name, volumes->state_host);
	return hv_fail(err, HV_STATE_UNREADABLE,
		"the directory of volume '%s' cannot be made in %s: %s", name, volumes->state_host,
		strerrordesc_np(-rc));
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

	return data < 0 ? data : hv_dir_is_empty_but(data, NULL);
}

enum hv_code hv_managed_check_empty(const struct hv_volumes *volumes, const char *name,
	const char *option, struct hv_error *err)
{
	int rc = hv_managed_is_empty(volumes, name);

	if (rc > 0 || rc == -ENOENT)
		return HV_OK;
	if (rc < 0)
		return hv_fail(err, HV_SOURCE_REFUSED,
			"the directory %s/volumes/%s cannot be read: %s", volumes->state_host, name,
			strerrordesc_np(-rc));
	hv_fail(err, HV_SOURCE_REFUSED,
		"volume '%s' cannot be created with option %s: there is data in %s/volumes/%s/_data, kept when a volume of this name was removed",
		name, option, volumes->state_host, name);
	return hv_hint(err,
		"choose another name; or get the data back, and then delete it: docker volume create -d hostvol %s && docker volume rm %s",
		name, name);
}

void hv_managed_settle(const struct hv_volumes *volumes, const struct hv_volume *volume)
{
	mc_auto_fd data = MC_FD_NONE;
	uid_t uid = hv_opts_get(&volume->opts, "uid") ? (uid_t)-1 : volumes->remap_uid;
	gid_t gid = hv_opts_get(&volume->opts, "gid") ? (gid_t)-1 : volumes->remap_gid;
	struct stat is;

	if (volumes->remap_uid == 0)
		return;
	data = open_data(volumes, volume->name);
	if (data >= 0 && fstat(data, &is) == 0 && is.st_uid == 0 &&
		hv_dir_is_empty_but(data, NULL) == 1)
		(void)!fchown(data, uid, gid);
}
