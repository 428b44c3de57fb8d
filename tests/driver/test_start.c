/* SPDX-License-Identifier: Apache-2.0 */
/* Held starts: attaches to a process whose program has not begun. */
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine/process.h"
#include "support/hv_test.h"
#include "wire/clock.h"

#include "container.h"
#include "reconciler_fixture.h"
#include "repair.h"

enum { FAR_MS = 60000 };

static struct hv_start start_of(const struct fixture *fixture)
{
	unsigned long long ticks = 0;

	assert_int_equal(hv_process_start_ticks(fixture->pid, &ticks), 0);
	return (struct hv_start){
		.container_id = ID,
		.pid = fixture->pid,
		.start_ticks = (long long)ticks,
		.held_until_ms = hv_clock_ms() + FAR_MS,
	};
}

/* Of a container with an attachment. */
static struct hv_start begin_start(struct fixture *fixture)
{
	start_engine(fixture);
	assert_int_equal(attach(fixture, true), HV_OK);
	start_container(fixture);
	return start_of(fixture);
}

static enum hv_code start(struct fixture *fixture, const struct hv_start *start)
{
	struct hv_repaired repaired;
	struct hv_error err = {0};
	enum hv_code code = hv_attachments_start(fixture->attacher, start, &repaired, &err);

	hv_error_done(&err);
	return code;
}

/* As hv_attachments_start() does it with a container that has a root of its own. */
static struct hv_repaired meet(struct fixture *fixture, long long held_until_ms)
{
	char id[] = ID, name[] = "web";
	struct hv_target target = {
		.container = {.id = id, .name = name, .is_running = true, .pid = fixture->pid},
		.ns = MC_NS_NONE,
		.held_until_ms = held_until_ms,
	};
	struct hv_repaired repaired;
	struct hv_error err = {0};

	assert_int_equal(mc_ns_open(fixture->world->core, fixture->pid, &target.ns, NULL), 0);
	assert_int_equal(hv_target_repair(fixture->attacher, &target, &repaired, &err), HV_OK);
	mc_ns_close(&target.ns);
	return repaired;
}

static struct hv_record record_of(struct fixture *fixture)
{
	const struct hv_record_filter filter = {.container_id = ID};
	struct hv_records records = {0};
	struct hv_record record;
	struct hv_error err = {0};

	assert_int_equal(
		hv_store_attachment_list(fixture->world->store, &filter, &records, &err), HV_OK);
	assert_int_equal(records.count, 1);
	record = records.items[0];
	free(records.items);
	return record;
}

RECONCILER_TEST(only_containers_with_attachments_are_wanted)
{
	struct hv_error err = {0};
	bool is_wanted = true, is_required = true;

	start_engine(fixture);
	assert_int_equal(
		hv_attachments_wanted(fixture->attacher, ID, &is_wanted, &is_required, &err),
		HV_OK);
	assert_false(is_wanted);
	assert_int_equal(attach(fixture, true), HV_OK);
	assert_int_equal(
		hv_attachments_wanted(fixture->attacher, ID, &is_wanted, &is_required, &err),
		HV_OK);
	assert_true(is_wanted);
}

/* Its runtime is not done: a mount made now would be left behind. */
RECONCILER_TEST(a_process_with_the_hosts_root_is_too_early)
{
	struct hv_start now = begin_start(fixture);

	assert_int_equal(start(fixture, &now), HV_BUSY);
	assert_int_equal(count_mounts(fixture), 0);
}

RECONCILER_TEST(another_process_of_that_number_is_not_touched)
{
	struct hv_start now = begin_start(fixture);

	now.start_ticks--;
	assert_int_equal(start(fixture, &now), HV_CONTAINER_CHANGED);
	now.pid = getpid(); /* and that has the host's mounts */
	assert_int_equal(start(fixture, &now), HV_BUSY);
	now.pid = INT32_MAX;
	assert_int_not_equal(start(fixture, &now), HV_OK);
}

static enum hv_code deny(struct fixture *fixture, const struct hv_start *start)
{
	struct hv_repaired repaired;
	struct hv_error err = {0};
	enum hv_code code =
		hv_attachments_denied(fixture->attacher, start, FAR_MS, &repaired, &err);

	hv_error_done(&err);
	assert_int_equal(kill(fixture->pid, 0), 0);
	return code;
}

RECONCILER_TEST(only_what_was_about_to_start_is_killed)
{
	struct hv_start now = begin_start(fixture);

	assert_int_equal(deny(fixture, &now), HV_BUSY); /* it has the host's root */
	now.start_ticks--;
	assert_int_equal(deny(fixture, &now), HV_OK); /* it is another one by now */
	now.pid = INT32_MAX;
	assert_int_equal(deny(fixture, &now), HV_OK);
}

/* Numbers of mount namespaces are used again: the next start may have that of the last one. */
RECONCILER_TEST(each_start_is_met_in_time_without_the_engine)
{
	struct hv_record record;

	start_engine(fixture);
	assert_int_equal(attach(fixture, true), HV_OK);
	stop_engine(fixture);
	for (int i = 0; i < 3; i++) {
		start_container(fixture);
		assert_int_equal(meet(fixture, hv_clock_ms() + FAR_MS).attached, 1);
		assert_int_equal(count_mounts(fixture), 1);
		record = record_of(fixture);
		assert_int_equal(record.view.state, HV_ATTACHED);
		assert_int_equal(record.view.late_ms, 0);
		assert_null(record.started_at);
		hv_record_done(&record);
		assert_int_equal(meet(fixture, hv_clock_ms() + FAR_MS).attached, 0); /* again */
		assert_int_equal(count_mounts(fixture), 1);
		stop_container(fixture);
	}
}

RECONCILER_TEST(the_engines_word_on_the_start_is_noted_later)
{
	struct hv_record record;

	(void)begin_start(fixture);
	assert_int_equal(meet(fixture, hv_clock_ms() + FAR_MS).attached, 1);
	assert_int_equal(repair(fixture), HV_OK);
	assert_int_equal(count_mounts(fixture), 1);
	record = record_of(fixture);
	assert_non_null(record.started_at);
	assert_int_equal(record.view.late_ms, 0);
	hv_record_done(&record);
}

RECONCILER_TEST(behind_the_deadline_it_is_late)
{
	struct hv_record record;

	(void)begin_start(fixture);
	assert_int_equal(meet(fixture, hv_clock_ms() - FAR_MS).attached, 1);
	record = record_of(fixture);
	assert_true(record.view.late_ms >= FAR_MS);
	hv_record_done(&record);
}

/* As crun does: a later mount does not become its working directory. */
RECONCILER_TEST(who_has_entered_what_is_covered_is_told)
{
	const char *const places[] = {fixture->target, "/"};

	start_engine(fixture);
	assert_int_equal(attach(fixture, true), HV_OK);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(chdir(places[i]), 0);
		start_container(fixture);
		assert_int_equal(chdir("/"), 0);
		assert_int_equal(meet(fixture, hv_clock_ms() + FAR_MS).entered, 1 - i);
		stop_container(fixture);
	}
}

TEST_MAIN_IN_NAMESPACE()
