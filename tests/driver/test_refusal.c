/* An attachment that its container is not to start without. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/hv_test.h"

#include "inside.h"
#include "reconciler_fixture.h"

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
	assert_int_equal(hv_attach(&fixture->attacher, &request, &attachment, &err), HV_OK);
	assert_true(attachment.required);
	hv_attachment_done(&attachment);
	return target;
}

/* The records, as a start finds them when all were tried. */
static bool refuse(struct fixture *fixture, unsigned *ret_refused)
{
	struct hv_siblings siblings = {0};
	struct hv_repaired repaired = {0};
	struct mc_ns ns = MC_NS_NONE;
	struct hv_error err = {0};
	bool is_refused;

	assert_int_equal(hv_siblings_read(&fixture->attacher, ID, &siblings, &err), HV_OK);
	assert_int_equal(mc_ns_open(fixture->attacher.core, fixture->pid, &ns, NULL), 0);
	is_refused = hv_start_refuse(&fixture->attacher, &ns, &siblings, &repaired);
	*ret_refused = repaired.refused;
	mc_ns_close(&ns);
	hv_siblings_done(&siblings);
	return is_refused;
}

static void what_is_not_required_keeps_nothing_from_starting(void **state)
{
	struct fixture *fixture = *state;
	unsigned refused;

	start_engine(fixture);
	assert_int_equal(attach(fixture, true), HV_OK); /* pending */
	start_container(fixture);
	assert_false(refuse(fixture, &refused));
	assert_int_equal(refused, 0);
	assert_int_equal(kill(fixture->pid, 0), 0);
	assert_string_equal(state_of(fixture, fixture->target), "pending");
}

static void a_start_that_lacks_what_is_required_is_refused_with_the_reason(void **state)
{
	struct fixture *fixture = *state;
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

static void a_start_that_has_what_is_required_goes_on(void **state)
{
	struct fixture *fixture = *state;
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

/* By the Engine's event the program has begun: it is not killed. */
static void what_is_required_and_comes_too_late_is_told(void **state)
{
	struct fixture *fixture = *state;
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
static void being_required_is_an_option_like_others(void **state)
{
	struct fixture *fixture = *state;
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
	assert_int_equal(
		hv_attach(&fixture->attacher, &request, &attachment, &err), HV_BAD_REQUEST);
	assert_non_null(strstr(hv_error_text(&err), "\"Required\" contradicts \"Persist\""));
	hv_error_done(&err);
	free(target);
}

static void run(void)
{
	const struct CMUnitTest tests[] = {
		RECONCILED(what_is_not_required_keeps_nothing_from_starting),
		RECONCILED(a_start_that_lacks_what_is_required_is_refused_with_the_reason),
		RECONCILED(a_start_that_has_what_is_required_goes_on),
		RECONCILED(what_is_required_and_comes_too_late_is_told),
		RECONCILED(being_required_is_an_option_like_others),
	};

	exit(cmocka_run_group_tests(tests, NULL, NULL));
}

int main(void)
{
	int rc = hv_need_privilege();

	if (rc)
		return rc;
	hv_in_namespace(run);
	return 0;
}
