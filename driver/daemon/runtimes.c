/* SPDX-License-Identifier: Apache-2.0 */
#include "runtimes.h"

#include <limits.h>
#include <stdint.h>
#include <string.h>

#include "mountcore/host.h"
#include "wire/lock.h"

#include "start/roots.h"

static void follow(struct hv_starter *self, const char *root)
{
	hv_auto_unlock pthread_mutex_t *lock = hv_lock(&self->lock);

	if (hv_has_gate(self))
		(void)!hv_gate_follow(&self->gate, root);
}

/* Of `count` items, or of those before a NULL. */
static bool is_among(const char *const *items, size_t count, const char *root)
{
	for (size_t i = 0; i < count && items[i]; i++)
		if (strcmp(items[i], root) == 0)
			return true;
	return false;
}

/* Returns whether it was not there. */
static bool add(struct hv_starter *self, struct hv_texts *texts, const char *root)
{
	hv_auto_unlock pthread_mutex_t *lock = hv_lock(&self->lock);

	return !is_among(hv_roots_usual, SIZE_MAX, root) &&
	       !is_among((const char *const *)texts->items, texts->count, root) &&
	       hv_texts_add(texts, root) == 0;
}

void hv_starter_learn(struct hv_starter *starter, pid_t pid)
{
	struct hv_attacher *attacher = starter->args.attacher;
	char found[PATH_MAX], root[PATH_MAX];
	hv_auto_error struct hv_error err = {0};

	/* Once for each that a runtime was given: where that leads to takes a walk on the host. */
	if (starter->args.hold_ms == 0 || hv_root_find(pid, found) < 0 ||
		!add(starter, &starter->seen, found) ||
		mc_host_resolve(starter->args.core, found, root, NULL, NULL) < 0 ||
		!add(starter, &starter->roots, root))
		return;
	follow(starter, root);
	hv_log_line(starter->args.log, HV_LOG_INFO, "starts in %s are held from now on", root);
	if (hv_attacher_add_root(attacher, root, &err) != HV_OK)
		hv_log_line(starter->args.log, HV_LOG_WARN, "%s is not noted: %s", root,
			hv_error_text(&err));
}

void hv_runtimes_read(struct hv_starter *self)
{
	hv_auto_texts struct hv_texts roots = {0};
	hv_auto_error struct hv_error ignored = {0};

	if (hv_attacher_list_roots(self->args.attacher, &roots, &ignored) != HV_OK)
		return;
	for (size_t i = 0; i < roots.count; i++)
		(void)add(self, &self->roots, roots.items[i]);
}

void hv_runtimes_follow(struct hv_starter *self)
{
	hv_auto_unlock pthread_mutex_t *lock = hv_lock(&self->lock);

	for (const char *const *at = hv_roots_usual; *at; at++)
		(void)!hv_gate_follow(&self->gate, *at);
	for (size_t i = 0; i < self->roots.count; i++)
		(void)!hv_gate_follow(&self->gate, self->roots.items[i]);
}
