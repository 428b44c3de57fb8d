/* SPDX-License-Identifier: Apache-2.0 */
/* An Engine says that it does not know the container of an attachment.
 *
 * That ends the attachment only if nothing speaks against it, because the data of a volume that
 * nobody is attached to can be removed: HOSTVOL_ENGINE may name another Engine by now, or dockerd
 * may have started while the disk with its containers was not mounted. */
#include "orphan.h"

#include <string.h>
#include <time.h>

#include "attachment.h"
#include "attachments.h"
#include "observe.h"

/* How long an event may be behind the Engine's other answers. */
enum { ENDED_WAIT_MS = 1000, ENDED_STEP_MS = 20 };

static bool wait_for_end(struct hv_attacher *attacher, const char *container_id)
{
	const struct timespec step = {.tv_nsec = ENDED_STEP_MS * 1000000L};

	for (int left_ms = ENDED_WAIT_MS; left_ms > 0; left_ms -= ENDED_STEP_MS) {
		if (hv_attacher_has_ended(attacher, container_id))
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

enum hv_code hv_orphan_check(struct hv_attacher *attacher, struct hv_record *record,
	long timeout_ms, struct hv_error *err)
{
	const char *socket = hv_engine_socket(attacher->engine);
	const char *name = record->view.container_name;
	hv_auto_free char *engine = NULL;
	long long containers = 0;

	if (hv_attachment_refresh(attacher, record, err) != HV_OK)
		return err->code;
	if (hv_record_is_mounted(record)) {
		hv_fail(err, HV_VOLUME_IN_USE,
			"the Docker Engine that answers at %s does not know container '%s', which runs and has the volume",
			socket, name);
		return hint_forget(record, err);
	}
	if (hv_engine_identify(attacher->engine, timeout_ms, &engine, &containers, err) != HV_OK)
		return err->code;
	if (!record->engine)
		hv_fail(err, HV_VOLUME_IN_USE,
			"the Docker Engine that answers at %s does not know container '%s', and may not be the one that it belongs to",
			socket, name);
	else if (strcmp(record->engine, engine) != 0)
		hv_fail(err, HV_VOLUME_IN_USE,
			"the Docker Engine that answers at %s is not the one that container '%s' belongs to",
			socket, name);
	else if (containers == 0 && !wait_for_end(attacher, record->view.container_id))
		hv_fail(err, HV_VOLUME_IN_USE,
			"the Docker Engine that answers at %s has no containers at all, and did not tell that '%s' was removed",
			socket, name);
	else
		return HV_OK;
	return hint_forget(record, err);
}
