/* SPDX-License-Identifier: Apache-2.0 */
#include "container.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/process.h"
#include "volume/explain.h"
#include "wire/clock.h"

#include "attachments.h"

enum { SHORT_ID = 12 };

static enum hv_code fail_unseen(const char *container, int rc, struct hv_error *err)
{
	return hv_fail(err, HV_INTERNAL, "the process of container '%s' cannot be looked at: %s",
		container, strerrordesc_np(-rc));
}

enum hv_code hv_target_fail_changed(const struct hv_target *target, struct hv_error *err)
{
	hv_fail(err, HV_CONTAINER_CHANGED, "container '%s' was stopped or restarted meanwhile",
		target->container.name);
	return hv_hint(err, "nothing was changed; try again");
}

enum hv_code hv_target_check_alive(const struct hv_target *target, struct hv_error *err)
{
	return mc_ns_is_alive(&target->ns) ? HV_OK : hv_target_fail_changed(target, err);
}

enum hv_code hv_container_find(struct hv_attacher *attacher, const char *id, long timeout_ms,
	struct hv_container *ret, struct hv_error *err)
{
	if (hv_engine_inspect(attacher->engine, id, timeout_ms, ret, err) != HV_OK)
		return err->code;
	if (strcmp(ret->id, id) != 0)
		return hv_fail(err, HV_NO_SUCH_CONTAINER, "no such container: %s", id);
	return HV_OK;
}

/* Of these the processes live in a machine, or on a kernel, of their own, and never look at the
 * mount namespace that the Engine's State.Pid is in: a mount there would be shown to nobody. */
static enum hv_code check_runtime(const struct hv_container *container, struct hv_error *err)
{
	static const char *const sandboxes[] = {"kata", "runsc", "gvisor", "firecracker"};

	for (size_t i = 0; i < sizeof(sandboxes) / sizeof(sandboxes[0]); i++) {
		if (!container->runtime || !strstr(container->runtime, sandboxes[i]))
			continue;
		hv_fail(err, HV_UNSUPPORTED,
			"nothing can be attached to container '%s': its runtime %s keeps its processes where no mount of the host reaches them",
			container->name, container->runtime);
		return hv_hint(
			err, "give it the volume when it is created: docker run -v VOLUME:TARGET");
	}
	return HV_OK;
}

enum hv_code hv_target_open(
	struct hv_attacher *attacher, const char *name, struct hv_target *ret, struct hv_error *err)
{
	struct hv_container *container = &ret->container;
	const unsigned changes = hv_engine_changes(attacher->engine);
	hv_auto_container struct hv_container now = {0};
	hv_auto_error struct hv_error ignored = {0};
	struct mc_err cause = {0};
	bool is_sure;
	int rc;

	*ret = (struct hv_target){.ns = MC_NS_NONE};
	if (hv_engine_inspect(attacher->engine, name, HV_ENGINE_TIMEOUT_MS, container, err) !=
			HV_OK ||
		check_runtime(container, err) != HV_OK)
		return err->code;
	if (hv_engine_identity(
		    attacher->engine, HV_ENGINE_TIMEOUT_WHO_MS, &ret->engine, &ignored) != HV_OK)
		ret->engine = NULL; /* it does not tell: the next repair asks again */
	if (!container->is_running || container->pid <= 0) {
		hv_fail(err, HV_NOT_RUNNING, "container '%s' is not running", container->name);
		return hv_hint(err,
			"leave out --once to attach it at the next start, or start the container first: docker start %s",
			container->name);
	}
	if (mc_ns_open(attacher->core, container->pid, &ret->ns, &cause) < 0) {
		const struct hv_error_subject names = {.container = container->name};

		return hv_error_from_mount(err, &cause, &names);
	}
	rc = hv_process_check(container, &is_sure);
	if (rc == -ESRCH)
		return hv_target_fail_changed(ret, err);
	if (rc < 0) /* not to be taken for another one: descriptors may have run out */
		return fail_unseen(container->name, rc, err);
	/* The identity must be of the Engine that knows the container, too. */
	if (is_sure && hv_engine_changes(attacher->engine) == changes)
		return hv_target_check_alive(ret, err);
	/* Ask again, now that the process is open: the same start of the same container? */
	if (hv_engine_inspect(attacher->engine, container->id, HV_ENGINE_TIMEOUT_MS, &now, err) !=
		HV_OK)
		return err->code;
	if (!now.is_running || now.pid != container->pid ||
		strcmp(now.started_at, container->started_at) != 0)
		return hv_target_fail_changed(ret, err);
	return hv_target_check_alive(ret, err);
}

enum hv_code hv_target_take_created(struct hv_attacher *attacher, const char *id, const char *name,
	struct hv_target *ret, struct hv_error *err)
{
	struct hv_container *container = &ret->container;
	hv_auto_error struct hv_error ignored = {0};

	*ret = (struct hv_target){.ns = MC_NS_NONE};
	container->id = strdup(id);
	container->name = *name ? strdup(name) : strndup(id, SHORT_ID);
	if (!container->id || !container->name)
		return hv_oom(err);
	if (hv_engine_identity(
		    attacher->engine, HV_ENGINE_TIMEOUT_WHO_MS, &ret->engine, &ignored) != HV_OK)
		ret->engine = NULL;
	return hv_fail(err, HV_NOT_RUNNING, "container '%s' is not running", container->name);
}

void hv_target_close(struct hv_target *target)
{
	mc_ns_close(&target->ns);
	hv_container_done(&target->container);
	free(target->engine);
}

enum hv_code hv_record_open_ns(struct hv_attacher *attacher, const struct hv_record *record,
	struct mc_ns *ret, struct hv_error *err)
{
	int rc = record->pid > 0 ? mc_ns_open(attacher->core, (pid_t)record->pid, ret, NULL)
				 : -ESRCH;

	if (rc == 0 && ret->ino == record->ns_ino)
		return HV_OK;
	if (rc == 0)
		mc_ns_close(ret);
	*ret = MC_NS_NONE;
	if (rc == 0 || rc == -ESRCH || rc == -EXDEV) /* ended, and its PID may be another's now */
		return HV_NOT_RUNNING;
	return fail_unseen(record->view.container_name, rc, err);
}

struct mc_place hv_place_of(const struct mc_ns *ns)
{
	return (struct mc_place){
		.ns_fd = ns->ns_fd,
		.root_fd = -1,
		.userns_fd = ns->userns_fd,
		.uid = ns->uid,
		.gid = ns->gid,
		.key = ns->ino,
		.may_mount = ns->may_mount,
	};
}

long long hv_target_late_ms(const struct hv_target *target)
{
	struct timespec now;
	long long started_ms;

	if (!target->container.started_at) {
		started_ms = hv_clock_ms() - target->held_until_ms;
		return started_ms >= 0 ? started_ms + 1 : 0;
	}
	if (!hv_clock_parse_ms(target->container.started_at, &started_ms) ||
		clock_gettime(CLOCK_REALTIME, &now) < 0)
		return HV_LATE_UNKNOWN;
	started_ms = (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000 - started_ms;
	return started_ms > 1 ? started_ms : 1;
}
