/* Check an attach without doing it. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attach/attach.h"

#include "attempt.h"
#include "container.h"
#include "hidden.h"
#include "mount.h"
#include "recorded.h"
#include "request.h"
#include "restart.h"
#include "siblings.h"

struct list {
	struct hv_check *items;
	size_t count;
};

/* Add the outcome of one step; the detail of a failed one is its error.  Takes `detail` over. */
static enum hv_code add(struct list *list, const char *name, enum hv_code outcome, char *detail,
	struct hv_error *err)
{
	struct hv_check *items = reallocarray(list->items, list->count + 1, sizeof(*items));
	struct hv_check *item;

	if (items)
		list->items = items;
	if (!items || (outcome == HV_OK && !detail)) {
		free(detail);
		return hv_oom(err);
	}
	item = &items[list->count++];
	*item = (struct hv_check){.name = strdup(name), .ok = outcome == HV_OK, .detail = detail};
	if (!item->ok) {
		free(item->detail);
		if (!err->hint ||
			asprintf(&item->detail, "%s (%s)", hv_error_text(err), err->hint) < 0)
			item->detail = strdup(hv_error_text(err));
		hv_error_done(err);
	}
	return HV_OK;
}

static char *describe(const char *format, ...) __attribute__((format(printf, 1, 2)));

static char *describe(const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	return text;
}

static char *describe_target(const struct hv_attempt *attempt)
{
	const struct mc_attach_info *info = mc_attach_info(attempt->mount);

	if (info->to_make > 0)
		return describe("%s, of which %u %s to be made", info->path, info->to_make,
			info->to_make == 1 ? "part is" : "parts are");
	if (info->is_covering)
		return describe(
			"%s, where a mount is covered until the volume is detached", info->path);
	return describe("%s, which exists", info->path);
}

static const char *describe_owners(const struct hv_attempt *attempt)
{
	if (attempt->record.view.is_mapped)
		return ", owners mapped to the container's users";
	if (attempt->container.ns.userns_fd >= 0 && attempt->record.may_map)
		return ", owners as they are, since the volume's directory belongs to one of the container's users";
	return "";
}

static char *describe_mode(const struct hv_attempt *attempt)
{
	const struct hv_attachment *view = &attempt->record.view;

	return describe("%s%s%s%s%s", view->read_only ? "read-only" : "read-write",
		view->no_suid ? ", nosuid" : "", view->no_dev ? ", nodev" : "",
		view->no_exec ? ", noexec" : "", describe_owners(attempt));
}

/* `ret` is what was found.  Of a container that does not run only the records are known. */
static enum hv_code look_at_target(struct hv_attempt *attempt, char **ret, struct hv_error *err)
{
	bool is_running = attempt->container.ns.ns_fd >= 0;
	struct hv_attachment there = {0};
	enum hv_code code = hv_attempt_check_recorded(attempt, &there, err);

	if (code == HV_OK && is_running)
		code = hv_attempt_prepare(attempt, err);
	if (code == HV_OK && is_running)
		code = hv_attempt_check_resolved(attempt, &there, err);
	if (code == HV_OK && is_running)
		hv_attempt_find_hidden(attempt, &attempt->record.view.warnings);
	if (code == HV_TARGET_EXISTS && err->code == HV_OK) {
		*ret = describe("%s, where it is attached already, so that nothing is to be done",
			there.target);
		code = HV_OK;
	} else if (code == HV_OK) {
		*ret = is_running ? describe_target(attempt)
				  : describe("%s, which is looked at then", attempt->target);
	}
	hv_attachment_done(&there);
	return code;
}

/* `ret` is what was found, or NULL. */
static enum hv_code check_target(struct hv_attempt *attempt, char **ret, struct hv_error *err)
{
	struct hv_siblings siblings = {0};
	enum hv_code code = hv_attempt_fill(attempt, err);

	if (code == HV_OK)
		code = hv_siblings_read(
			attempt->attacher, attempt->container.container.id, &siblings, err);
	attempt->siblings = &siblings;
	if (code == HV_OK)
		code = look_at_target(attempt, ret, err);
	attempt->siblings = NULL;
	hv_siblings_done(&siblings);
	return code;
}

static enum hv_code add_hidden(
	const struct hv_attempt *attempt, struct list *list, struct hv_error *err)
{
	const struct hv_texts *hidden = &attempt->record.view.warnings;
	enum hv_code code = HV_OK;

	for (size_t i = 0; code == HV_OK && i < hidden->count; i++)
		code = add(list, "below", HV_OK, strdup(hidden->items[i]), err);
	return code;
}

/* Of one that is required: whether its container would start, if it did now. */
static enum hv_code add_start(
	const struct hv_attempt *attempt, struct list *list, struct hv_error *err)
{
	enum hv_code step = hv_volume_check_ready(
		attempt->attacher, attempt->volume.name, attempt->subpath, err);

	if (step != HV_OK) {
		struct hv_error cause = *err;

		*err = (struct hv_error){0};
		hv_fail(err, step, "the container's next start would be refused: %s",
			hv_error_text(&cause));
		hv_error_done(&cause);
	}
	return add(list, "start", step,
		describe("it is required, and its source is there for the container's next start"),
		err);
}

static enum hv_code check_all(struct hv_attempt *attempt, struct list *list, struct hv_error *err)
{
	const struct hv_attach_request *request = attempt->request;
	struct hv_attacher *attacher = attempt->attacher;
	bool is_later = false;
	enum hv_code step = hv_attempt_read(attempt, err);
	char *detail = NULL;
	enum hv_code code = add(list, "request", step, describe("its arguments are right"), err);

	if (step == HV_OK && code == HV_OK) {
		step = hv_attempt_find_volume(attempt, err);
		code = add(list, "volume", step,
			describe("its directory is %s",
				attempt->volume.source ? attempt->volume.source : ""),
			err);
	}
	if (step == HV_OK && code == HV_OK) {
		step = hv_target_open(attacher, request->container, &attempt->container, err);
		is_later = step == HV_NOT_RUNNING && request->persist;
		if (is_later)
			hv_error_done(err);
		code = add(list, "container", is_later ? HV_OK : step,
			is_later
				? describe("it does not run; attached when it starts")
				: describe("it runs, process %d", attempt->container.container.pid),
			err);
	}
	if ((step != HV_OK && !is_later) || code != HV_OK)
		return code; /* the target cannot be looked at either */
	step = check_target(attempt, &detail, err);
	code = add(list, "target", step, detail, err);
	if (step == HV_OK && code == HV_OK)
		code = add_hidden(attempt, list, err);
	if (step == HV_OK && code == HV_OK)
		code = add(list, "mode", HV_OK, describe_mode(attempt), err);
	if (code == HV_OK && request->required)
		code = add_start(attempt, list, err);
	return code;
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
	struct hv_attempt attempt = {
		.attacher = attacher,
		.request = request,
		.only_check = true,
		.container = {.ns = MC_NS_NONE},
	};
	struct list list = {0};
	enum hv_code code = check_all(&attempt, &list, err);

	hv_attempt_done(&attempt);
	if (code != HV_OK) {
		hv_checks_free(list.items, list.count);
		return code;
	}
	*ret = list.items;
	*ret_count = list.count;
	return HV_OK;
}
