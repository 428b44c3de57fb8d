/* SPDX-License-Identifier: Apache-2.0 */
/* Listing: each record with its state from the container's mount table, read now. */
#include <stdlib.h>
#include <string.h>

#include "attach/attach.h"

#include "attachment.h"
#include "observe.h"
#include "source.h"

void hv_attachments_free(struct hv_attachment *attachments, size_t count)
{
	for (size_t i = 0; i < count; i++)
		hv_attachment_done(&attachments[i]);
	free(attachments);
}

/* The container may be given by name, ID or prefix, or not at all: of those that are recorded, so
 * that one that no longer exists can be asked for. */
static bool is_listed(const struct hv_record *record, const char *container)
{
	const struct hv_attachment *view = &record->view;

	return record->is_done &&
	       (!container || strcmp(view->container_name, container) == 0 ||
		       strncmp(view->container_id, container, strlen(container)) == 0);
}

static void note_failure(struct hv_record *record, const struct hv_error *failure)
{
	hv_auto_error struct hv_error ignored = {0};

	(void)!hv_record_set_problem(
		record, HV_PROBLEM_FAILED, &ignored, "%s", hv_error_text(failure));
}

/* Refresh the state; the reconciler learns of a change.  If the container cannot be looked at, the
 * last known state stays, with the reason: the other attachments are listed all the same. */
static void refresh_and_tell(struct hv_attacher *attacher, struct hv_sight *sight,
	struct hv_looks *looks, struct hv_record *record)
{
	hv_auto_error struct hv_error err = {0};
	enum hv_attachment_state known = record->view.state;

	if (hv_attachment_refresh_in(attacher, sight, record, &err) != HV_OK) {
		hv_record_set_state(record, known);
		note_failure(record, &err);
		return;
	}
	if (known != record->view.state)
		hv_attacher_notify(attacher, record->view.container_id, false);
	if (record->view.state == HV_ATTACHED &&
		hv_record_note_source(attacher, sight, record, looks, &err) != HV_OK)
		note_failure(record, &err);
}

static int compare_containers(const void *a, const void *b)
{
	const struct hv_record *const *one = a, *const *two = b;

	return strcmp((*one)->view.container_id, (*two)->view.container_id);
}

/* How many of them are of the first one's container. */
static size_t count_siblings(struct hv_record *const *sorted, size_t count)
{
	size_t same = 1;

	while (same < count && compare_containers(&sorted[0], &sorted[same]) == 0)
		same++;
	return same;
}

/* Bring those that were asked for up to now, container by container, each of which is looked at
 * once. */
static enum hv_code refresh_all(struct hv_attacher *attacher, const struct hv_records *records,
	const char *container, struct hv_error *err)
{
	hv_auto_free struct hv_record **sorted =
		calloc(records->count + 1, sizeof(struct hv_record *));
	hv_auto_sight struct hv_sight sight = HV_SIGHT_NONE;
	hv_auto_looks struct hv_looks looks = {.next = 0};
	size_t used = 0, siblings;

	if (!sorted)
		return hv_oom(err);
	for (size_t i = 0; i < records->count; i++)
		if (is_listed(&records->items[i], container))
			sorted[used++] = &records->items[i];
	qsort(sorted, used, sizeof(struct hv_record *), compare_containers);
	for (size_t at = 0; at < used; at += siblings) {
		siblings = count_siblings(sorted + at, used - at);
		hv_sight_look(attacher, &sight, sorted + at, siblings);
		for (size_t i = at; i < at + siblings; i++)
			refresh_and_tell(attacher, &sight, &looks, sorted[i]);
	}
	return HV_OK;
}

static struct hv_attachment take_view(struct hv_record *record)
{
	struct hv_attachment view = record->view;

	record->view = (struct hv_attachment){0};
	return view;
}

enum hv_code hv_attachments_list(struct hv_attacher *attacher,
	const struct hv_list_request *request, struct hv_attachment **ret, size_t *ret_count,
	struct hv_error *err)
{
	const struct hv_record_filter filter = {.volume = request->volume};
	hv_auto_records struct hv_records records = {0};
	struct hv_attachment *list;
	size_t used = 0;

	if (hv_records_list(attacher, &filter, &records, err) != HV_OK ||
		refresh_all(attacher, &records, request->container, err) != HV_OK)
		return err->code;
	list = calloc(records.count + 1, sizeof(*list));
	if (!list)
		return hv_oom(err);
	for (struct hv_record *record = NULL; (record = hv_records_next(&records, record));)
		if (is_listed(record, request->container) && !hv_attachment_has_ended(record))
			list[used++] = take_view(record);
	*ret = list;
	*ret_count = used;
	return HV_OK;
}

enum hv_code hv_attachments_read(struct hv_attacher *attacher, const char *volume,
	struct hv_attachment **ret, size_t *ret_count, struct hv_error *err)
{
	const struct hv_record_filter filter = {.volume = volume};
	hv_auto_records struct hv_records records = {0};
	struct hv_attachment *list;
	size_t used = 0;

	if (hv_records_list(attacher, &filter, &records, err) != HV_OK)
		return err->code;
	list = calloc(records.count + 1, sizeof(*list));
	if (!list)
		return hv_oom(err);
	for (struct hv_record *record = NULL; (record = hv_records_next(&records, record));)
		if (record->is_done)
			list[used++] = take_view(record);
	*ret = list;
	*ret_count = used;
	return HV_OK;
}
