/* An attachment that cannot be reached, because another mount is in the way. */
#include "cover.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attachment.h"
#include "container.h"
#include "siblings.h"

/* The attachment of the same container that the mount is, or NULL. */
static const struct hv_record *find_own(const struct hv_siblings *siblings,
	const struct hv_record *record, const struct mc_mount *cover)
{
	for (size_t i = 0; i < siblings->count; i++) {
		const struct hv_record *other = &siblings->records[i];

		if (other->pid == record->pid && other->ns_ino == record->ns_ino &&
			other->mountinfo_id == cover->id &&
			strcmp(other->path, cover->target) == 0) /* its number may be another's */
			return other;
	}
	return NULL;
}

static enum hv_code read_own(struct hv_attacher *attacher, const struct hv_record *record,
	struct hv_siblings *ret, struct hv_error *err)
{
	return hv_siblings_read(attacher, record->view.container_id, ret, err);
}

enum hv_code hv_record_set_covered(struct hv_attacher *attacher, struct hv_record *record,
	const struct mc_mount *cover, struct hv_error *err)
{
	struct hv_siblings siblings = {0};
	const struct hv_record *own;
	char *problem = NULL;
	enum hv_code code = read_own(attacher, record, &siblings, err);
	int length;

	if (code != HV_OK)
		return code;
	own = find_own(&siblings, record, cover);
	length = own ? asprintf(&problem, "covered by volume '%s' attached at %s", own->view.volume,
			       own->view.target)
		     : asprintf(&problem, "covered by a mount at %s (%s)", cover->target,
			       cover->fstype);
	hv_record_set_state(record, HV_COVERED);
	code = length < 0 ? hv_oom(err)
			  : hv_record_set_problem(record, HV_PROBLEM_COVERED, problem, err);
	if (length >= 0)
		free(problem);
	hv_siblings_done(&siblings);
	return code;
}

/* `mounts` are those of the record's container. */
static enum hv_code hint(struct hv_attacher *attacher, const struct hv_record *record,
	struct mc_mounts *mounts, struct hv_error *err)
{
	struct hv_siblings siblings = {0};
	struct hv_error ignored = {0};
	const struct hv_record *own = NULL;
	struct mc_mount cover;

	if (mc_mounts_find_cover(mounts, record->mountinfo_id, &cover) &&
		read_own(attacher, record, &siblings, &ignored) == HV_OK)
		own = find_own(&siblings, record, &cover);
	if (own)
		hv_hint(err, "uncover it: docker hostvol detach %s:%s", own->view.container_name,
			own->view.target);
	else
		hv_hint(err, "unmount that first, in the container");
	hv_siblings_done(&siblings);
	hv_error_done(&ignored);
	return err->code;
}

enum hv_code hv_record_fail_covered(struct hv_attacher *attacher, const struct hv_record *record,
	enum hv_code code, struct hv_error *err)
{
	const struct hv_attachment *view = &record->view;
	struct mc_mounts *mounts = NULL;
	struct hv_error ignored = {0};
	struct mc_ns ns;

	hv_fail(err, code, "volume '%s' at %s in container '%s' is %s", view->volume, view->target,
		view->container_name, view->problem);
	if (hv_record_open_ns(attacher, record, &ns, &ignored) != HV_OK) {
		hv_error_done(&ignored);
		return code;
	}
	if (mc_mounts_read(attacher->core, ns.ns_fd, &mounts, NULL) == 0)
		code = hint(attacher, record, mounts, err);
	mc_mounts_free(mounts);
	mc_ns_close(&ns);
	return code;
}

/* Where on the host `path` of the container is, which is in the attachment `own`. */
static enum hv_code hint_mkdir(const struct hv_record *own, const char *path, struct hv_error *err)
{
	char source[PATH_MAX];

	hv_full_source(&own->view, source);
	return hv_hint(err, "create the directory in the volume on the host: mkdir -p %s%s", source,
		path + strlen(own->path));
}

/* `mount` is the one that the directory would have to be made on. */
static enum hv_code tell_read_only(const struct hv_siblings *siblings,
	const struct hv_record *record, const struct mc_mount *mount, struct hv_error *err)
{
	const struct hv_attachment *view = &record->view;
	const struct hv_record *own = find_own(siblings, record, mount);

	if (!mount->target[1])
		return err->code; /* the root: that is said */
	hv_error_done(err);
	if (own) {
		hv_fail(err, HV_TARGET_MISSING,
			"there is no directory %s in container '%s', and volume '%s' is read-only at %s",
			view->target, view->container_name, own->view.volume, own->view.target);
		return hint_mkdir(own, record->path, err);
	}
	hv_fail(err, HV_TARGET_MISSING,
		"there is no directory %s in container '%s', and the mount at %s (%s) is read-only",
		view->target, view->container_name, mount->target, mount->fstype);
	return hv_hint(err, "create the directory in the source of the mount at %s", mount->target);
}

enum hv_code hv_record_fail_read_only(struct hv_attacher *attacher, const struct hv_record *record,
	const struct mc_ns *ns, struct hv_error *err)
{
	struct hv_siblings siblings = {0};
	struct mc_mounts *mounts = NULL;
	struct hv_error ignored = {0};
	struct mc_mount mount;
	enum hv_code code = err->code;

	if (record->path && mc_mounts_read(attacher->core, ns->ns_fd, &mounts, NULL) == 0 &&
		mc_mounts_of(mounts, record->path, &mount) == 0 &&
		read_own(attacher, record, &siblings, &ignored) == HV_OK)
		code = tell_read_only(&siblings, record, &mount, err);
	mc_mounts_free(mounts);
	hv_siblings_done(&siblings);
	hv_error_done(&ignored);
	return code;
}
