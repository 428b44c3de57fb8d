/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/restarter.h"

enum { LOOK_MS = 1000 };

void hv_restarter_init(struct hv_restarter *restarter, const struct hv_reconciler_args *args,
	const atomic_bool *has_engine)
{
	*restarter = (struct hv_restarter){.args = args, .has_engine = has_engine};
	hv_queue_init(&restarter->queue, HV_RESTARTERS);
}

static void tell(const struct hv_restarter *self, const struct hv_restart *restart)
{
	if (restart->is == HV_RESTART_DONE)
		hv_log_line(self->args->log, HV_LOG_INFO,
			"container '%s': started again, now that what it requires is there",
			restart->name);
	else if (restart->is == HV_RESTART_LEFT)
		hv_log_line(self->args->log, HV_LOG_INFO,
			"container '%s': its start was refused, and it is left so: by its restart policy, or because somebody started it since",
			restart->name);
}

static void restart_next(struct hv_restarter *self, const struct hv_queued *queued)
{
	const char *container_id = queued->name;
	struct hv_restart restart = {.is = HV_RESTART_WAITING};
	hv_auto_error struct hv_error err = {0};
	enum hv_code code = self->args->open_state(self->args->context, &err);

	if (code == HV_OK && *self->has_engine)
		code = hv_attachments_restart(self->args->attacher, container_id, &restart, &err);
	if (code == HV_OK)
		tell(self, &restart);
	else
		hv_log_line(self->args->log, queued->tries == 0 ? HV_LOG_WARN : HV_LOG_DEBUG,
			"container %.12s, whose start was refused: %s", container_id,
			hv_error_text(&err));
	if (code == HV_OK && restart.is == HV_RESTART_WAITING)
		hv_queue_postpone(&self->queue, queued, LOOK_MS);
	else
		hv_queue_finish(&self->queue, queued, code == HV_OK);
}

static void *run(void *argument)
{
	struct hv_restarter *self = argument;
	struct hv_queued queued;

	while (hv_queue_take(&self->queue, 0, &queued))
		restart_next(self, &queued);
	return NULL;
}

void hv_restarter_add(struct hv_restarter *restarter, const char *container_id)
{
	hv_queue_add(&restarter->queue, 0, container_id);
	while (restarter->count < HV_RESTARTERS &&
		pthread_create(&restarter->threads[restarter->count], NULL, run, restarter) == 0)
		restarter->count++;
}

bool hv_restarter_stop(struct hv_restarter *restarter, const struct timespec *until)
{
	hv_queue_stop(&restarter->queue);
	for (; restarter->count > 0; restarter->count--)
		if (pthread_timedjoin_np(restarter->threads[restarter->count - 1], NULL, until) !=
			0)
			return false;
	return true;
}
