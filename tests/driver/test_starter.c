/* SPDX-License-Identifier: Apache-2.0 */
/* The starter with a gate of its own, and a runtime that is a process of the test. */
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attach/rules.h"
#include "mountcore/cleanup.h"
#include "support/hv_test.h"
#include "wire/metrics.h"

#include "daemon/starter.h"
#include "reconciler_fixture.h"
#include "scratch.h"

enum { HOLD_MS = 20000, STOP_MS = 15000 };

static struct hv_starter *starter;
static struct fixture *racing;       /* the test's */
static _Thread_local bool is_worker; /* it works on a start that is held */
static atomic_bool has_raced;

void __real_hv_rules_wait(
	struct hv_attacher *attacher, const char *container_id, long long until_ms);
void __wrap_hv_rules_wait(
	struct hv_attacher *attacher, const char *container_id, long long until_ms);
enum hv_code __real_hv_attachments_wanted(struct hv_attacher *attacher, const char *container_id,
	bool *ret, bool *ret_is_required, struct hv_error *err);
enum hv_code __wrap_hv_attachments_wanted(struct hv_attacher *attacher, const char *container_id,
	bool *ret, bool *ret_is_required, struct hv_error *err);

/* A worker does that, and then asks. */
void __wrap_hv_rules_wait(
	struct hv_attacher *attacher, const char *container_id, long long until_ms)
{
	__real_hv_rules_wait(attacher, container_id, until_ms);
	is_worker = true;
}

/* Somebody attaches when a worker was just told that nothing is wanted. */
enum hv_code __wrap_hv_attachments_wanted(struct hv_attacher *attacher, const char *container_id,
	bool *ret, bool *ret_is_required, struct hv_error *err)
{
	enum hv_code code =
		__real_hv_attachments_wanted(attacher, container_id, ret, ret_is_required, err);

	if (is_worker && !atomic_exchange(&has_raced, true))
		assert_int_equal(attach(racing, true), HV_OK);
	return code;
}

static void look(void *context, const char *container_id, bool is_undone)
{
	(void)context;
	hv_starter_look(starter, container_id, is_undone);
}

static enum hv_code have_state(void *context, struct hv_error *err)
{
	(void)context;
	(void)err;
	return HV_OK;
}

static unsigned long long count_holds(void)
{
	struct hv_timing_counts counts;
	unsigned long long sum = 0;

	hv_timing_read(HV_TIME_HOLD, &counts);
	for (size_t i = 0; i <= HV_TIMING_BUCKETS; i++)
		sum += counts.in[i];
	return sum;
}

/* A rule, so that a container that is not known yet is marked. */
static void make_rule(struct fixture *fixture)
{
	struct hv_attach_request request = HV_ATTACH_REQUEST_INIT;
	char volume[] = "data", selector[] = "label:tier=front";
	struct hv_rule_view view;
	struct hv_error err = {0};

	fake_engine_set(fixture->fake, "/containers/json", HEAD("200 OK") CLOSED "[]");
	request.volume = volume;
	request.selector = selector;
	request.target = fixture->target;
	assert_int_equal(hv_rule_attach(fixture->attacher, &request, &view, &err), HV_OK);
	hv_rule_view_done(&view);
	hv_rules_set_told(fixture->attacher, true);
}

static void start_starter(struct fixture *fixture, const char *root)
{
	struct hv_error err = {0};
	struct hv_starts starts = {0};

	assert_int_equal(hv_attacher_add_root(fixture->attacher, root, &err), HV_OK);
	fixture->listener.on_change = look;
	starter = hv_starter_start(&(struct hv_starter_args){
		.core = fixture->world->core,
		.attacher = fixture->attacher,
		.log = &fixture->log,
		.hold_ms = HOLD_MS,
		.open_state = have_state,
	});
	assert_non_null(starter);
	for (int left_ms = PATIENCE_MS; left_ms > 0 && !starts.are_held; left_ms -= 5) {
		sleep_a_little();
		hv_starter_tell(starter, &starts);
	}
	assert_true(starts.are_held);
}

/* Up to where its start comes. */
static void make_container(const char *root)
{
	mc_auto_free char *dir = scratch_path(root, ID), *fifo = scratch_path(dir, "exec.fifo");
	mc_auto_free char *new = scratch_path(dir, "new"), *state = scratch_path(dir, "state.json");

	assert_int_equal(mkdir(dir, 0700), 0);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	scratch_write(new, "{\"id\":\"" ID "\",\"init_process_pid\":4711,"
			   "\"init_process_start\":815,\"config\":{\"pid\":[1]}}");
	assert_int_equal(rename(new, state), 0);
}

/* As its runtime does. */
static void open_state_file(const char *root)
{
	mc_auto_free char *dir = scratch_path(root, ID), *path = scratch_path(dir, "state.json");
	int status = -1;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		close_range(3, ~0U, 0); /* a runtime has no copy of the gate's socket */
		_exit(open(path, O_RDONLY | O_CLOEXEC) < 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

RECONCILER_TEST(what_is_attached_just_before_a_start_is_let_go_is_not_forgotten)
{
	char *root = scratch_new();

	racing = fixture;
	/* Without the containers of the machine. */
	assert_int_equal(mount("run", "/run", "tmpfs", 0, NULL), 0);
	start_engine(fixture);
	make_rule(fixture);
	start_starter(fixture, root);
	make_container(root);
	for (int left_ms = PATIENCE_MS; left_ms > 0 && !has_raced; left_ms -= 5) {
		open_state_file(root); /* it may not be marked yet */
		sleep_a_little();
	}
	assert_true(has_raced);
	for (int left_ms = PATIENCE_MS; left_ms > 0 && count_holds() == 0; left_ms -= 5)
		sleep_a_little();
	assert_int_not_equal(count_holds(), 0);
	assert_true(hv_starter_stop(starter, STOP_MS));
	scratch_free(root);
}

TEST_MAIN_IN_NAMESPACE()
