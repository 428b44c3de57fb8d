/* SPDX-License-Identifier: Apache-2.0 */
/* The memory of looks at volumes, and the events that follow from it. */
#include <stdio.h>
#include <stdlib.h>

#include "support/hv_test.h"

#include "patients.h"
#include "world.h"

enum { MANY = 40, TOLD = 32 };

static struct hv_volume get(struct volume_fixture *world, const char *name)
{
	struct hv_volume volume = {0};

	assert_int_equal(hv_volume_get(world->volumes, name, &volume, &world->err), HV_OK);
	return volume;
}

static struct hv_patient *add(
	struct hv_patients *patients, struct volume_fixture *world, const char *name)
{
	struct hv_volume volume;
	struct hv_patient *patient;

	assert_int_equal(world_create(world, name, NULL, NULL), HV_OK);
	volume = get(world, name);
	patient = hv_patients_add(patients, world->volumes, &volume);
	assert_non_null(patient);
	return patient;
}

/* Show the result of a look.  Returns whether it is to be told by an event. */
static bool show(struct hv_patients *patients, struct hv_patient *patient, enum hv_health health)
{
	bool is_known, is_told;

	patient->checkup.health = health;
	hv_error_done(&patient->checkup.problem);
	if (hv_is_ill(health))
		hv_fail(&patient->checkup.problem, HV_SOURCE_MISSING, "it is ill");
	is_told = hv_patients_show(patients, patient, &is_known);
	return is_told && !is_known;
}

static void expect_problem(struct hv_patients *patients, const char *name, const char *wanted)
{
	hv_auto_free char *problem = hv_patients_problem(patients, name);

	if (wanted)
		assert_string_equal(problem ? problem : "", wanted);
	else
		assert_null(problem);
}

WORLD_TEST(of_many_problems_some_are_told_and_the_end_of_each_of_those)
{
	struct hv_patient *all[MANY];
	struct hv_patients patients;
	char name[16];

	hv_patients_init(&patients);
	for (int i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "v%d", i);
		all[i] = add(&patients, world, name);
		assert_false(show(&patients, all[i], HV_HEALTH_GOOD));
	}
	for (int i = 0; i < MANY; i++)
		assert_int_equal(show(&patients, all[i], HV_HEALTH_NEARLY_FULL), i < TOLD);
	assert_int_equal(hv_patients_count(&patients, HV_HEALTH_NEARLY_FULL), MANY);
	for (int i = 0; i < MANY; i++)
		assert_int_equal(show(&patients, all[i], HV_HEALTH_GOOD), i < TOLD);
	assert_int_equal(hv_patients_untold(&patients), MANY - TOLD);
	assert_true(show(&patients, all[0], HV_HEALTH_MISSING));
	hv_patients_done(&patients);
}

WORLD_TEST(a_change_of_options_forgets_nothing)
{
	struct hv_patients patients;
	struct hv_patient *patient;
	struct hv_volume volume;
	struct hv_checkup *checkup;
	uint64_t ino;

	hv_patients_init(&patients);
	patient = add(&patients, world, "data");
	checkup = &patient->checkup;
	hv_volumes_check(world->volumes, &checkup, 1, 0);
	assert_int_equal(checkup->health, HV_HEALTH_GOOD);
	ino = checkup->ino;
	assert_true(ino > 0 && checkup->mountpoint);
	assert_true(show(&patients, patient, HV_HEALTH_REPLACED));
	assert_int_equal(world_set(world, "data", "ro=true", NULL), HV_OK);
	volume = get(world, "data");
	assert_true(hv_patients_renew(&patients, patient, world->volumes, &volume));
	assert_ptr_equal(hv_names_find(&patients.names, "data"), patient);
	assert_true(checkup->volume.read_only && checkup->mountpoint);
	assert_int_equal(checkup->ino, ino);
	expect_problem(&patients, "data", "it is ill");
	assert_false(show(&patients, patient, HV_HEALTH_REPLACED));
	assert_true(show(&patients, patient, HV_HEALTH_GOOD));
	hv_patients_done(&patients);
}

WORLD_TEST(a_problem_that_is_not_looked_at_any_more_is_not_shown)
{
	struct hv_patients patients;
	struct hv_patient *patient;

	hv_patients_init(&patients);
	patient = add(&patients, world, "data");
	assert_false(hv_patients_forget(&patients, patient));
	assert_true(show(&patients, patient, HV_HEALTH_DEAD));
	assert_true(hv_patients_forget(&patients, patient));
	expect_problem(&patients, "data", NULL);
	assert_int_equal(hv_patients_count(&patients, HV_HEALTH_DEAD), 0);
	assert_int_equal(hv_patients_count(&patients, HV_HEALTH_UNKNOWN), 1);
	assert_false(show(&patients, patient, HV_HEALTH_DEAD)); /* an event has said so */
	assert_true(hv_patients_forget(&patients, patient));
	assert_true(show(&patients, patient, HV_HEALTH_GOOD));
	hv_patients_done(&patients);
}

TEST_MAIN_IN_NAMESPACE()
