/* SPDX-License-Identifier: Apache-2.0 */
/* Rules, in a container that runs, comes and goes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attach/rules.h"
#include "support/hv_test.h"

#include "db.h"
#include "reconciler_fixture.h"
#include "rows.h"

enum { FOR_EVER = 1000 };

#define OTHER "4f4e8f2b1c0d9a8b7c6d5e4f3a2b1c0d9e8f7a6b5c4d3e2f1a0b9c8d7e6f5a4b"
#define LISTED(id, name, labels)                                                                   \
	"{\"Id\":\"" id "\",\"Names\":[\"/" name "\"],\"State\":\"running\",\"Labels\":{" labels   \
	"}}"
#define FRONT "\"tier\":\"front\""
#define CREATE(labels)                                                                             \
	"{\"Type\":\"container\",\"Action\":\"create\",\"Actor\":{\"ID\":\"" ID                    \
	"\",\"Attributes\":{\"name\":\"web\"," labels "}}}\n"

static void list(struct fixture *fixture, const char *containers)
{
	char *answer = NULL;

	assert_true(asprintf(&answer, HEAD("200 OK") CLOSED "[%s]", containers) > 0);
	fake_engine_set(fixture->fake, "/containers/json", answer);
	free(answer);
}

static enum hv_code rule(struct fixture *fixture, bool is_each, size_t *ret_count)
{
	struct hv_attach_request request = HV_ATTACH_REQUEST_INIT;
	char volume[] = "data", selector[] = "label:tier=front";
	struct hv_rule_view view;
	struct hv_error err = {0};
	enum hv_code code;

	request.volume = volume;
	request.selector = selector;
	request.target = fixture->target;
	request.each = is_each;
	code = hv_rule_attach(fixture->attacher, &request, &view, &err);
	if (code != HV_OK)
		print_message("%s (%s)\n", hv_error_text(&err), err.hint ? err.hint : "");
	*ret_count = view.count;
	hv_rule_view_done(&view);
	hv_error_done(&err);
	return code;
}

static enum hv_code end(struct fixture *fixture)
{
	char selector[] = "label:tier=front";
	const struct hv_detach_request request = {.selector = selector, .target = fixture->target};
	struct hv_rule_view view;
	struct hv_error err = {0};
	enum hv_code code = hv_rule_detach(fixture->attacher, &request, &view, &err);

	if (code != HV_OK)
		print_message("%s\n", hv_error_text(&err));
	hv_rule_view_done(&view);
	hv_error_done(&err);
	return code;
}

RECONCILER_TEST(rule_attach_puts_it_into_a_container_that_runs)
{
	size_t count = 0;

	start_engine(fixture);
	start_container(fixture);
	list(fixture, LISTED(ID, "web", FRONT));
	assert_int_equal(rule(fixture, false, &count), HV_OK);
	assert_int_equal(count, 1);
	assert_int_equal(count_mounts(fixture), 1);
	assert_int_equal(detach_from(fixture, fixture->target), HV_BAD_REQUEST);
	assert_int_equal(end(fixture), HV_OK);
	assert_int_equal(count_mounts(fixture), 0);
}

RECONCILER_TEST(rule_attach_that_is_refused_somewhere_is_undone)
{
	size_t count = 0;

	start_engine(fixture);
	start_container(fixture);
	fake_engine_set(fixture->fake, "/containers/" OTHER "/json", "");
	list(fixture, LISTED(ID, "web", FRONT) "," LISTED(OTHER, "other", FRONT));
	assert_int_not_equal(rule(fixture, false, &count), HV_OK);
	assert_int_equal(count_mounts(fixture), 0);
	assert_int_equal(row_count_records(fixture->world->store, NULL, NULL, NULL), 0);
	assert_false(hv_rules_are_any(fixture->attacher));
	assert_int_equal(rule(fixture, true, &count), HV_OK);
	assert_int_equal(count, 1);
	assert_int_equal(count_mounts(fixture), 1);
}

/* It fails the next commits. */
static int fail_next(void *context)
{
	int *left = context;

	if (*left == 0)
		return 0;
	(*left)--;
	return 1;
}

/* A crash came between the mount of an attachment and its last commit. */
static void leave_half_made(struct fixture *fixture, const char *target)
{
	char sql[512];

	snprintf(sql, sizeof(sql), "UPDATE attachment SET is_done = 0 WHERE target = '%s'", target);
	assert_int_equal(sqlite3_exec(fixture->world->store->db, sql, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_changes(fixture->world->store->db), 1);
}

RECONCILER_TEST(rule_stays_if_a_half_made_attachment_cannot_be_settled)
{
	int failing = 1;
	size_t count = 0;

	start_engine(fixture);
	start_container(fixture);
	list(fixture, LISTED(ID, "web", FRONT));
	assert_int_equal(rule(fixture, false, &count), HV_OK);
	leave_half_made(fixture, fixture->target);
	sqlite3_commit_hook(fixture->world->store->db, fail_next, &failing);
	assert_int_equal(end(fixture), HV_STATE_UNREADABLE);
	assert_int_equal(failing, 0);
	assert_int_equal(count_mounts(fixture), 1);
	assert_true(hv_rules_are_any(fixture->attacher));
	assert_int_equal(end(fixture), HV_OK);
	assert_int_equal(count_mounts(fixture), 0);
	assert_int_equal(row_count_records(fixture->world->store, NULL, NULL, NULL), 0);
}

/* The older one is settled before. */
RECONCILER_TEST(rule_ends_though_another_half_made_attachment_cannot_be_settled)
{
	char data[] = "data", other[PATH_MAX];
	int failing = 1;
	size_t count = 0;

	snprintf(other, sizeof(other), "%s-2", fixture->target);
	start_engine(fixture);
	start_container(fixture);
	assert_int_equal(attach_to(fixture, data, other, true, NULL), HV_OK);
	list(fixture, LISTED(ID, "web", FRONT));
	assert_int_equal(rule(fixture, false, &count), HV_OK);
	leave_half_made(fixture, other);
	leave_half_made(fixture, fixture->target);
	sqlite3_commit_hook(fixture->world->store->db, fail_next, &failing);
	assert_int_equal(end(fixture), HV_OK);
	assert_int_equal(failing, 0);
	assert_int_equal(count_mounts(fixture), 0);
	assert_int_equal(count_mounts_at(fixture, other), 1);
	assert_false(hv_rules_are_any(fixture->attacher));
}

static int count_down(void *context)
{
	int *left = context;

	if (*left == 0)
		return 1;
	(*left)--;
	return 0;
}

/* One container has it, another one refuses, and from then on the disk does. */
static void leave_undone(struct fixture *fixture)
{
	int commits = 3; /* of the rule, and of the first attachment */
	size_t count = 0;

	start_engine(fixture);
	start_container(fixture);
	fake_engine_set(fixture->fake, "/containers/" OTHER "/json", "");
	list(fixture, LISTED(ID, "web", FRONT) "," LISTED(OTHER, "other", FRONT));
	sqlite3_commit_hook(fixture->world->store->db, count_down, &commits);
	assert_int_not_equal(rule(fixture, false, &count), HV_OK);
	sqlite3_commit_hook(fixture->world->store->db, NULL, NULL);
	assert_int_equal(commits, 0);
	assert_int_equal(count_mounts(fixture), 1);
	assert_true(hv_rules_are_any(fixture->attacher));
}

/* Of the only rule, and not that it stays; NULL: it has none. */
static void expect_problem(struct fixture *fixture, const char *wanted)
{
	struct hv_rule_view *views = NULL;
	struct hv_error err = {0};
	const char *problem;
	size_t count = 0;

	assert_int_equal(hv_rules_list(fixture->attacher, &views, &count, &err), HV_OK);
	assert_int_equal(count, 1);
	problem = views->problem;
	if (problem)
		print_message("%s\n", problem);
	if (wanted)
		assert_true(problem && strstr(problem, wanted) && !strstr(problem, "stays"));
	else
		assert_null(problem);
	hv_rule_views_free(views, count);
}

static void count_told(void *context, const char *rule, const char *container, const char *why)
{
	unsigned *told = context;

	(void)rule;
	assert_null(container);
	print_message("%s\n", why);
	(*told)++;
}

RECONCILER_TEST(rule_that_could_not_be_undone_says_why)
{
	unsigned told = 0;
	const struct hv_attacher_listener listener = {.on_miss = count_told, .context = &told};
	int failing = FOR_EVER;

	leave_undone(fixture);
	expect_problem(fixture, "hostvol's state");
	hv_attacher_listen(fixture->attacher, &listener);
	sqlite3_commit_hook(fixture->world->store->db, fail_next, &failing);
	hv_rules_end_undone(fixture->attacher);
	hv_rules_end_undone(fixture->attacher);
	assert_true(failing < FOR_EVER);
	sqlite3_commit_hook(fixture->world->store->db, NULL, NULL);
	assert_int_equal(told, 0); /* nothing new */
	mount_inside(fixture, fixture->target);
	assert_int_equal(end(fixture), HV_BUSY);
	assert_int_equal(end(fixture), HV_BUSY);
	assert_int_equal(told, 1);
	expect_problem(fixture, "is covered by a mount");
	unmount_inside(fixture, fixture->target);
	assert_int_equal(end(fixture), HV_OK);
	hv_attacher_listen(fixture->attacher, &fixture->listener);
}

/* The Engine is not needed for that. */
RECONCILER_TEST(rule_that_could_not_be_undone_is_undone_later)
{
	static const struct hv_attacher_listener nobody = {0};

	leave_undone(fixture);
	stop_engine(fixture);
	hv_attacher_listen(fixture->attacher, &nobody); /* the reconciler is not known at once */
	fixture->ask_ms = 20;
	start_reconciler(fixture);
	for (int left = PATIENCE_MS / 5; left > 0 && hv_rules_are_any(fixture->attacher); left--)
		sleep_a_little();
	assert_int_equal(count_mounts(fixture), 0);
	assert_int_equal(row_count_records(fixture->world->store, NULL, NULL, NULL), 0);
	assert_false(hv_rules_are_any(fixture->attacher));
}

RECONCILER_TEST(rule_that_could_not_be_undone_is_made_by_the_next_request)
{
	struct hv_error err = {0};
	size_t count = 0;

	leave_undone(fixture);
	assert_int_equal(rule(fixture, true, &count), HV_OK);
	assert_int_equal(count, 1);
	hv_rules_end_undone(fixture->attacher);
	assert_int_equal(hv_rules_apply(fixture->attacher, &err), HV_OK);
	assert_int_equal(count_mounts(fixture), 1);
	expect_problem(fixture, NULL);
	assert_int_equal(end(fixture), HV_OK);
	assert_int_equal(count_mounts(fixture), 0);
}

/* The failed end may be in the log still, and be valid after a crash. */
RECONCILER_TEST(rule_that_could_not_be_undone_is_made_by_a_commit)
{
	int failing = 1;
	size_t count = 0;

	leave_undone(fixture);
	sqlite3_commit_hook(fixture->world->store->db, fail_next, &failing);
	assert_int_equal(rule(fixture, true, &count), HV_STATE_UNREADABLE);
	assert_int_equal(failing, 0);
	hv_rules_end_undone(fixture->attacher);
	assert_int_equal(count_mounts(fixture), 0);
	assert_false(hv_rules_are_any(fixture->attacher));
}

RECONCILER_TEST(a_container_that_is_created_has_it_from_its_start_on)
{
	size_t count = 0;

	start_engine(fixture);
	list(fixture, "");
	assert_int_equal(rule(fixture, false, &count), HV_OK);
	assert_int_equal(count, 0);
	start_reconciler(fixture);
	expect_subscribed(fixture);
	fake_engine_send(fixture->fake, CREATE("\"tier\":\"back\""));
	fake_engine_send(fixture->fake, CREATE(FRONT));
	expect_state(fixture, "pending");
	list(fixture, LISTED(ID, "web", FRONT));
	start_container(fixture);
	fake_engine_send(fixture->fake, EVENT("start"));
	expect_state(fixture, "attached");
}

RECONCILER_TEST(a_container_that_came_unseen_has_it_when_the_engine_tells)
{
	size_t count = 0;

	start_engine(fixture);
	list(fixture, "");
	assert_int_equal(rule(fixture, false, &count), HV_OK);
	list(fixture, LISTED(ID, "web", FRONT));
	start_container(fixture);
	start_reconciler(fixture);
	expect_state(fixture, "attached");
	stop_container(fixture);
	expect_state(fixture, "pending");
	start_container(fixture);
	fake_engine_send(fixture->fake, EVENT("start"));
	expect_state(fixture, "attached");
}

/* The rule is read again with the other records. */
RECONCILER_TEST(a_rule_outlives_the_daemon)
{
	struct hv_error err = {0};
	size_t count = 0;

	start_engine(fixture);
	list(fixture, "");
	assert_int_equal(rule(fixture, false, &count), HV_OK);
	hv_attacher_free(fixture->attacher);
	fixture->attacher = hv_attacher_new(&(struct hv_attacher_args){
		.core = fixture->world->core,
		.engine = fixture->engine,
		.volumes = fixture->world->volumes,
	});
	assert_false(hv_rules_are_any(fixture->attacher));
	assert_int_equal(hv_attachments_recover(fixture->attacher, &err), HV_OK);
	assert_true(hv_rules_are_any(fixture->attacher));
	list(fixture, LISTED(ID, "web", FRONT));
	start_container(fixture);
	assert_int_equal(hv_rules_apply(fixture->attacher, &err), HV_OK);
	assert_int_equal(count_mounts(fixture), 1);
	assert_int_equal(end(fixture), HV_OK);
}

TEST_MAIN_IN_NAMESPACE()
