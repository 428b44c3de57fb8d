/* Attachments below the target of another, of the same container.
 *
 * A mount hides what is mounted below it.  Those of ours that are below a target are taken out
 * before the mount is made, and attached again on top of it.  A daemon that is killed in between
 * finds them "pending", and attaches them with the next look at the container. */
#include "nested.h"

#include <stdlib.h>
#include <string.h>

#include "again.h"
#include "attachment.h"
#include "leftover.h"
#include "mount.h"
#include "observe.h"
#include "siblings.h"
#include "unmount.h"

/* Leave the created paths to `outer`, which is mounted on or over them: they go with it. */
static enum hv_code leave(struct hv_attacher *attacher, const struct hv_record *record,
	struct hv_record *outer, struct hv_error *err)
{
	struct hv_heir heir = {.id = outer->view.id};
	enum hv_code code = hv_leftovers_add(&outer->leftovers, record, err);

	heir.leftovers = outer->leftovers;
	if (code != HV_OK || !heir.leftovers)
		return code;
	return hv_store_attachment_leave(attacher->store, &heir, err);
}

/* Say that it is pending, and take it out.  It stays noted if that fails: it is found then. */
static enum hv_code lift(struct hv_attacher *attacher, struct hv_record *record,
	struct hv_record *outer, struct hv_error *err)
{
	enum hv_code code = hv_record_wait_for(record, outer, err);

	if (code == HV_OK)
		code = hv_store_attachment_note(attacher->store, record, err);
	if (code == HV_OK)
		code = leave(attacher, record, outer, err);
	if (code == HV_OK)
		code = hv_record_lift(attacher, record, err);
	if (code == HV_OK)
		hv_record_forget_mount(record);
	if (code == HV_OK)
		code = hv_record_wait_for(record, outer, err);
	return code == HV_OK ? hv_store_attachment_note(attacher->store, record, err) : code;
}

static bool is_in_the_way(struct hv_attacher *attacher, struct hv_record *record,
	const struct hv_record *outer, uint64_t ns_ino)
{
	struct hv_error ignored = {0};
	bool is_so = record->is_done && !record->is_ending && record->pid > 0 &&
		     record->ns_ino == ns_ino && hv_record_is_below(record, outer->path) &&
		     hv_attachment_refresh(attacher, record, &ignored) == HV_OK &&
		     record->view.state == HV_ATTACHED;

	hv_error_done(&ignored);
	return is_so;
}

/* The attachments that were unmounted for an outer one. */
struct nested {
	const struct hv_siblings *siblings;
	bool *is_lifted; /* of each; owned until they are put back */
};

/* Unmount the attachments below the path of `outer`, which is about to be mounted.  The lock of the
 * container is held.  put_back() follows either way. */
static enum hv_code lift_all(struct hv_attacher *attacher, const struct hv_siblings *siblings,
	struct hv_record *outer, struct nested *ret, struct hv_error *err)
{
	enum hv_code code = HV_OK;

	ret->siblings = siblings;
	ret->is_lifted = calloc(siblings->count + 1, sizeof(bool));
	if (!ret->is_lifted)
		return hv_oom(err);
	/* The deepest first: it would go with what it is on. */
	for (size_t i = siblings->count; code == HV_OK && i-- > 0;) {
		struct hv_record *record = &siblings->records[i];

		if (!is_in_the_way(attacher, record, outer, outer->ns_ino))
			continue;
		code = lift(attacher, record, outer, err);
		ret->is_lifted[i] = record->pid == 0; /* else it stands, and is found */
	}
	return code;
}

/* Attach them again, on top.  A failed one is "pending", with the reason, and is tried again. */
static void put_back(
	struct hv_attacher *attacher, const struct hv_target *target, struct nested *nested)
{
	bool is_left = false;

	for (size_t i = 0; nested->is_lifted && i < nested->siblings->count; i++) {
		struct hv_error ignored = {0};

		if (nested->is_lifted[i] &&
			hv_attach_back(attacher, target, &nested->siblings->records[i], &ignored) !=
				HV_OK)
			is_left = true;
		hv_error_done(&ignored);
	}
	if (is_left) /* to be tried again */
		hv_attacher_poke(attacher, target->container.id, true);
	free(nested->is_lifted);
	*nested = (struct nested){0};
}

enum hv_code hv_nested_mount(struct hv_attempt *attempt, struct hv_error *err)
{
	static const struct hv_siblings none = {0};
	struct hv_attacher *attacher = attempt->attacher;
	struct nested nested = {0};
	enum hv_code code = lift_all(attacher, attempt->siblings ? attempt->siblings : &none,
		&attempt->record, &nested, err);

	if (code == HV_OK)
		code = hv_attempt_mount(attempt, err);
	else
		hv_attempt_unprepare(attempt);
	put_back(attacher, &attempt->container, &nested);
	return code;
}
