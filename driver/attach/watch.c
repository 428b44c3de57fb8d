#include <stdlib.h>
#include <string.h>

#include "mountcore/cleanup.h"

#include "inside.h"

static struct hv_watched *find(struct hv_watched *watched, size_t count, const char *container_id)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(watched[i].container_id, container_id) == 0)
			return &watched[i];
	return NULL;
}

/* A descriptor on the process of a record, or -1: it has ended, or nothing is mounted. */
static int open_process(struct hv_attacher *attacher, const struct hv_record *record)
{
	struct mc_ns ns;
	struct hv_error ignored = {0};
	int pidfd = -1;

	if (record->pid > 0 && hv_record_open_ns(attacher, record, &ns, &ignored) == HV_OK) {
		pidfd = mc_take_fd(&ns.pidfd);
		mc_ns_close(&ns);
	}
	hv_error_done(&ignored);
	return pidfd;
}

enum hv_code hv_attachments_watch(struct hv_attacher *attacher, struct hv_watched **ret,
	size_t *ret_count, struct hv_error *err)
{
	const struct hv_record_filter all = {0};
	struct hv_record *records = NULL;
	struct hv_watched *list;
	size_t count = 0, used = 0;
	enum hv_code code = hv_store_attachment_list(attacher->store, &all, &records, &count, err);

	if (code != HV_OK)
		return code;
	list = calloc(count + 1, sizeof(*list));
	for (size_t i = 0; list && i < count; i++) {
		struct hv_watched *one = find(list, used, records[i].view.container_id);

		if (!one) {
			one = &list[used++];
			one->pidfd = -1;
			one->container_id = records[i].view.container_id;
			records[i].view.container_id = NULL;
		}
		if (one->pidfd < 0)
			one->pidfd = open_process(attacher, &records[i]);
		one->is_ended = one->is_ended || (records[i].pid > 0 && one->pidfd < 0);
	}
	hv_records_free(records, count);
	if (!list)
		return hv_fail(err, HV_INTERNAL, "out of memory");
	*ret = list;
	*ret_count = used;
	return HV_OK;
}

void hv_watched_free(struct hv_watched *watched, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(watched[i].container_id);
		mc_close_fd(&watched[i].pidfd);
	}
	free(watched);
}
