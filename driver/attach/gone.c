/* An Engine says that it does not know the container of an attachment.
 *
 * That ends the attachment only if nothing speaks against it, because the data of a volume that
 * nobody is attached to can be removed: HOSTVOL_ENGINE may name another Engine by now, or dockerd
 * may have started while the disk with its containers was not mounted. */
#include "gone.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "attachment.h"
#include "list.h"

/* How long an event may be behind the Engine's other answers. */
enum { ENDED_WAIT_MS = 1000, ENDED_STEP_MS = 20, ID_DIGITS = 16 };

static unsigned long long number_of(const char *container_id)
{
	char digits[ID_DIGITS + 1] = "";

	strncpy(digits, container_id, ID_DIGITS);
	return strtoull(digits, NULL, 16);
}

/* Of a container that cannot be asked about too. */
static bool has_records(struct hv_attacher *attacher, const char *container_id)
{
	const struct hv_record_filter filter = {.container_id = container_id};
	struct hv_record *records = NULL;
	struct hv_error ignored = {0};
	size_t count = 0;
	bool is_told = attacher->store && hv_store_attachment_list(attacher->store, &filter,
						  &records, &count, &ignored) == HV_OK;

	hv_records_free(records, count);
	hv_error_done(&ignored);
	return !is_told || count > 0;
}

void hv_attacher_ended(struct hv_attacher *attacher, const char *container_id)
{
	unsigned at;

	if (!has_records(attacher, container_id))
		return;
	at = atomic_fetch_add(&attacher->ended_count, 1) % HV_ENDED_MAX;

	atomic_store(&attacher->ended[at], number_of(container_id));
}

static bool has_ended(struct hv_attacher *attacher, const char *container_id)
{
	unsigned long long number = number_of(container_id);

	for (unsigned i = 0; i < HV_ENDED_MAX; i++)
		if (number != 0 && atomic_load(&attacher->ended[i]) == number)
			return true;
	return false;
}

static bool wait_for_end(struct hv_attacher *attacher, const char *container_id)
{
	const struct timespec step = {.tv_nsec = ENDED_STEP_MS * 1000000L};

	for (int left_ms = ENDED_WAIT_MS; left_ms > 0; left_ms -= ENDED_STEP_MS) {
		if (has_ended(attacher, container_id))
			return true;
		nanosleep(&step, NULL);
	}
	return false;
}

static enum hv_code hint_forget(const struct hv_record *record, struct hv_error *err)
{
	return hv_hint(err,
		"check HOSTVOL_ENGINE and the Engine's data directory; if the container is gone for good: docker hostvol detach %s",
		record->view.id);
}

/* `engine` is the one that answers now, and has so many containers. */
static enum hv_code judge(struct hv_attacher *attacher, const struct hv_record *record,
	const char *engine, long long containers, struct hv_error *err)
{
	const char *socket = hv_engine_socket(attacher->engine);
	const char *name = record->view.container_name;

	if (!record->engine)
		hv_fail(err, HV_VOLUME_IN_USE,
			HV_DOUBT
			"%s does not know container '%s', and may not be the one that it belongs to",
			socket, name);
	else if (strcmp(record->engine, engine) != 0)
		hv_fail(err, HV_VOLUME_IN_USE,
			HV_DOUBT "%s is not the one that container '%s' belongs to", socket, name);
	else if (containers == 0 && !wait_for_end(attacher, record->view.container_id))
		hv_fail(err, HV_VOLUME_IN_USE,
			HV_DOUBT
			"%s has no containers at all, and did not tell that '%s' was removed",
			socket, name);
	else
		return HV_OK;
	return hint_forget(record, err);
}

enum hv_code hv_record_check_gone(struct hv_attacher *attacher, struct hv_record *record,
	long timeout_ms, struct hv_error *err)
{
	long long containers = 0;
	char *engine = NULL;
	enum hv_code code = hv_attachment_refresh(attacher, record, err);

	if (code != HV_OK)
		return code;
	if (hv_record_is_mounted(record)) {
		hv_fail(err, HV_VOLUME_IN_USE,
			HV_DOUBT "%s does not know container '%s', which runs and has the volume",
			hv_engine_socket(attacher->engine), record->view.container_name);
		return hint_forget(record, err);
	}
	code = hv_engine_who(attacher->engine, timeout_ms, &engine, &containers, err);
	if (code == HV_OK)
		code = judge(attacher, record, engine, containers, err);
	free(engine);
	return code;
}
