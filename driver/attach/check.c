/* SPDX-License-Identifier: Apache-2.0 */
/* Check an attach without doing it. */
#include <stdlib.h>
#include <string.h>

#include "attach/attach.h"
#include "wire/text.h"

#include "attachments.h"
#include "conflict.h"
#include "container.h"
#include "hidden.h"
#include "mount.h"
#include "mount_op.h"
#include "request.h"
#include "restart.h"
#include "siblings.h"
#include "subpath.h"
#include "writer.h"

struct list {
	struct hv_check *items;
	size_t count;
	bool is_cut; /* there was no memory for one: `err` says so */
};

/* Add the outcome of one step; the detail of a failed one is its error.  Takes `detail` over.
 * Returns whether the step succeeded, and is in the list. */
static bool add(struct list *list, const char *name, enum hv_code outcome, char *detail,
	struct hv_error *err)
{
	struct hv_check *items = reallocarray(list->items, list->count + 1, sizeof(*items));
	struct hv_check *item;

	if (items)
		list->items = items;
	if (!items || (outcome == HV_OK && !detail)) {
		free(detail);
		list->is_cut = true;
		hv_oom(err);
		return false;
	}
	item = &items[list->count++];
	*item = (struct hv_check){.name = strdup(name), .ok = outcome == HV_OK, .detail = detail};
	if (!item->ok) {
		free(item->detail);
		item->detail =
			err->hint ? hv_text_format("%s (%s)", hv_error_text(err), err->hint) : NULL;
		if (!item->detail)
			item->detail = strdup(hv_error_text(err));
		hv_error_done(err);
	}
	return item->ok;
}

static char *describe_source(const struct hv_mount_op *attempt)
{
	const char *directory = attempt->volume.source ? attempt->volume.source : "";
	const char *driver = hv_opts_get(&attempt->volume.opts, "driver");
	bool is_unmade = attempt->volume.phase == HV_VOLUME_CREATING && attempt->volume.missing > 0;

	if (driver)
		return hv_text_format(
			"a volume of the driver %s; its directory is %s", driver, directory);
	if (!attempt->path[0])
		return hv_text_format("its directory is %s", directory);
	return hv_text_format("the directory %s of the host%s", directory,
		is_unmade ? ", which is to be made" : "");
}

static char *describe_target(const struct hv_mount_op *attempt)
{
	const struct mc_attach_info *info = mc_attach_info(attempt->mount);

	if (info->to_make > 0)
		return hv_text_format("%s, of which %u %s to be made", info->path, info->to_make,
			info->to_make == 1 ? "part is" : "parts are");
	if (info->is_covering)
		return hv_text_format(
			"%s, where a mount is covered until the volume is detached", info->path);
	return hv_text_format("%s, which exists", info->path);
}

static const char *describe_owners(const struct hv_mount_op *attempt)
{
	if (attempt->record.view.is_mapped)
		return ", owners mapped to the container's users";
	if (attempt->container.ns.userns_fd >= 0 && attempt->record.may_map)
		return ", owners as they are, since the volume's directory belongs to one of the container's users";
	return "";
}

static char *describe_mode(const struct hv_mount_op *attempt)
{
	const struct hv_attachment *view = &attempt->record.view;

	return hv_text_format("%s%s%s%s%s%s%s", view->read_only ? "read-only" : "read-write",
		view->no_suid ? ", nosuid" : "", view->no_dev ? ", nodev" : "",
		view->no_exec ? ", noexec" : "", describe_owners(attempt),
		view->as ? ", its owner shown as " : "", view->as ? view->as : "");
}

/* `ret` is what was found, or NULL.  Only the records of a stopped container are known. */
static enum hv_code check_target(struct hv_mount_op *attempt, char **ret, struct hv_error *err)
{
	bool is_running = hv_mount_op_is_running(attempt);
	bool is_looked_at = is_running && !hv_mount_op_lacks_source(attempt);
	hv_auto_attachment struct hv_attachment there = {0};

	if (hv_mount_op_fill(attempt, err) != HV_OK ||
		hv_mount_op_read_siblings(attempt, err) != HV_OK ||
		hv_mount_op_check_recorded(attempt, &there, err) != HV_OK)
		return err->code;
	if (is_looked_at && !attempt->is_there &&
		(hv_mount_op_prepare(attempt, err) != HV_OK ||
			hv_mount_op_check_resolved(attempt, &there, err) != HV_OK))
		return err->code;
	if (attempt->is_there) {
		*ret = hv_text_format("%s, where it is attached already, so that %s", there.target,
			attempt->record.view.until ? "its lease is renewed"
						   : "nothing is to be done");
		return HV_OK;
	}
	if (is_looked_at)
		hv_mount_op_find_hidden(attempt);
	if (is_looked_at)
		*ret = describe_target(attempt);
	else
		*ret = hv_text_format("%s, which is looked at %s", attempt->target,
			is_running ? "when the source is made" : "then");
	return HV_OK;
}

static bool add_container(struct hv_mount_op *attempt, struct list *list, struct hv_error *err)
{
	const struct hv_attach_request *request = attempt->request;
	enum hv_code step =
		hv_target_open(attempt->attacher, request->container, &attempt->container, err);

	if (step == HV_NOT_RUNNING && request->persist) {
		hv_error_done(err);
		return add(list, "container", HV_OK,
			hv_text_format("it does not run; attached when it starts"), err);
	}
	return add(list, "container", step,
		hv_text_format("it runs, process %d", attempt->container.container.pid), err);
}

/* A note: files in the directory may have other owners, or access control lists. */
static bool add_writer(const struct hv_mount_op *attempt, struct list *list, struct hv_error *err)
{
	char *detail = hv_mount_op_describe_writer(attempt);

	return !detail || add(list, "owner", HV_OK, detail, err);
}

static bool add_target(struct hv_mount_op *attempt, struct list *list, struct hv_error *err)
{
	const struct hv_texts *hidden = &attempt->record.view.warnings;
	char *detail = NULL;
	enum hv_code step = check_target(attempt, &detail, err);

	if (!add(list, "target", step, detail, err))
		return false;
	for (size_t i = 0; i < hidden->count; i++)
		if (!add(list, "below", HV_OK, strdup(hidden->items[i]), err))
			return false;
	return add(list, "mode", HV_OK, describe_mode(attempt), err) &&
	       add_writer(attempt, list, err);
}

static bool add_lease(const struct hv_mount_op *attempt, struct list *list, struct hv_error *err)
{
	const struct hv_attachment *view = &attempt->record.view;

	return add(list, "lease", HV_OK,
		hv_text_format(
			"until %s, and for %lld seconds more at most, while it is in use then",
			view->until, view->grace_seconds),
		err);
}

static bool add_follow(const struct hv_mount_op *attempt, struct list *list, struct hv_error *err)
{
	char path[PATH_MAX];

	hv_volume_asked(attempt->attacher->volumes, &attempt->volume, path);
	return add(list, "follow", HV_OK,
		hv_text_format("when %s%s%s leads to something else, so does the attachment", path,
			attempt->subpath[0] ? "/" : "", attempt->subpath),
		err);
}

static bool add_propagation(struct list *list, struct hv_error *err)
{
	return add(list, "propagation", HV_OK,
		hv_text_format(
			"mounts that the host makes below the source later appear in it, with the options and owners of the host"),
		err);
}

/* Of one that is required: whether its container would start, if it did now. */
static bool add_start(const struct hv_mount_op *attempt, struct list *list, struct hv_error *err)
{
	enum hv_code step = hv_mount_op_lacks_source(attempt)
				    ? HV_OK /* it is made first */
				    : hv_volume_check_ready(attempt->attacher, &attempt->volume,
					      attempt->subpath, err);

	if (step != HV_OK)
		hv_fail(err, step, "the container's next start would be refused: %s",
			hv_error_text(err));
	return add(list, "start", step,
		hv_text_format(
			"it is required, and its source is there for the container's next start"),
		err);
}

static void check_all(struct hv_mount_op *attempt, struct list *list, struct hv_error *err)
{
	enum hv_code step = hv_mount_op_read(attempt, err);

	if (!add(list, "request", step, hv_text_format("its arguments are right"), err))
		return;
	step = hv_mount_op_find_volume(attempt, err);
	if (!add(list, attempt->path[0] ? "source" : "volume", step, describe_source(attempt), err))
		return;
	if (!add_container(attempt, list, err))
		return; /* the target cannot be looked at either */
	if (add_target(attempt, list, err) && attempt->record.view.until)
		add_lease(attempt, list, err);
	if (attempt->follow && !list->is_cut)
		add_follow(attempt, list, err);
	if (attempt->is_slave && !list->is_cut)
		add_propagation(list, err);
	if (attempt->request->required && !list->is_cut)
		add_start(attempt, list, err);
}

void hv_checks_free(struct hv_check *checks, size_t count)
{
	for (size_t i = 0; i < count; i++)
		hv_fields_done(hv_check_fields, &checks[i]);
	free(checks);
}

enum hv_code hv_attach_check(struct hv_attacher *attacher, const struct hv_attach_request *request,
	struct hv_check **ret, size_t *ret_count, struct hv_error *err)
{
	hv_auto_attempt struct hv_mount_op attempt = {
		.attacher = attacher,
		.request = request,
		.only_check = true,
		.container = {.ns = MC_NS_NONE},
	};
	struct list list = {0};

	check_all(&attempt, &list, err);
	if (list.is_cut) {
		hv_checks_free(list.items, list.count);
		return err->code;
	}
	*ret = list.items;
	*ret_count = list.count;
	return HV_OK;
}
