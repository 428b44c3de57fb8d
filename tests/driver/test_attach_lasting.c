/* What is recorded is what comes back: targets where something is mounted already, targets below
 * each other, over the restarts of a container. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/hv_test.h"

#include "reconciler_fixture.h"
#include "scratch.h"

static char atomically[] = "true", anyhow[] = "nonatomic";
static char data[] = "data", other[] = "other";

/* Its end is noticed before the next start: the kernel uses the numbers of namespaces again. */
static void stop(struct fixture *fixture)
{
	struct hv_repaired repaired = {0};
	struct hv_error err = {0};

	stop_container(fixture);
	assert_int_equal(hv_attachments_look(&fixture->attacher, ID, &repaired, &err), HV_OK);
}

static void restart(struct fixture *fixture)
{
	stop(fixture);
	start_container(fixture);
}

static void begin_on_own_mount(struct fixture *fixture)
{
	fixture->own_mount = fixture->target;
	assert_int_equal(world_create(fixture->world, other, NULL, NULL), HV_OK);
	start_engine(fixture);
	start_container(fixture);
	assert_int_equal(attach(fixture, true), HV_TARGET_EXISTS);
}

static void what_covers_a_mount_of_the_container_is_back_after_a_restart(void **state)
{
	struct fixture *fixture = *state;

	begin_on_own_mount(fixture);
	assert_int_equal(attach_to(fixture, data, fixture->target, true, atomically), HV_OK);
	assert_int_equal(count_mounts(fixture), 2);
	for (int i = 0; i < 2; i++) {
		restart(fixture);
		assert_int_equal(repair(fixture), HV_OK);
		assert_string_equal(state_of(fixture, fixture->target), "attached");
		assert_int_equal(count_mounts(fixture), 2);
	}
	/* Another of ours in its place: the container's own stays. */
	assert_int_equal(attach_to(fixture, other, fixture->target, true, anyhow), HV_OK);
	assert_int_equal(count_mounts(fixture), 2);
	restart(fixture);
	assert_int_equal(repair(fixture), HV_OK);
	assert_int_equal(count_mounts(fixture), 2);
	assert_int_equal(detach_from(fixture, fixture->target), HV_OK);
	assert_int_equal(count_mounts(fixture), 1);
	assert_string_equal(state_of(fixture, fixture->target), "");
}

static void what_is_to_cover_waits_for_the_start(void **state)
{
	struct fixture *fixture = *state;

	begin_on_own_mount(fixture);
	stop(fixture);
	assert_int_equal(attach(fixture, true), HV_OK); /* to be refused at the start */
	start_container(fixture);
	assert_int_equal(repair(fixture), HV_TARGET_EXISTS);
	assert_int_equal(count_mounts(fixture), 1);
	stop(fixture);
	assert_int_equal(attach_to(fixture, data, fixture->target, true, atomically), HV_OK);
	start_container(fixture);
	assert_int_equal(repair(fixture), HV_OK);
	assert_string_equal(state_of(fixture, fixture->target), "attached");
	assert_int_equal(count_mounts(fixture), 2);
	/* The same wish again is answered with what is there. */
	assert_int_equal(attach_to(fixture, data, fixture->target, true, atomically), HV_OK);
	assert_int_equal(attach(fixture, true), HV_OK);
	assert_int_equal(count_mounts(fixture), 2);
	assert_int_equal(detach_from(fixture, fixture->target), HV_OK);
	assert_int_equal(count_mounts(fixture), 1);
}

static void run(void)
{
	const struct CMUnitTest tests[] = {
		RECONCILED(what_covers_a_mount_of_the_container_is_back_after_a_restart),
		RECONCILED(what_is_to_cover_waits_for_the_start),
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
