/* Compare the Engine's list of its containers with the records: events may be lost. */
#include <stdlib.h>
#include <string.h>

#include "attach/attach.h"

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
	struct hv_siblings siblings = {0};
	struct hv_error ignored = {0};
	bool all = hv_siblings_read(attacher, container_id, &siblings, &ignored) == HV_OK;

	for (size_t i = 0; i < siblings.count; i++)
		all &= siblings.records[i].problem == HV_PROBLEM_DOUBTED;
	hv_siblings_done(&siblings);
	hv_error_done(&ignored);
	return all;
}

static bool differs(struct hv_attacher *attacher, const struct one *one, bool with_doubted)
{
	if (one->is_known)
		return one->is_running != one->container.is_attached;
	return with_doubted || !is_doubted(attacher, one->container.id);
}

static enum hv_code add(struct hv_texts *ids, const char *id, struct hv_error *err)
{
	return hv_texts_add(ids, id) == 0 ? HV_OK : hv_oom(err);
}

static enum hv_code choose(struct hv_attacher *attacher, const struct comparison *comparison,
	bool with_doubted, struct hv_texts *ret, struct hv_error *err)
{
	enum hv_code code = HV_OK;

	for (size_t i = 0; code == HV_OK && i < comparison->count; i++)
		if (differs(attacher, &comparison->all[i], with_doubted))
			code = add(ret, comparison->all[i].container.id, err);
	return code;
}

static enum hv_code compare(struct hv_attacher *attacher,
	const struct hv_store_container *containers, size_t count, size_t *listed,
	struct hv_texts *ret, struct hv_error *err)
{
	struct comparison comparison = {.count = count};
	enum hv_code code;

	comparison.all = calloc(count + 1, sizeof(*comparison.all));
	if (!comparison.all)
		return hv_oom(err);
	for (size_t i = 0; i < count; i++)
		comparison.all[i].container = containers[i];
	code = hv_engine_containers(attacher->engine, HV_ENGINE_TIMEOUT_MS, take, &comparison, err);
	if (code == HV_OK)
		code = choose(
			attacher, &comparison, *listed == 0 && comparison.listed > 0, ret, err);
	if (code == HV_OK)
		*listed = comparison.listed;
	free(comparison.all);
	return code;
}

enum hv_code hv_attachments_compare(
	struct hv_attacher *attacher, size_t *listed, struct hv_texts *ret, struct hv_error *err)
{
	struct hv_store_container *containers = NULL;
	size_t count = 0;
	enum hv_code code =
		hv_store_attachment_containers(attacher->store, &containers, &count, err);

	if (code == HV_OK && count > 0)
		code = compare(attacher, containers, count, listed, ret, err);
	hv_store_containers_free(containers, count);
	return code;
}

enum hv_code hv_attachments_containers(
	struct hv_attacher *attacher, struct hv_texts *ret, struct hv_error *err)
{
	struct hv_store_container *containers = NULL;
	size_t count = 0;
	enum hv_code code =
		hv_store_attachment_containers(attacher->store, &containers, &count, err);

	for (size_t i = 0; code == HV_OK && i < count; i++)
		code = add(ret, containers[i].id, err);
	hv_store_containers_free(containers, count);
	return code;
}
