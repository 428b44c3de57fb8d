#include "volume/volume.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "mountcore/attach.h"
#include "mountcore/cleanup.h"
#include "mountcore/host.h"
#include "mountcore/path.h"
#include "volume/explain.h"

#include "inside.h"
#include "options.h"

char *hv_now(void)
{
	struct timespec now;
	struct tm parts;
	char *text;

	if (clock_gettime(CLOCK_REALTIME, &now) < 0 || !gmtime_r(&now.tv_sec, &parts))
		return NULL;
	if (asprintf(&text, "%04d-%02d-%02dT%02d:%02d:%02d.%03ldZ", parts.tm_year + 1900,
		    parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
		    now.tv_nsec / 1000000) < 0)
		return NULL;
	return text;
}

int hv_state_dir(const struct hv_volumes *volumes, const char *name)
{
	mc_auto_fd state = open(volumes->state_local, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int fd;

	if (state < 0)
		return -errno;
	if (!name)
		return mc_take_fd(&state);
	if (mkdirat(state, name, 0711) < 0 && errno != EEXIST)
		return -errno;
	fd = openat(state, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

enum { MANAGED_PARTS = 2 }; /* <name>/_data */

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

static enum hv_code make_managed(struct hv_volumes *volumes, const char *name, struct hv_error *err)
{
	mc_auto_fd top = hv_state_dir(volumes, "volumes");
	mc_auto_fd own = top < 0 ? top : make_durable(top, name, 0711);
	mc_auto_fd data = own < 0 ? own : make_durable(own, "_data", 0755);

	if (data >= 0)
		return HV_OK;
	if (data == -ENOSPC || data == -EDQUOT)
		return hv_fail(err, HV_STATE_UNREADABLE,
			"there is no space for the directory of volume '%s' on the disk that holds %s",
			name, volumes->state_host);
	return hv_fail(err, HV_STATE_UNREADABLE,
		"the directory of volume '%s' cannot be made in %s: %s", name, volumes->state_host,
		strerrordesc_np(-data));
}

/* Take back the empty directories of a volume that was not recorded.  Data is never touched. */
static void unmake_managed(struct hv_volumes *volumes, const char *name)
{
	mc_auto_fd top = hv_state_dir(volumes, "volumes");
	mc_auto_fd own = MC_FD_NONE;

	if (top < 0)
		return;
	own = openat(top, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (own >= 0)
		(void)unlinkat(own, "_data", AT_REMOVEDIR);
	(void)unlinkat(top, name, AT_REMOVEDIR);
}

/* The directory of a new volume. */
struct found {
	char source[PATH_MAX];
	unsigned missing; /* of it: how many directories at the end */
	bool read_only;   /* and so is everything that comes of it */
};

static enum hv_code check_policy(
	const struct hv_volumes *volumes, const char *source, struct hv_error *err)
{
	if (mc_path_is_below(source, volumes->state_host))
		return hv_fail(err, HV_SOURCE_REFUSED,
			"%s belongs to hostvol itself (it is in %s) and cannot be a volume", source,
			volumes->state_host);
	for (const char *const *allowed = volumes->allow; *allowed; allowed++)
		if (mc_path_is_below(source, *allowed))
			return HV_OK;
	hv_fail(err, HV_SOURCE_REFUSED, "%s is not in a directory that volumes may be in", source);
	return hv_hint(err, "the administrator sets them with HOSTVOL_ALLOW");
}

static enum hv_code explain_path(
	const struct mc_err *cause, const char *name, const char *path, struct hv_error *err)
{
	const struct hv_names names = {.volume = name, .source = path, .target = path};

	if (cause->step == MC_STEP_SOURCE && cause->code == -ENOENT) {
		hv_fail(err, HV_SOURCE_MISSING, "there is no directory %s on the host", path);
		return hv_hint(err, "create it first, or add -o mkdir=true");
	}
	if (cause->step == MC_STEP_SOURCE && cause->code == -ENOTDIR)
		return hv_fail(
			err, HV_SOURCE_REFUSED, "%s, or a part of it, is not a directory", path);
	if (cause->step == MC_STEP_SOURCE || cause->step == MC_STEP_MKDIR)
		return hv_fail(err, HV_SOURCE_REFUSED, "the directory %s cannot be %s: %s", path,
			cause->step == MC_STEP_MKDIR ? "made" : "used",
			strerrordesc_np(-cause->code));
	return hv_explain(err, cause, &names);
}

/* The directory of a `path` volume, there or to be made. */
static enum hv_code find_path(struct hv_volumes *volumes, const char *name,
	const struct hv_volume_options *options, struct found *ret, struct hv_error *err)
{
	struct mc_err cause = {0};
	int rc = mc_host_resolve(volumes->core, options->path, ret->source, &ret->missing, &cause);
	bool is_missing = rc == -ENOENT && ret->source[0];

	if (rc < 0 && !(is_missing && options->mkdir))
		return explain_path(&cause, name, options->path, err);
	return check_policy(volumes, ret->source, err);
}

/* Make what is missing of a `path` volume's directory, where it was looked for and nowhere else. */
static enum hv_code make_path(
	struct hv_volumes *volumes, const struct hv_volume *volume, struct hv_error *err)
{
	char real[PATH_MAX] = "";
	struct mc_made made;
	struct mc_err cause = {0};

	if (mc_host_make(volumes->core, volume->source, real, &made, &cause) < 0)
		return explain_path(&cause, volume->name, volume->source, err);
	if (strcmp(real, volume->source) == 0)
		return HV_OK;
	mc_host_unmake(volumes->core, real, &made);
	return hv_fail(err, HV_SOURCE_REFUSED,
		"a part of %s was replaced by a symlink while volume '%s' was created",
		volume->source, volume->name);
}

/* That of the volume which this one is to be another name for; both names are held. */
static enum hv_code find_other(struct hv_volumes *volumes, const char *name,
	const struct hv_volume_options *options, struct found *ret, struct hv_error *err)
{
	struct hv_volume other = {0};
	enum hv_code code = hv_store_volume_get(volumes->store, options->from, &other, err);

	if (code == HV_NO_SUCH_VOLUME) {
		hv_error_done(err);
		hv_fail(err, code, "there is no volume '%s' that '%s' could be another name for",
			options->from, name);
		hv_hint(err, "docker volume ls -f driver=hostvol lists them");
	}
	if (code == HV_OK)
		snprintf(ret->source, sizeof(ret->source), "%s", other.source);
	ret->read_only = code == HV_OK && other.read_only;
	hv_volume_done(&other);
	return code;
}

/* Where the data of a new volume is, or will be. */
static enum hv_code find_source(struct hv_volumes *volumes, const char *name,
	const struct hv_volume_options *options, struct found *ret, struct hv_error *err)
{
	if (options->path)
		return find_path(volumes, name, options, ret, err);
	if (options->from)
		return find_other(volumes, name, options, ret, err);
	if ((size_t)snprintf(ret->source, sizeof(ret->source), "%s/volumes/%s/_data",
		    volumes->state_host, name) >= sizeof(ret->source))
		return hv_fail(
			err, HV_STATE_UNREADABLE, "the path of the state directory is too long");
	ret->missing = MANAGED_PARTS;
	return HV_OK;
}

static enum hv_code copy_opts(const struct hv_opts *opts, struct hv_opts *ret, struct hv_error *err)
{
	for (size_t i = 0; i < opts->count; i++)
		if (hv_opts_add(ret, opts->items[i].key, opts->items[i].value) < 0)
			return hv_fail(err, HV_INTERNAL, "out of memory");
	return HV_OK;
}

static bool is_managed(const struct hv_volume *volume)
{
	return strcmp(volume->kind, "managed") == 0;
}

/* Take back what was begun for a volume that comes to nothing: its directories, if they are empty,
 * and its record. */
static enum hv_code undo(
	struct hv_volumes *volumes, const struct hv_volume *volume, struct hv_error *err)
{
	struct mc_made made = {
		.count = volume->missing < MC_MADE_MAX ? volume->missing : MC_MADE_MAX};

	if (is_managed(volume))
		unmake_managed(volumes, volume->name);
	else
		mc_host_unmake(volumes->core, volume->source, &made);
	return hv_store_volume_forget(volumes->store, volume->name, err);
}

/* Record it; with directories to be made, first that they are made for it. */
static enum hv_code make(struct hv_volumes *volumes, struct hv_volume *volume, struct hv_error *err)
{
	enum hv_phase end = hv_opts_get(&volume->opts, "attach") ? HV_ATTACHING : HV_THERE;
	struct hv_error ignored = {0};
	enum hv_code code;

	volume->phase = volume->missing > 0 ? HV_MAKING : end;
	code = hv_store_volume_add(volumes->store, volume, err);
	if (code != HV_OK || volume->missing == 0)
		return code;
	code = is_managed(volume) ? make_managed(volumes, volume->name, err)
				  : make_path(volumes, volume, err);
	if (code == HV_OK)
		code = hv_store_volume_set_phase(volumes->store, volume->name, end, err);
	if (code != HV_OK)
		(void)undo(volumes, volume, &ignored);
	hv_error_done(&ignored);
	return code;
}

static enum hv_code record(struct hv_volumes *volumes, const char *name, const struct hv_opts *opts,
	const struct hv_volume_options *options, struct hv_error *err)
{
	struct hv_volume volume = {.read_only = options->read_only};
	struct found found = {0};
	enum hv_code code;

	volume.name = strdup(name);
	volume.kind = strdup(options->path ? "path" : options->from ? "alias" : "managed");
	volume.created_at = hv_now();
	code = volume.name && volume.kind && volume.created_at
		       ? copy_opts(opts, &volume.opts, err)
		       : hv_fail(err, HV_INTERNAL, "out of memory");
	if (code == HV_OK)
		code = find_source(volumes, name, options, &found, err);
	if (code == HV_OK) {
		volume.source = strdup(found.source);
		volume.missing = found.missing;
		volume.read_only = volume.read_only || found.read_only;
		code = volume.source ? make(volumes, &volume, err)
				     : hv_fail(err, HV_INTERNAL, "out of memory");
	}
	hv_volume_done(&volume);
	return code;
}

/* One that waits for its attachment, and has no record of that: it will not come. */
static enum hv_code undo_unattached(
	struct hv_volumes *volumes, const struct hv_volume *volume, struct hv_error *err)
{
	const struct hv_record_filter filter = {.volume = volume->name};
	struct hv_record *records = NULL;
	size_t count = 0;
	enum hv_code code =
		hv_store_attachment_list(volumes->store, &filter, &records, &count, err);

	hv_records_free(records, count);
	if (code != HV_OK || count > 0)
		return code;
	code = hv_volume_unpublish(volumes, volume->name, err);
	return code == HV_OK ? undo(volumes, volume, err) : code;
}

enum hv_code hv_volume_finish(
	struct hv_volumes *volumes, const struct hv_volume *volume, struct hv_error *err)
{
	enum hv_code code;

	switch (volume->phase) {
	case HV_THERE:
		return HV_OK;
	case HV_MAKING:
		return undo(volumes, volume, err);
	case HV_ATTACHING:
		return undo_unattached(volumes, volume, err);
	case HV_REMOVING:
		break;
	}
	code = hv_volume_unpublish(volumes, volume->name, err);
	return code == HV_OK ? hv_volume_finish_remove(volumes, volume, err) : code;
}

enum hv_code hv_volume_finish_named(
	struct hv_volumes *volumes, const char *name, bool *ret_was, struct hv_error *err)
{
	struct hv_volume *list = NULL;
	size_t count = 0;
	enum hv_code code = hv_store_volume_unfinished(volumes->store, &list, &count, err);

	*ret_was = false;
	for (size_t i = 0; code == HV_OK && i < count; i++) {
		if (name && strcmp(list[i].name, name) != 0)
			continue;
		*ret_was = true;
		code = hv_volume_finish(volumes, &list[i], err);
	}
	hv_volumes_free(list, count);
	return code;
}

enum hv_code hv_volume_give_up(struct hv_volumes *volumes, const char *name, struct hv_error *err)
{
	struct hv_volume volume = {0};
	enum hv_code code;

	HV_HOLD(hold, &volumes->locks, name);
	code = hv_store_volume_get(volumes->store, name, &volume, err);
	if (code == HV_OK && volume.phase == HV_ATTACHING)
		code = undo_unattached(volumes, &volume, err);
	hv_volume_done(&volume);
	return code;
}

/* With the name held, and that of option from. */
static enum hv_code create_held(struct hv_volumes *volumes, const char *name,
	const struct hv_opts *opts, const struct hv_volume_options *options, struct hv_error *err)
{
	struct hv_volume existing = {0};
	bool was;
	enum hv_code code = hv_store_volume_get(volumes->store, name, &existing, err);

	if (code == HV_NO_SUCH_VOLUME) { /* what of one that came to nothing, or went, is left */
		hv_error_done(err);
		code = hv_volume_finish_named(volumes, name, &was, err);
	}
	if (code == HV_OK && !existing.name)
		code = record(volumes, name, opts, options, err);
	else if (code == HV_OK && !hv_opts_is_equal(opts, &existing.opts)) {
		hv_fail(err, HV_VOLUME_EXISTS, "volume '%s' exists already with other options",
			name);
		code = hv_hint(
			err, "remove it first (docker volume rm %s), or take another name", name);
	}
	hv_volume_done(&existing);
	return code;
}

enum hv_code hv_volume_create(struct hv_volumes *volumes, const char *name,
	const struct hv_opts *opts, struct hv_error *err)
{
	struct hv_volume_options options = {0};
	const char *first = name, *second;
	enum hv_code code = hv_volume_check_name(name, err);

	if (code == HV_OK)
		code = hv_volume_read_options(opts, &options, err);
	if (code != HV_OK)
		return code;
	second = options.from;
	if (second && strcmp(second, name) == 0)
		return hv_fail(
			err, HV_BAD_REQUEST, "volume '%s' cannot be another name for itself", name);
	if (second && strcmp(second, first) < 0) { /* always in this order */
		first = second;
		second = name;
	}
	HV_HOLD(hold, &volumes->locks, first);
	if (!second)
		return create_held(volumes, name, opts, &options, err);
	HV_HOLD(hold_other, &volumes->locks, second);
	return create_held(volumes, name, opts, &options, err);
}
