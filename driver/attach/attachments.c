/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by all attachments: the listener to their changes, the containers that the Engine
 * reported removed, and the boot of the machine that their processes belong to. */
#include "attachments.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "siblings.h"

/* Another number for each time the machine was booted. */
static int read_boot_id(char *ret, size_t size)
{
	mc_auto_fd fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t length;

	if (fd < 0)
		return -errno;
	length = read(fd, ret, size - 1);
	if (length <= 0)
		return -EIO;
	ret[length] = '\0';
	ret[strcspn(ret, "\n")] = '\0';
	return 0;
}

struct hv_attacher *hv_attacher_new(const struct hv_attacher_args *args)
{
	struct hv_attacher *attacher = calloc(1, sizeof(*attacher));

	if (!attacher)
		return NULL;
	attacher->core = args->core;
	attacher->engine = args->engine;
	attacher->volumes = args->volumes;
	hv_keylock_init(&attacher->locks);
	hv_keylock_init(&attacher->keeper_locks);
	pthread_rwlock_init(&attacher->listening, NULL);
	attacher->may_have_keepers = true;
	hv_news_init(&attacher->news);
	hv_rules_init(&attacher->rules);
	hv_witness_init(&attacher->witness, attacher->core);
	return attacher;
}

void hv_attacher_free(struct hv_attacher *attacher)
{
	if (!attacher)
		return;
	hv_witness_done(&attacher->witness);
	hv_news_done(&attacher->news);
	hv_keylock_done(&attacher->keeper_locks);
	hv_rules_done(&attacher->rules);
	hv_keylock_done(&attacher->locks);
	pthread_rwlock_destroy(&attacher->listening);
	free(attacher);
}

void hv_attacher_listen(struct hv_attacher *attacher, const struct hv_attacher_listener *listener)
{
	pthread_rwlock_wrlock(&attacher->listening);
	attacher->listener = listener;
	pthread_rwlock_unlock(&attacher->listening);
}

void hv_attacher_stop(struct hv_attacher *attacher)
{
	attacher->is_stopping = true;
	hv_news_end(&attacher->news);
}

/* One with a selector of a newer version is left out. */
static enum hv_code read_rules(
	struct hv_attacher *attacher, struct hv_store *store, struct hv_error *err)
{
	hv_auto_rule_records struct hv_rule_records rules = {0};

	if (hv_store_rule_list(store, NULL, &rules, err) != HV_OK)
		return err->code;
	for (size_t i = 0; i < rules.count; i++) {
		if (hv_rules_has(&attacher->rules, rules.items[i].id)) /* by an earlier try */
			continue;
		if (hv_rules_add(&attacher->rules, &rules.items[i], err) == HV_INTERNAL)
			return err->code;
		hv_error_done(err);
	}
	return HV_OK;
}

enum hv_code hv_attachments_recover(struct hv_attacher *attacher, struct hv_error *err)
{
	struct hv_store *store = hv_volumes_store(attacher->volumes);
	char boot_id[64];

	/* Process and namespace numbers of before would be others' now.  Without the ID the Engine
	 * tells the starts apart. */
	if (read_boot_id(boot_id, sizeof(boot_id)) == 0 &&
		hv_store_attachment_boot(store, boot_id, err) != HV_OK)
		return err->code;
	hv_store_listen(store, hv_news_add, &attacher->news);
	if (read_rules(attacher, store, err) != HV_OK)
		return err->code;
	attacher->store = store;
	return HV_OK;
}

enum hv_code hv_volume_is_attached(
	struct hv_attacher *attacher, const char *volume, bool *ret, struct hv_error *err)
{
	hv_auto_volume struct hv_volume known = {0};
	hv_auto_error struct hv_error ignored = {0};
	enum hv_code code = hv_store_volume_is_wanted(attacher->store, volume, ret, err);

	if (code == HV_OK && *ret &&
		hv_store_volume_get(attacher->store, volume, &known, &ignored) == HV_OK &&
		hv_volume_is_borrowed(attacher->volumes, &known))
		*ret = false;
	return code;
}

enum hv_code hv_attachments_count(
	struct hv_attacher *attacher, struct hv_counts *ret, struct hv_error *err)
{
	struct hv_store_counts counts;

	if (hv_store_count(attacher->store, &counts, err) != HV_OK)
		return err->code;
	ret->volumes = counts.volumes;
	memcpy(ret->attachments, counts.attachments, sizeof(ret->attachments));
	return HV_OK;
}

enum hv_code hv_attachments_tell_damage(struct hv_attacher *attacher, struct hv_error *err)
{
	return hv_store_attachment_tell_damage(attacher->store, err);
}

enum hv_code hv_attacher_add_root(
	struct hv_attacher *attacher, const char *path, struct hv_error *err)
{
	return hv_store_root_add(attacher->store, path, err);
}

enum hv_code hv_attacher_list_roots(
	struct hv_attacher *attacher, struct hv_texts *ret, struct hv_error *err)
{
	return hv_store_root_list(attacher->store, ret, err);
}

/* It stays what it is until end_call(). */
static const struct hv_attacher_listener *begin_call(struct hv_attacher *attacher)
{
	static const struct hv_attacher_listener nobody;

	pthread_rwlock_rdlock(&attacher->listening);
	return attacher->listener ? attacher->listener : &nobody;
}

static void end_call(struct hv_attacher *attacher)
{
	pthread_rwlock_unlock(&attacher->listening);
}

void hv_attacher_notify(struct hv_attacher *attacher, const char *container_id, bool is_undone)
{
	const struct hv_attacher_listener *listener = begin_call(attacher);

	if (listener->on_change)
		listener->on_change(listener->context, container_id, is_undone);
	end_call(attacher);
}

void hv_attacher_notify_rules(struct hv_attacher *attacher)
{
	const struct hv_attacher_listener *listener = begin_call(attacher);

	if (listener->on_rules && attacher->rules.are_any)
		listener->on_rules(listener->context);
	end_call(attacher);
}

void hv_attacher_tell_miss(
	struct hv_attacher *attacher, const char *rule, const char *container, const char *why)
{
	const struct hv_attacher_listener *listener = begin_call(attacher);

	if (listener->on_miss)
		listener->on_miss(listener->context, rule, container, why);
	end_call(attacher);
}

void hv_record_tell_end(struct hv_attacher *attacher, const struct hv_record *record)
{
	const struct hv_attacher_listener *listener = begin_call(attacher);

	if (listener->on_end)
		listener->on_end(listener->context, &record->view);
	end_call(attacher);
}

enum { ID_DIGITS = 16 };

static unsigned long long number_of(const char *container_id)
{
	char digits[ID_DIGITS + 1] = "";

	strncpy(digits, container_id, ID_DIGITS);
	return strtoull(digits, NULL, 16);
}

/* Of a container that cannot be asked about too. */
static bool has_records(struct hv_attacher *attacher, const char *container_id)
{
	hv_auto_records struct hv_records siblings = {0};
	hv_auto_error struct hv_error ignored = {0};

	return !attacher->store ||
	       hv_siblings_read(attacher, container_id, &siblings, &ignored) != HV_OK ||
	       siblings.count > 0;
}

void hv_attacher_container_destroyed(struct hv_attacher *attacher, const char *container_id)
{
	unsigned at;

	/* A rule may be about to be applied to it. */
	if (!has_records(attacher, container_id) && !attacher->rules.are_any)
		return;
	at = atomic_fetch_add(&attacher->ended_count, 1) % HV_ENDED_MAX;
	atomic_store(&attacher->ended[at], number_of(container_id));
}

bool hv_attacher_has_ended(struct hv_attacher *attacher, const char *container_id)
{
	unsigned long long number = number_of(container_id);

	for (unsigned i = 0; i < HV_ENDED_MAX; i++)
		if (number != 0 && atomic_load(&attacher->ended[i]) == number)
			return true;
	return false;
}
