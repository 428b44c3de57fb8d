/* SPDX-License-Identifier: Apache-2.0 */
/* An attachment that its container is not to start without. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/hv_test.h"

#include "container.h"
#include "reconciler_fixture.h"
#include "refuse.h"
#include "repair.h"
#include "siblings.h"

#define START_PATH "/containers/" ID "/start"

static char data[] = "data", other[] = "other", replace[] = "nonatomic";

/* Attach to the container, required, under the volume's name as a target below fixture->target's
 * directory.  The caller frees the path of the target. */
static char *require(struct fixture *fixture, char *volume)
{
	struct hv_attach_request request = HV_ATTACH_REQUEST_INIT;
	struct hv_attachment attachment = {0};
	struct hv_error err = {0};
	char container[] = ID, *target = NULL;

	assert_true(asprintf(&target, "%s-%s", fixture->target, volume) > 0);
	request.volume = volume;
	request.container = container;
	request.target = target;
	request.required = true;
	assert_int_equal(hv_attach(fixture->attacher, &request, &attachment, &err), HV_OK);
	assert_true(attachment.required);
	hv_attachment_done(&attachment);
	return target;
}

/* The records, as a start finds them when all were tried. */
static bool refuse(struct fixture *fixture, unsigned *ret_refused)
{
	struct hv_records siblings = {0};
	struct hv_repaired repaired = {0};
	struct mc_ns ns = MC_NS_NONE;
	struct hv_error err = {0};
	bool is_refused;

	assert_int_equal(hv_siblings_read(fixture->attacher, ID, &siblings, &err), HV_OK);
	assert_int_equal(mc_ns_open(fixture->world->core, fixture->pid, &ns, NULL), 0);
	is_refused = hv_start_refuse(fixture->attacher, &ns, &siblings, &repaired);
	*ret_refused = repaired.refused;
	mc_ns_close(&ns);
	hv_records_done(&siblings);
	return is_refused;
}

RECONCILER_TEST(what_is_not_required_keeps_nothing_from_starting)
{
	unsigned refused;

	start_engine(fixture);
	assert_int_equal(attach(fixture, true), HV_OK); /* pending */
	start_container(fixture);
	assert_false(refuse(fixture, &refused));
	assert_int_equal(refused, 0);
	assert_int_equal(kill(fixture->pid, 0), 0);
	assert_string_equal(state_of(fixture, fixture->target), "pending");
}

RECONCILER_TEST(a_start_that_lacks_what_is_required_is_refused_with_the_reason)
{
	unsigned refused;
	char *target, *second;

	start_engine(fixture);
	assert_int_equal(world_create(fixture->world, other, NULL, NULL), HV_OK);
	target = require(fixture, data);
	second = require(fixture, other);
	start_container(fixture);
	assert_true(refuse(fixture, &refused));
	assert_int_equal(refused, 2);
	assert_int_equal(waitpid(fixture->pid, NULL, 0), fixture->pid);
	fixture->pid = 0;
	assert_non_null(strstr(state_of(fixture, target),
		"pending the start of container 'web' was refused, because this is required: "));
	assert_non_null(strstr(state_of(fixture, second), "pending the start of container 'web'"));
	free(target);
	free(second);
}

RECONCILER_TEST(a_start_that_has_what_is_required_goes_on)
{
	unsigned refused;
	char *target;

	start_engine(fixture);
	start_container(fixture);
	target = require(fixture, data);
	assert_false(refuse(fixture, &refused));
	assert_int_equal(kill(fixture->pid, 0), 0);
	assert_string_equal(state_of(fixture, target), "attached");
	free(target);
}

/* It is held once more, at its start. */
RECONCILER_TEST(what_is_only_set_up_is_not_refused)
{
	char source[400], id[] = ID, name[] = "web", *target;
	struct hv_target held = {
		.container = {.id = id, .name = name, .is_running = true},
		.ns = MC_NS_NONE,
		.held_until_ms = INT64_MAX,
		.is_set_up = true,
	};
	struct hv_repaired repaired;
	struct hv_error err = {0};

	start_engine(fixture);
	snprintf(source, sizeof(source), "%s/needed", fixture->world->dir);
	world_mkdir(fixture->world, "needed");
	assert_int_equal(world_create(fixture->world, other, "path=%s/needed", NULL), HV_OK);
	target = require(fixture, other);
	assert_int_equal(rmdir(source), 0);
	start_container(fixture);
	held.container.pid = fixture->pid;
	assert_int_equal(mc_ns_open(fixture->world->core, fixture->pid, &held.ns, NULL), 0);
	assert_int_not_equal(hv_target_repair(fixture->attacher, &held, &repaired, &err), HV_OK);
	hv_error_done(&err);
	assert_int_equal(repaired.refused, 0);
	assert_int_equal(kill(fixture->pid, 0), 0);
	assert_null(strstr(state_of(fixture, target), "refused"));
	assert_int_equal(mkdir(source, 0755), 0);
	assert_int_equal(hv_target_repair(fixture->attacher, &held, &repaired, &err), HV_OK);
	assert_int_equal(repaired.attached, 1);
	mc_ns_close(&held.ns);
	free(target);
}

/* By the Engine's event the program has begun: it is not killed. */
RECONCILER_TEST(what_is_required_and_comes_too_late_is_told)
{
	char source[400], away[400], *target;

	start_engine(fixture);
	snprintf(source, sizeof(source), "%s/needed", fixture->world->dir);
	snprintf(away, sizeof(away), "%s/away", fixture->world->dir);
	world_mkdir(fixture->world, "needed");
	assert_int_equal(world_create(fixture->world, other, "path=%s/needed", NULL), HV_OK);
	target = require(fixture, other);
	assert_int_equal(rename(source, away), 0);
	start_container(fixture);
	assert_int_equal(repair(fixture), HV_SOURCE_MISSING);
	assert_int_equal(kill(fixture->pid, 0), 0);
	assert_non_null(strstr(state_of(fixture, target),
		"pending it is required, but container 'web' had started before that could be refused: the directory "));
	assert_int_equal(rename(away, source), 0);
	assert_int_equal(repair(fixture), HV_OK);
	assert_string_equal(state_of(fixture, target), "attached");
	free(target);
}

/* Of one record, and of another. */
RECONCILER_TEST(being_required_is_an_option_like_others)
{
	struct hv_attach_request request = HV_ATTACH_REQUEST_INIT;
	struct hv_attachment attachment = {0};
	struct hv_error err = {0};
	char container[] = ID, *target;

	start_engine(fixture);
	start_container(fixture);
	target = require(fixture, data);
	free(require(fixture, data));
	assert_int_equal(attach_to(fixture, data, target, true, NULL), HV_TARGET_EXISTS);
	request.volume = data;
	request.container = container;
	request.target = target;
	request.required = true;
	request.persist = false;
	request.replace = replace;
	assert_int_equal(hv_attach(fixture->attacher, &request, &attachment, &err), HV_BAD_REQUEST);
	assert_non_null(strstr(hv_error_text(&err), "\"Required\" contradicts \"Persist\""));
	hv_error_done(&err);
	free(target);
}

/* The last thing that a check tells of it. */
static void expect_start_check(struct fixture *fixture, char *target, bool is_ok, const char *told)
{
	struct hv_attach_request request = HV_ATTACH_REQUEST_INIT;
	struct hv_check *checks = NULL;
	struct hv_error err = {0};
	char container[] = ID;
	size_t count = 0;

	request.volume = other;
	request.container = container;
	request.target = target;
	request.required = true;
	assert_int_equal(
		hv_attach_check(fixture->attacher, &request, &checks, &count, &err), HV_OK);
	assert_string_equal(checks[count - 1].name, "start");
	assert_int_equal(checks[count - 1].ok, is_ok);
	assert_non_null(strstr(checks[count - 1].detail, told));
	hv_checks_free(checks, count);
}

RECONCILER_TEST(a_check_tells_whether_the_next_start_would_be_refused)
{
	char source[400], away[400], *target;

	start_engine(fixture);
	snprintf(source, sizeof(source), "%s/needed", fixture->world->dir);
	snprintf(away, sizeof(away), "%s/away", fixture->world->dir);
	world_mkdir(fixture->world, "needed");
	assert_int_equal(world_create(fixture->world, other, "path=%s/needed", NULL), HV_OK);
	target = require(fixture, other);
	for (int is_running = 0; is_running < 2; is_running++) {
		if (is_running) {
			start_container(fixture);
			assert_int_equal(repair(fixture), HV_OK);
		}
		expect_start_check(
			fixture, target, true, "is there for the container's next start");
		assert_int_equal(rename(source, away), 0);
		expect_start_check(fixture, target, false,
			"the container's next start would be refused: the directory ");
		assert_int_equal(rename(away, source), 0);
	}
	free(target);
}

/* As it is after a start that failed; `policy` and `error` are the Engine's words. */
static void tell_failed(struct fixture *fixture, const char *policy, const char *error)
{
	char *answer = NULL;

	assert_true(asprintf(&answer,
			    HEAD("200 OK") CLOSED
			    "{\"Id\":\"" ID "\",\"Name\":\"/web\",\"State\":"
			    "{\"Running\":false,\"Pid\":0,\"Error\":\"%s\","
			    "\"StartedAt\":\"2999-01-01T00:00:00Z\"},"
			    "\"HostConfig\":{\"RestartPolicy\":{\"Name\":\"%s\"}}}",
			    error, policy) > 0);
	fake_engine_set(fixture->fake, INSPECT_PATH, answer);
	free(answer);
	fake_engine_set(fixture->fake, START_PATH, HEAD("204 No Content") CLOSED);
}

static void expect_restart(struct fixture *fixture, enum hv_restart_is is)
{
	struct hv_restart restart = {0};
	struct hv_error err = {0};

	assert_int_equal(hv_attachments_restart(fixture->attacher, ID, &restart, &err), HV_OK);
	assert_int_equal(restart.is, is);
}

/* A container with the volume "other", required, whose start was refused while the volume's
 * directory is away. */
struct refused {
	struct fixture *fixture;
	char source[400];
	char away[400];
	char *target;
};

static void begin_refused(struct refused *self, struct fixture *fixture, const char *policy)
{
	unsigned refused;

	*self = (struct refused){.fixture = fixture};
	snprintf(self->source, sizeof(self->source), "%s/needed", fixture->world->dir);
	snprintf(self->away, sizeof(self->away), "%s/away", fixture->world->dir);
	start_engine(fixture);
	world_mkdir(fixture->world, "needed");
	assert_int_equal(world_create(fixture->world, other, "path=%s/needed", NULL), HV_OK);
	self->target = require(fixture, other);
	assert_int_equal(rename(self->source, self->away), 0);
	start_container(fixture);
	assert_true(refuse(fixture, &refused));
	assert_int_equal(waitpid(fixture->pid, NULL, 0), fixture->pid);
	fixture->pid = 0;
	tell_failed(fixture, policy, "container process is already dead");
}

static void end_refused(struct refused *self)
{
	free(self->target);
}

RECONCILER_TEST(a_refused_container_is_started_again_when_its_source_is_back)
{
	struct refused self;

	begin_refused(&self, fixture, "always");
	expect_restart(fixture, HV_RESTART_WAITING);
	assert_non_null(strstr(state_of(fixture, self.target),
		"; the container is started again as soon as it can be attached"));
	stop_engine(fixture); /* which is not asked while there is nothing to do */
	expect_restart(fixture, HV_RESTART_WAITING);
	start_engine(fixture);
	tell_failed(fixture, "always", "container process is already dead");
	assert_int_equal(fake_engine_posts(fixture->fake), 0);
	assert_int_equal(rename(self.away, self.source), 0);
	expect_restart(fixture, HV_RESTART_DONE);
	assert_int_equal(fake_engine_posts(fixture->fake), 1);
	/* It runs, and all is well. */
	start_container(fixture);
	assert_int_equal(repair(fixture), HV_OK);
	assert_string_equal(state_of(fixture, self.target), "attached");
	expect_restart(fixture, HV_RESTART_OVER);
	end_refused(&self);
}

RECONCILER_TEST(a_refused_container_is_left_alone_unless_it_is_to_be_restarted)
{
	static const struct {
		const char *policy, *error;
	} cases[] = {{"no", "already dead"}, {"", "already dead"}, {"no", ""}};
	struct refused self;
	unsigned refused;

	begin_refused(&self, fixture, "no");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		start_container(fixture);
		assert_true(refuse(fixture, &refused));
		assert_int_equal(waitpid(fixture->pid, NULL, 0), fixture->pid);
		fixture->pid = 0;
		tell_failed(fixture, cases[i].policy, cases[i].error);
		expect_restart(fixture, HV_RESTART_LEFT);
		expect_restart(fixture, HV_RESTART_OVER);
		assert_null(strstr(state_of(fixture, self.target), "started again"));
	}
	assert_int_equal(fake_engine_posts(fixture->fake), 0);
	end_refused(&self);
}

/* Podman tells no error, but that it has not run. */
RECONCILER_TEST(a_container_of_podman_is_started_again_too)
{
	struct refused self;

	begin_refused(&self, fixture, "always");
	expect_restart(fixture, HV_RESTART_WAITING);
	assert_int_equal(rename(self.away, self.source), 0);
	fake_engine_set(fixture->fake, INSPECT_PATH,
		HEAD("200 OK") CLOSED
		"{\"Id\":\"" ID
		"\",\"Name\":\"/web\",\"State\":{\"Status\":\"created\",\"Error\":\"\","
		"\"StartedAt\":\"0001-01-01T00:00:00Z\"},"
		"\"HostConfig\":{\"RestartPolicy\":{\"Name\":\"always\"}}}");
	expect_restart(fixture, HV_RESTART_DONE);
	end_refused(&self);
}

/* It ran in between, and hostvol did not see it. */
RECONCILER_TEST(a_refused_container_that_was_stopped_by_hand_since_is_left_alone)
{
	struct refused self;

	begin_refused(&self, fixture, "unless-stopped");
	expect_restart(fixture, HV_RESTART_WAITING);
	tell_failed(fixture, "unless-stopped", "");
	assert_int_equal(rename(self.away, self.source), 0);
	expect_restart(fixture, HV_RESTART_LEFT);
	expect_restart(fixture, HV_RESTART_OVER);
	assert_int_equal(fake_engine_posts(fixture->fake), 0);
	end_refused(&self);
}

/* A start that fails again is tried later and later. */
RECONCILER_TEST(a_start_that_the_engine_refuses_is_an_error)
{
	struct hv_restart restart = {0};
	struct hv_error err = {0};
	struct refused self;

	begin_refused(&self, fixture, "on-failure");
	assert_int_equal(rename(self.away, self.source), 0);
	expect_restart(fixture, HV_RESTART_WAITING); /* decided, and not before a second */
	fake_engine_set(fixture->fake, START_PATH,
		HEAD("500 Internal Server Error") CLOSED "{\"message\":\"no such runtime\"}");
	assert_int_equal(
		hv_attachments_restart(fixture->attacher, ID, &restart, &err), HV_INTERNAL);
	assert_non_null(strstr(hv_error_text(&err), "no such runtime"));
	hv_error_done(&err);
	end_refused(&self);
}

/* The refusal is on record: a daemon that starts anew goes on with it. */
RECONCILER_TEST(a_reconciler_that_starts_finds_what_was_refused)
{
	struct refused self;

	begin_refused(&self, fixture, "always");
	start_reconciler(fixture);
	for (int left_ms = PATIENCE_MS; left_ms > 0; left_ms -= 5) {
		if (strstr(state_of(fixture, self.target), "; the container is started again"))
			break;
		sleep_a_little();
	}
	assert_int_equal(fake_engine_posts(fixture->fake), 0);
	assert_int_equal(rename(self.away, self.source), 0);
	for (int left_ms = PATIENCE_MS; left_ms > 0; left_ms -= 5) {
		if (fake_engine_posts(fixture->fake) > 0)
			break;
		sleep_a_little();
	}
	assert_int_not_equal(fake_engine_posts(fixture->fake), 0);
	stop_reconciler(fixture);
	end_refused(&self);
}

TEST_MAIN_IN_NAMESPACE()
