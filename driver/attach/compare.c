/* SPDX-License-Identifier: Apache-2.0 */
/* Compare the Engine's list of its containers with the records: events may be lost. */
#include <stdlib.h>
#include <string.h>

#include "attach/attach.h"

#include "attachments.h"
#include "container.h"
#include "siblings.h"

struct one {
	struct hv_store_container container; /* borrowed */
	bool is_known;                       /* to the Engine */
	bool is_running;
};

struct comparison {
	struct one *all; /* by ID */
	size_t count;
	size_t listed;
};

/* The containers that have records, as the store lists them. */
struct containers {
	struct hv_store_container *items;
	size_t count;
};

#define auto_containers HV_AUTO(containers_done)
static void containers_done(struct containers *containers)
{
	hv_store_containers_free(containers->items, containers->count);
}

static int compare_ids(const void *id, const void *one)
{
	return strcmp(id, ((const struct one *)one)->container.id);
}

static void take(void *context, const char *id, bool is_running)
{
	struct comparison *self = context;
	struct one *one = bsearch(id, self->all, self->count, sizeof(*self->all), compare_ids);

	self->listed++;
	if (!one)
		return;
	one->is_known = true;
	one->is_running = is_running;
}

/* Whether all records of a container are doubted: they stay so until another Engine answers, or the
 * Engine has containers again. */
static bool is_doubted(struct hv_attacher *attacher, const char *container_id)
{
	hv_auto_records struct hv_records siblings = {0};
	hv_auto_error struct hv_error ignored = {0};
	bool all = hv_siblings_read(attacher, container_id, &siblings, &ignored) == HV_OK;

	for (struct hv_record *record = NULL; (record = hv_records_next(&siblings, record));)
		all &= record->problem == HV_PROBLEM_DOUBTED;
	return all;
}

static enum hv_code add(struct hv_texts *ids, const char *id, struct hv_error *err)
{
	return hv_texts_add(ids, id) == 0 ? HV_OK : hv_oom(err);
}

enum hv_code hv_attachments_compare(
	struct hv_attacher *attacher, size_t *listed, struct hv_texts *ret, struct hv_error *err)
{
	auto_containers struct containers containers = {0};
	hv_auto_free struct one *all = NULL;
	struct comparison comparison;
	bool with_doubted, differs;

	if (hv_store_attachment_containers(
		    attacher->store, &containers.items, &containers.count, err) != HV_OK)
		return err->code;
	if (containers.count == 0)
		return HV_OK;
	all = calloc(containers.count, sizeof(*all));
	if (!all)
		return hv_oom(err);
	for (size_t i = 0; i < containers.count; i++)
		all[i].container = containers.items[i];
	comparison = (struct comparison){.all = all, .count = containers.count};
	if (hv_engine_containers(attacher->engine, HV_ENGINE_TIMEOUT_MS, take, &comparison, err) !=
		HV_OK)
		return err->code;
	with_doubted = *listed == 0 && comparison.listed > 0;
	for (const struct one *one = all; one < all + containers.count; one++) {
		differs = one->is_known ? one->is_running != one->container.is_attached
					: with_doubted || !is_doubted(attacher, one->container.id);
		if (differs && add(ret, one->container.id, err) != HV_OK)
			return err->code;
	}
	*listed = comparison.listed;
	return HV_OK;
}

enum hv_code hv_attachments_containers(
	struct hv_attacher *attacher, struct hv_texts *ret, struct hv_error *err)
{
	auto_containers struct containers containers = {0};

	if (hv_store_attachment_containers(
		    attacher->store, &containers.items, &containers.count, err) != HV_OK)
		return err->code;
	for (size_t i = 0; i < containers.count; i++)
		if (add(ret, containers.items[i].id, err) != HV_OK)
			return err->code;
	return HV_OK;
}
