/* SPDX-License-Identifier: Apache-2.0 */
/* Restarts, streams of events and processes that are watched. */
#include <dirent.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/statfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/hv_test.h"
#include "wire/event.h"

#include "reconciler_fixture.h"
#include "rows.h"

RECONCILER_TEST(a_restart_is_noticed_by_its_event)
{
	begin(fixture);
	for (int i = 0; i < 3; i++) {
		stop_container(fixture);
		expect_state(fixture, "pending"); /* by the process alone: no event was sent */
		start_container(fixture);
		fake_engine_send(fixture->fake, EVENT("start"));
		expect_state(fixture, "attached");
	}
}

RECONCILER_TEST(one_that_is_stopped_gets_it_when_it_starts)
{
	start_engine(fixture);
	start_reconciler(fixture);
	expect_subscribed(fixture);
	assert_int_equal(attach(fixture, false), HV_NOT_RUNNING);
	expect_state(fixture, "");
	assert_int_equal(attach(fixture, true), HV_OK);
	assert_int_equal(attach(fixture, true), HV_OK); /* the same */
	expect_state(fixture, "pending");
	start_container(fixture);
	fake_engine_send(fixture->fake, EVENT("start"));
	expect_state(fixture, "attached");
}

RECONCILER_TEST(once_ends_with_the_process)
{
	start_engine(fixture);
	start_container(fixture);
	start_reconciler(fixture);
	assert_int_equal(attach(fixture, false), HV_OK);
	expect_state(fixture, "attached");
	stop_container(fixture);
	expect_state(fixture, "");
}

RECONCILER_TEST(an_engine_that_comes_late_is_met)
{
	start_engine(fixture);
	assert_int_equal(attach(fixture, true), HV_OK);
	stop_engine(fixture);
	start_reconciler(fixture);
	start_container(fixture);
	for (int i = 0; i < 100; i++)
		sleep_a_little();
	expect_state(fixture, "pending");
	start_engine(fixture);
	expect_state(fixture, "attached");
}

/* Break the stream, as while the container restarts unseen. */
static void send_long_line(struct fixture *fixture)
{
	char *line = malloc(HV_EVENT_LINE_MAX + 2);

	assert_non_null(line);
	memset(line, ' ', HV_EVENT_LINE_MAX + 1);
	line[HV_EVENT_LINE_MAX + 1] = '\0';
	fake_engine_send(fixture->fake, line);
	free(line);
}

RECONCILER_TEST(a_stream_that_breaks_is_taken_up_again)
{
	static const char *const breaks[] = {NULL, "<html>\n", "{\"Type\":7}\n", "long", "restart"};

	begin(fixture);
	for (size_t i = 0; i < sizeof(breaks) / sizeof(breaks[0]); i++) {
		stop_container(fixture);
		expect_state(fixture, "pending");
		start_container(fixture);
		if (breaks[i] && strcmp(breaks[i], "long") == 0) {
			send_long_line(fixture);
		} else if (breaks[i] && strcmp(breaks[i], "restart") == 0) {
			stop_engine(fixture);
			start_engine(fixture);
		} else {
			fake_engine_send(fixture->fake, breaks[i]);
		}
		expect_state(fixture, "attached");
	}
}

/* The Engine takes requests and answers none: a death that the kernel knows is noticed. */
RECONCILER_TEST(an_engine_that_hangs_does_not_hide_a_death)
{
	static const struct fake_reply mute[] = {{"/", "", 0, 1}, {NULL, NULL, 0, 0}};

	start_engine(fixture);
	start_container(fixture);
	assert_int_equal(attach(fixture, true), HV_OK);
	stop_engine(fixture);
	fixture->fake = fake_engine_new(fixture->socket, mute);
	start_reconciler(fixture);
	for (int i = 0; i < 20; i++)
		sleep_a_little();
	stop_container(fixture);
	expect_state(fixture, "pending");
}

enum { HELD_UP = 20 };

/* Containers of which the Engine says nothing, for as long as it is asked. */
struct held_up {
	char ids[HELD_UP][65];
	char paths[HELD_UP][96];
	struct fake_reply replies[HELD_UP + 3];
};

/* An attachment of a container that does not run, and is in the list before the one that does. */
static void record_stopped(struct fixture *fixture, unsigned number, char container_id[static 65])
{
	struct hv_record record;
	struct hv_error err = {0};
	char id[13];

	snprintf(container_id, 65, "%064x", number);
	snprintf(id, sizeof(id), "%012x", number);
	record = row_record(id, "data", container_id);
	record.pid = 0;
	record.is_done = true;
	assert_int_equal(hv_store_attachment_put(fixture->world->store, &record, &err), HV_OK);
	hv_record_done(&record);
}

static void record_held_up(struct fixture *fixture, struct held_up *held_up)
{
	held_up->replies[0] = (struct fake_reply){"/events", HEAD("200 OK") "\r\n", 0, 1};
	held_up->replies[1] = (struct fake_reply){"/info", INFO("AB", "30"), 0, 0};
	for (unsigned i = 0; i < HELD_UP; i++) {
		record_stopped(fixture, i + 1, held_up->ids[i]);
		snprintf(held_up->paths[i], sizeof(held_up->paths[i]), "/containers/%s/json",
			held_up->ids[i]);
		held_up->replies[i + 2] = (struct fake_reply){held_up->paths[i], "", 0, 1};
	}
}

static void wait_for_mounts(struct fixture *fixture, unsigned wanted)
{
	for (int left_ms = PATIENCE_MS; left_ms > 0 && count_mounts(fixture) != wanted;
		left_ms -= 5)
		sleep_a_little();
	assert_int_equal(count_mounts(fixture), wanted);
}

/* Each of them would hold a thread for ten seconds, again and again. */
RECONCILER_TEST(containers_that_are_held_up_do_not_delay_another)
{
	struct held_up *held_up = calloc(1, sizeof(*held_up));

	assert_non_null(held_up);
	record_held_up(fixture, held_up);
	fixture->fake = fake_engine_new(fixture->socket, held_up->replies);
	start_container(fixture);
	stop_container(fixture);
	assert_int_equal(attach(fixture, true), HV_OK);
	start_reconciler(fixture);
	expect_subscribed(fixture);
	start_container(fixture);
	fake_engine_send(fixture->fake, EVENT("start"));
	wait_for_mounts(fixture, 1);
	stop_engine(fixture); /* waiting requests fail at once */
	stop_reconciler(fixture);
	free(held_up);
}

static unsigned count_threads(void)
{
	DIR *dir = opendir("/proc/self/task");
	unsigned count = 0;

	assert_non_null(dir);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

static void wait_for_threads(unsigned wanted)
{
	for (int left_ms = PATIENCE_MS; left_ms > 0 && count_threads() != wanted; left_ms -= 5)
		sleep_a_little();
	assert_int_equal(count_threads(), wanted);
}

static void wait_until_kept(struct fixture *fixture, unsigned wanted)
{
	for (int left_ms = PATIENCE_MS; left_ms > 0 && fake_engine_kept(fixture->fake) < wanted;
		left_ms -= 5)
		sleep_a_little();
	assert_int_equal(fake_engine_kept(fixture->fake), wanted);
}

RECONCILER_TEST(repairers_that_were_hired_end_when_nothing_needs_them)
{
	struct held_up *held_up = calloc(1, sizeof(*held_up));
	unsigned threads;

	assert_non_null(held_up);
	fixture->idle_ms = 100;
	start_reconciler(fixture);
	threads = count_threads();
	record_held_up(fixture, held_up);
	for (int i = 0; i < 2; i++) {
		fixture->fake = fake_engine_new(fixture->socket, held_up->replies);
		wait_until_kept(fixture, HELD_UP + 1); /* more at once than repairers at rest */
		stop_engine(fixture);
		wait_for_threads(threads);
	}
	free(held_up);
}

enum { MANY = 500 };

/* By a user inside, or by who removed the container: no event, and no process ends. */
RECONCILER_TEST(what_nobody_tells_is_noticed_in_the_time_for_all_however_many_there_are)
{
	char container_id[65];

	for (unsigned i = 0; i < MANY; i++)
		record_stopped(fixture, i + 1, container_id);
	fixture->look_ms = 2000; /* for all of them, a few at a time */
	start_engine(fixture);
	start_container(fixture);
	assert_int_equal(attach(fixture, true), HV_OK);
	start_reconciler(fixture);
	expect_subscribed(fixture);
	for (int i = 0; i < 100; i++) /* until those are over that are looked at first */
		sleep_a_little();
	unmount_inside(fixture, fixture->target);
	expect_state(fixture, "missing");
}

/* Answers of GET /containers/json, with other containers. */
#define LIST_PATH "/containers/json"
#define LISTED(id, state) "{\"Id\":\"" id "\",\"State\":\"" state "\"},"
#define LIST(rest) HEAD("200 OK") CLOSED "[" rest LISTED("ab", "exited") "{\"Id\":\"cd\"}]"

static void wait_for_asking(struct fixture *fixture)
{
	unsigned before = fake_engine_requests(fixture->fake);

	for (int left_ms = PATIENCE_MS; left_ms > 0; left_ms -= 5) {
		if (fake_engine_requests(fixture->fake) > before + 1)
			return;
		sleep_a_little();
	}
	fail_msg("the Engine is not asked");
}

/* dockerd loses events when its stream is slow, or was stopped in the middle of a start. */
RECONCILER_TEST(a_start_that_no_event_told_is_made_up_for)
{
	fixture->ask_ms = 100;
	begin(fixture);
	fake_engine_set(fixture->fake, LIST_PATH, LIST(LISTED(ID, "running")));
	stop_container(fixture);
	expect_state(fixture, "pending");
	start_container(fixture);
	expect_state(fixture, "attached");
}

RECONCILER_TEST(a_removal_that_no_event_told_is_made_up_for)
{
	fixture->ask_ms = 100;
	begin(fixture);
	fake_engine_set(fixture->fake, LIST_PATH, LIST(LISTED(ID, "exited")));
	stop_container(fixture);
	expect_state(fixture, "pending");
	fake_engine_set(fixture->fake, INSPECT_PATH,
		HEAD("404 Not Found") CLOSED "{\"message\":\"No such container: " ID "\"}");
	fake_engine_set(fixture->fake, LIST_PATH, LIST(""));
	expect_state(fixture, "");
}

/* A list that is cut knows nothing of who is not in it. */
RECONCILER_TEST(a_list_that_is_cut_is_not_believed)
{
	fixture->ask_ms = 100;
	begin(fixture);
	fake_engine_set(fixture->fake, LIST_PATH, LIST(LISTED(ID, "exited")));
	stop_container(fixture);
	expect_state(fixture, "pending");
	wait_for_asking(fixture); /* until its end is known */
	wait_for_asking(fixture);
	fake_engine_set(fixture->fake, INSPECT_PATH,
		HEAD("404 Not Found") CLOSED "{\"message\":\"No such container: " ID "\"}");
	fake_engine_set(fixture->fake, LIST_PATH,
		HEAD("200 OK") CLOSED "[" LISTED("ab", "exited") "{\"Id\":\"");
	wait_for_asking(fixture);
	wait_for_asking(fixture);
	expect_state(fixture, "pending");
	fake_engine_set(fixture->fake, LIST_PATH, LIST(""));
	expect_state(fixture, "");
}

/* Give the world's disk so many blocks more than are used. */
static void leave_blocks(struct fixture *fixture, unsigned long blocks)
{
	struct statfs disk;
	char options[64];

	assert_int_equal(statfs(fixture->world->dir, &disk), 0);
	snprintf(options, sizeof(options), "size=%lu",
		(disk.f_blocks - disk.f_bfree + blocks) * (unsigned long)disk.f_bsize);
	assert_int_equal(mount(NULL, fixture->world->dir, NULL, MS_REMOUNT, options), 0);
}

RECONCILER_TEST(a_death_that_cannot_be_noted_is_not_looked_at_without_a_pause)
{
	unsigned before, looks;

	begin(fixture);
	leave_blocks(fixture, 0);
	before = atomic_load(&fixture->looks);
	stop_container(fixture);
	for (int i = 0; i < 200; i++)
		sleep_a_little();
	looks = atomic_load(&fixture->looks) - before;
	assert_true(looks >= 2 && looks <= 20);
	expect_state(fixture, "attached"); /* as far as the disk knows */
	leave_blocks(fixture, 1024);
	expect_state(fixture, "pending");
}

/* As a helper of the mount library does: it has a copy of every descriptor. */
static pid_t fork_one_that_stays(void)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid > 0)
		return pid;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		pause();
}

RECONCILER_TEST(a_process_that_is_not_watched_any_more_is_not_told_of)
{
	const struct hv_record_filter all = {0};
	struct hv_records records = {0};
	struct hv_error err = {0};
	pid_t helper;

	begin(fixture);
	for (int i = 0; i < 20; i++) /* until its process is watched */
		sleep_a_little();
	helper = fork_one_that_stays();
	assert_int_equal(
		hv_store_attachment_list(fixture->world->store, &all, &records, &err), HV_OK);
	assert_int_equal(
		hv_store_attachment_drop(fixture->world->store, records.items->view.id, NULL, &err),
		HV_OK);
	hv_records_done(&records);
	hv_reconciler_poke(fixture->reconciler, ID, false);
	for (int i = 0; i < 20; i++)
		sleep_a_little();
	stop_container(fixture);
	for (int i = 0; i < 20; i++)
		sleep_a_little();
	assert_int_equal(kill(helper, SIGKILL), 0);
	assert_int_equal(waitpid(helper, NULL, 0), helper);
	expect_state(fixture, "");
}

/* A daemon that was killed after the mount was made again, and before it was noted. */
RECONCILER_TEST(a_mount_that_was_only_announced_is_adopted)
{
	const struct hv_record_filter all = {0};
	struct hv_records records = {0};
	struct hv_error err = {0};

	start_engine(fixture);
	start_container(fixture);
	assert_int_equal(attach(fixture, true), HV_OK);
	assert_int_equal(
		hv_store_attachment_list(fixture->world->store, &all, &records, &err), HV_OK);
	records.items[0].view.state = HV_PENDING;
	assert_int_equal(
		hv_store_attachment_note(fixture->world->store, &records.items[0], &err), HV_OK);
	hv_records_done(&records);
	start_reconciler(fixture);
	expect_state(fixture, "attached");
}

RECONCILER_TEST(what_is_unmounted_inside_is_not_fought)
{
	char command[512];

	begin(fixture);
	snprintf(command, sizeof(command), "nsenter -t %d -m umount %s", fixture->pid,
		fixture->target);
	assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c): a test's own words */
	hv_reconciler_poke(fixture->reconciler, ID, false);
	expect_state(fixture, "missing");
	stop_reconciler(fixture);
	start_reconciler(fixture);
	fake_engine_send(fixture->fake, EVENT("start"));
	for (int i = 0; i < 60; i++)
		sleep_a_little();
	expect_state(fixture, "missing");
	assert_int_equal(count_mounts(fixture), 0);
}

TEST_MAIN_IN_NAMESPACE()
