/* SPDX-License-Identifier: Apache-2.0 */
#include "patients.h"

#include <stdlib.h>
#include <string.h>

#include "wire/lock.h"
#include "wire/text.h"

enum { TOLD_MAX = 32 }; /* problems that are told in a round, each */

static void drop_problem(struct hv_patient *patient)
{
	free(patient->problem);
	free(patient->hint);
	patient->problem = patient->hint = NULL;
}

static void free_patient(struct hv_patient *patient)
{
	hv_checkup_done(&patient->checkup);
	drop_problem(patient);
	free(patient);
}

void hv_patients_init(struct hv_patients *patients)
{
	*patients = (struct hv_patients){.told = 0};
	pthread_mutex_init(&patients->lock, NULL);
}

void hv_patients_done(struct hv_patients *patients)
{
	for (size_t i = 0; i < patients->names.count; i++)
		free_patient((struct hv_patient *)patients->names.items[i]);
	hv_names_done(&patients->names);
	pthread_mutex_destroy(&patients->lock);
}

struct hv_patient *hv_patients_add(
	struct hv_patients *patients, struct hv_volumes *volumes, struct hv_volume *volume)
{
	hv_auto_error struct hv_error ignored = {0};
	struct hv_patient *patient = calloc(1, sizeof(*patient));
	bool is_added;

	if (!patient || hv_checkup_init(volumes, volume, &patient->checkup, &ignored) != HV_OK) {
		hv_volume_done(volume);
		free(patient);
		return NULL;
	}
	patient->named.name = patient->checkup.volume.name;
	pthread_mutex_lock(&patients->lock);
	is_added = hv_names_add(&patients->names, &patient->named) == 0;
	patients->counts[HV_HEALTH_UNKNOWN] += is_added;
	pthread_mutex_unlock(&patients->lock);
	if (is_added)
		return patient;
	free_patient(patient);
	return NULL;
}

void hv_patients_drop(struct hv_patients *patients, struct hv_patient *patient)
{
	hv_auto_unlock pthread_mutex_t *lock = hv_lock(&patients->lock);

	hv_names_remove(&patients->names, patient->named.name);
	patients->counts[patient->health]--;
	patient->is_gone = true;
	if (!patient->is_busy)
		free_patient(patient);
}

void hv_patients_leave(struct hv_patients *patients, struct hv_patient *patient)
{
	hv_auto_unlock pthread_mutex_t *lock = hv_lock(&patients->lock);

	if (patient->is_gone)
		free_patient(patient);
	else
		patient->is_busy = false;
}

bool hv_patients_is_told(struct hv_patients *patients, const struct hv_patient *patient)
{
	hv_auto_unlock pthread_mutex_t *lock = hv_lock(&patients->lock);

	return patient->is_told;
}

bool hv_patients_renew(struct hv_patients *patients, struct hv_patient *patient,
	struct hv_volumes *volumes, struct hv_volume *volume)
{
	hv_auto_error struct hv_error ignored = {0};
	struct hv_checkup next;

	if (hv_checkup_init(volumes, volume, &next, &ignored) != HV_OK)
		return false;
	hv_checkup_inherit(&next, &patient->checkup);
	pthread_mutex_lock(&patients->lock);
	hv_checkup_done(&patient->checkup);
	patient->checkup = next;
	patient->named.name = patient->checkup.volume.name;
	pthread_mutex_unlock(&patients->lock);
	return true;
}

bool hv_patients_forget(struct hv_patients *patients, struct hv_patient *patient)
{
	hv_auto_unlock pthread_mutex_t *lock = hv_lock(&patients->lock);

	if (!hv_is_ill(patient->health))
		return false;
	patients->counts[patient->health]--;
	patients->counts[HV_HEALTH_UNKNOWN]++;
	patient->health = patient->checkup.health = HV_HEALTH_UNKNOWN;
	hv_error_done(&patient->checkup.problem);
	drop_problem(patient);
	return true;
}

/* With the lock.  Whether there is room for one more problem in this round; else it is counted. */
static bool may_tell(struct hv_patients *patients)
{
	bool may = patients->told < TOLD_MAX;

	patients->told += may;
	patients->untold += !may;
	return may;
}

bool hv_patients_show(struct hv_patients *patients, struct hv_patient *patient, bool *ret_is_known)
{
	hv_auto_unlock pthread_mutex_t *lock = hv_lock(&patients->lock);
	struct hv_error *problem = &patient->checkup.problem;
	enum hv_health health = patient->checkup.health, before = patient->health;

	*ret_is_known = before == HV_HEALTH_UNKNOWN && hv_is_ill(health) && patient->is_told;
	if (patient->is_gone)
		return false;
	patients->counts[before]--;
	patients->counts[health]++;
	patient->health = health;
	if (problem->message || !hv_is_ill(health)) { /* else it has been taken over already */
		drop_problem(patient);
		patient->problem = problem->message;
		patient->hint = problem->hint;
		problem->message = problem->hint = NULL;
	}
	if (before == health || (!hv_is_ill(health) && !patient->is_told))
		return false;
	/* Each end of what was told is told. */
	if (hv_is_ill(health) && !may_tell(patients))
		return false;
	patient->is_told = hv_is_ill(health);
	return true;
}

unsigned hv_patients_untold(struct hv_patients *patients)
{
	hv_auto_unlock pthread_mutex_t *lock = hv_lock(&patients->lock);
	unsigned untold = patients->untold;

	patients->told = patients->untold = 0;
	return untold;
}

/* As an error's sentence and hint in one. */
static char *fold(const struct hv_patient *patient)
{
	return patient->hint ? hv_text_format("%s; %s", patient->problem, patient->hint)
			     : strdup(patient->problem);
}

char *hv_patients_problem(struct hv_patients *patients, const char *volume)
{
	hv_auto_unlock pthread_mutex_t *lock = hv_lock(&patients->lock);
	const struct hv_patient *patient = hv_names_find(&patients->names, volume);

	return patient && patient->problem ? fold(patient) : NULL;
}

void hv_patients_each_problem(struct hv_patients *patients, hv_problem_fn *tell, void *context)
{
	hv_auto_unlock pthread_mutex_t *lock = hv_lock(&patients->lock);

	for (size_t i = 0; i < patients->names.count; i++) {
		const struct hv_patient *at = (struct hv_patient *)patients->names.items[i];

		if (at->problem)
			tell(context, at->named.name, at->health, at->problem, at->hint);
	}
}

size_t hv_patients_count(struct hv_patients *patients, enum hv_health health)
{
	hv_auto_unlock pthread_mutex_t *lock = hv_lock(&patients->lock);

	return patients->counts[health];
}
