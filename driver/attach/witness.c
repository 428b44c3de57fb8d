/* SPDX-License-Identifier: Apache-2.0 */
#include "witness.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "wire/lock.h"

#include "attachments.h"
#include "container.h"

enum { CHUNK = 64 };

void hv_witness_init(struct hv_witness *witness, const struct mc_core *core)
{
	*witness = (struct hv_witness){0};
	pthread_mutex_init(&witness->lock, NULL);
	pthread_mutex_init(&witness->reading, NULL);
	witness->error = mc_watch_open(core, &witness->watch);
	if (!witness->watch)
		return;
	witness->seen = calloc(HV_WITNESS_MAX, sizeof(*witness->seen));
	if (witness->seen)
		return;
	mc_watch_close(witness->watch);
	witness->watch = NULL;
	witness->error = -ENOMEM;
}

void hv_witness_done(struct hv_witness *witness)
{
	mc_watch_close(witness->watch);
	free(witness->seen);
	pthread_mutex_destroy(&witness->reading);
	pthread_mutex_destroy(&witness->lock);
}

void hv_witness_add(struct hv_witness *witness, int ns_fd)
{
	int rc = witness->watch ? mc_watch_add(witness->watch, ns_fd) : 0;
	hv_auto_unlock pthread_mutex_t *lock = hv_lock(&witness->lock);

	if (rc < 0)
		witness->error = rc;
}

/* It may call itself anything. */
static void clean(char *command)
{
	for (char *at = command; *at; at++)
		if (*at < ' ' || *at > '~')
			*at = '?';
}

/* Keep those that are not our own: nobody asks who we are.  The mark of lost events has no mount.
 * Returns how many are not our own. */
static unsigned keep(struct hv_witness *witness, struct mc_watch_event *events, unsigned count)
{
	hv_auto_unlock pthread_mutex_t *lock = hv_lock(&witness->lock);
	const pid_t own = getpid();
	unsigned others = 0;

	for (unsigned i = 0; i < count; i++) {
		if (events[i].pid == own)
			continue;
		others++;
		clean(events[i].command);
		if (events[i].mount_id)
			witness->seen[witness->count++ % HV_WITNESS_MAX] = events[i];
	}
	return others;
}

int hv_attacher_mounts_fd(const struct hv_attacher *attacher)
{
	return attacher->witness.watch ? mc_watch_fd(attacher->witness.watch) : MC_FD_NONE;
}

unsigned hv_attachments_hear(struct hv_attacher *attacher, unsigned *ret_others)
{
	struct hv_witness *witness = &attacher->witness;
	hv_auto_unlock pthread_mutex_t *lock = hv_lock(&witness->reading);
	struct mc_watch_event events[CHUNK];
	unsigned total = 0;
	int count = CHUNK;

	while (witness->watch && count == CHUNK && total < HV_WITNESS_MAX) {
		count = mc_watch_read(witness->watch, events, CHUNK);
		if (count <= 0)
			break;
		*ret_others += keep(witness, events, (unsigned)count);
		total += (unsigned)count;
	}
	return total;
}

/* The newest one that was seen `back` events ago.  Returns false if it is not kept. */
static bool recall(struct hv_witness *witness, unsigned back, struct mc_watch_event *ret)
{
	hv_auto_unlock pthread_mutex_t *lock = hv_lock(&witness->lock);

	if (back >= witness->count || back >= HV_WITNESS_MAX)
		return false;
	*ret = witness->seen[(witness->count - 1 - back) % HV_WITNESS_MAX];
	return true;
}

bool hv_witness_find_unmount(
	struct hv_witness *witness, uint64_t mount_id, struct mc_watch_event *ret)
{
	for (unsigned back = 0; recall(witness, back, ret); back++)
		if (ret->mount_id == mount_id && ret->what & MC_WATCH_WENT)
			return true;
	return false;
}

bool hv_witness_find_mount(struct hv_attacher *attacher, int ns_fd, const struct mc_mount *mount,
	struct mc_watch_event *ret)
{
	for (unsigned back = 0; recall(&attacher->witness, back, ret); back++) {
		bool is_it = false;

		if (ret->what & MC_WATCH_CAME &&
			mc_mount_has_id(attacher->core, ns_fd, mount->id, ret->mount_id, &is_it) ==
				0 &&
			is_it)
			return true;
	}
	return false;
}

void hv_attachments_unwatch(struct hv_attacher *attacher, long long pid, uint64_t ns_ino)
{
	hv_auto_ns struct mc_ns ns = MC_NS_NONE;

	/* With its last process the namespace is gone, and so is its mark. */
	if (attacher->witness.watch && mc_ns_open(attacher->core, (pid_t)pid, &ns, NULL) == 0 &&
		ns.ino == ns_ino)
		(void)mc_watch_remove(attacher->witness.watch, ns.ns_fd);
}

const char *hv_attacher_watch_problem(struct hv_attacher *attacher)
{
	struct hv_witness *witness = &attacher->witness;
	hv_auto_unlock pthread_mutex_t *lock = hv_lock(&witness->lock);

	if (witness->error == 0)
		return NULL;
	if (!witness->watch && mc_err_is_unsupported(witness->error))
		return "the kernel does not tell of mounts in containers before Linux 6.15";
	if (witness->error == -EMFILE)
		return "fs.fanotify.max_user_groups is reached";
	return strerrordesc_np(-witness->error);
}
