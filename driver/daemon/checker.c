/* SPDX-License-Identifier: Apache-2.0 */
/* Sequence of a round: take in the volumes that came, changed or went; look at those that depend on
 * no server, some at a time; hand those of each server to a worker, unless one has them still; tell
 * each change.  The list of all volumes is read at the start, and each minute since it may have
 * been missed that one came. */
#include "daemon/checker.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "mountcore/core.h"
#include "wire/clock.h"
#include "wire/lock.h"
#include "wire/metrics.h"

#include "patients.h"
#include "workers.h"

enum {
	ROUND_MS = 2000,
	ROUND_MAX_MS = 60000,
	SHARE = 100, /* a round may take this part of the time */
	LIST_MS = 60000,
	STATE_RETRY_MS = 1000,
	LOCAL_MAX = 64,   /* volumes that are looked at in one go */
	WORKERS_MAX = 16, /* servers that are waited for at once */
	US_PER_MS = 1000,
};

/* Volumes of one server. */
struct visit {
	struct hv_work work;
	struct hv_checker *checker;
	uint64_t server;
	size_t count;
	struct hv_patient *patients[];
};

struct hv_checker {
	struct hv_checker_args args;
	struct hv_workers workers;
	pthread_t thread;
	struct hv_patients patients;
	pthread_mutex_t lock; /* of the three that follow */
	pthread_cond_t changed;
	bool is_stopping;
	struct hv_texts news; /* names of volumes that came, changed or went */
	/* Of the thread of the rounds. */
	struct hv_texts late;       /* names of volumes that changed while a worker had them */
	struct hv_texts ill_before; /* when the daemon started */
	unsigned lists;             /* how often all were listed */
	long long list_ms;          /* when to list all next */
	long long round_ms;
};

/* Whether the volume is the one that was looked at: while it is removed its directory goes, and
 * that is no problem. */
static bool is_there(const struct hv_checker *self, const struct hv_patient *patient)
{
	hv_auto_volume struct hv_volume now = {0};
	hv_auto_error struct hv_error ignored = {0};

	return hv_volume_get(self->args.volumes, patient->named.name, &now, &ignored) == HV_OK &&
	       strcmp(now.created_at, patient->checkup.volume.created_at) == 0;
}

static void tell(struct hv_checker *self, struct hv_patient *patient, bool is_known)
{
	hv_auto_error struct hv_error err = {0};
	const bool is_problem = hv_is_ill(patient->checkup.health);
	/* Changed by this thread only. */
	const char *problem = patient->problem ? patient->problem : "out of memory";

	if (is_problem)
		hv_log_line(self->args.log, HV_LOG_WARN, "%s", problem);
	else
		hv_log_line(self->args.log, HV_LOG_INFO, "volume '%s' is well again",
			patient->named.name);
	if (!is_known && hv_volume_tell_health(self->args.volumes, patient->named.name,
				 is_problem ? problem : NULL, &err) != HV_OK)
		hv_log_line(self->args.log, HV_LOG_DEBUG, "%s", hv_error_text(&err));
}

static void publish(struct hv_checker *self, struct hv_patient *patient)
{
	bool is_known;

	hv_counter_add(HV_COUNT_LOOKS);
	if (hv_is_ill(patient->checkup.health) && patient->checkup.health != patient->health &&
		!is_there(self, patient))
		return;
	if (hv_patients_show(&self->patients, patient, &is_known))
		tell(self, patient, is_known);
}

/* --- looking --- */

static void look(
	struct hv_checker *self, struct hv_patient **patients, size_t count, uint64_t server)
{
	struct hv_checkup *checkups[LOCAL_MAX];

	for (size_t i = 0; i < count; i++)
		checkups[i] = &patients[i]->checkup;
	hv_volumes_check(self->args.volumes, checkups, count, server);
	for (size_t i = 0; i < count; i++)
		publish(self, patients[i]);
}

static void look_at_all(
	struct hv_checker *self, struct hv_patient **patients, size_t count, uint64_t server)
{
	for (size_t done = 0; done < count; done += LOCAL_MAX)
		look(self, patients + done, count - done < LOCAL_MAX ? count - done : LOCAL_MAX,
			server);
}

static void end_visit(struct visit *visit)
{
	for (size_t i = 0; i < visit->count; i++)
		hv_patients_leave(&visit->checker->patients, visit->patients[i]);
	free(visit);
}

static void work_on(void *context, struct hv_work *work)
{
	struct visit *visit = (struct visit *)work;

	look_at_all(context, visit->patients, visit->count, visit->server);
	end_visit(visit);
}

static void begin(void *context)
{
	const struct hv_checker *self = context;

	(void)!mc_core_lend_thread(self->args.core); /* else it takes longer */
}

/* Hand volumes of one server over. */
static void send(
	struct hv_checker *self, struct hv_patient **patients, size_t count, uint64_t server)
{
	struct visit *visit = malloc(sizeof(*visit) + count * sizeof(struct hv_patient *));

	if (!visit)
		return; /* the next round has more memory */
	*visit = (struct visit){.checker = self, .server = server, .count = count};
	memcpy(visit->patients, patients, count * sizeof(struct hv_patient *));
	for (size_t i = 0; i < count; i++)
		patients[i]->is_busy = true;
	hv_workers_add(&self->workers, &visit->work);
}

static int compare_servers(const void *a, const void *b)
{
	const struct hv_patient *const *one = a, *const *two = b;

	return ((*one)->server > (*two)->server) - ((*one)->server < (*two)->server);
}

/* Leave out those that cannot be looked at now, and sort the others by their servers; those without
 * are first.  Returns how many are left. */
static size_t sort_out(struct hv_checker *self, struct hv_patient **patients, size_t count)
{
	size_t used = 0;

	for (size_t i = 0; i < count; i++) {
		struct hv_patient *patient = patients[i];

		if (patient->is_busy)
			continue;
		if (hv_checkup_route(self->args.volumes, &patient->checkup, &patient->server))
			patients[used++] = patient;
		else if (hv_patients_forget(&self->patients, patient))
			hv_log_line(self->args.log, HV_LOG_INFO,
				"volume '%s' is mounted on demand: it is looked at when it is used next",
				patient->named.name);
	}
	qsort(patients, used, sizeof(struct hv_patient *), compare_servers);
	return used;
}

/* Look at each, or have it looked at.  The array is changed. */
static void visit_all(struct hv_checker *self, struct hv_patient **patients, size_t count)
{
	size_t end;

	count = sort_out(self, patients, count);
	for (size_t from = 0; from < count; from = end) {
		uint64_t server = patients[from]->server;

		for (end = from; end < count && patients[end]->server == server;)
			end++;
		if (server)
			send(self, patients + from, end - from, server);
		else
			look_at_all(self, patients + from, end - from, 0);
	}
}

static void make_round(struct hv_checker *self)
{
	size_t count = self->patients.names.count;
	struct hv_patient **all = calloc(count + 1, sizeof(struct hv_patient *));

	if (!all)
		return; /* the next round has more memory */
	for (size_t i = 0; i < count; i++)
		all[i] = (struct hv_patient *)self->patients.names.items[i];
	visit_all(self, all, count);
	free(all);
}

/* --- the list of volumes --- */

static bool was_ill(const struct hv_checker *self, const char *name)
{
	for (size_t i = 0; i < self->ill_before.count; i++)
		if (strcmp(self->ill_before.items[i], name) == 0)
			return true;
	return false;
}

/* Takes the volume over.  Returns NULL if it cannot be looked at. */
static struct hv_patient *add_patient(struct hv_checker *self, struct hv_volume *volume)
{
	struct hv_patient *patient = hv_patients_add(&self->patients, self->args.volumes, volume);

	if (!patient)
		return NULL;
	patient->is_told = was_ill(self, patient->named.name);
	patient->list = self->lists;
	return patient;
}

static bool is_same_volume(const struct hv_volume *volume, const struct hv_volume *before)
{
	return strcmp(volume->created_at, before->created_at) == 0 &&
	       strcmp(volume->source, before->source) == 0;
}

/* Drop the patient and add the volume, which is taken over, if it is there. */
static struct hv_patient *replace(
	struct hv_checker *self, struct hv_patient *patient, struct hv_volume *volume)
{
	bool is_told = patient && hv_patients_is_told(&self->patients, patient);

	if (patient)
		hv_patients_drop(&self->patients, patient);
	if (!volume->name)
		return NULL;
	patient = add_patient(self, volume);
	if (patient)
		patient->is_told |= is_told; /* of the volume before */
	return patient;
}

/* A volume came, changed or went.  NULL: there is nothing to look at now. */
static struct hv_patient *take_in(struct hv_checker *self, const char *name)
{
	hv_auto_error struct hv_error ignored = {0};
	hv_auto_volume struct hv_volume volume = {0};
	struct hv_patient *patient = hv_names_find(&self->patients.names, name);

	if (hv_volume_get(self->args.volumes, name, &volume, &ignored) != HV_OK || !patient ||
		!is_same_volume(&volume, &patient->checkup.volume))
		return replace(self, patient, &volume);
	if (patient->is_busy && hv_texts_add(&self->late, name) == 0)
		return NULL;
	if (patient->is_busy)
		return replace(self, patient, &volume);
	if (hv_patients_renew(&self->patients, patient, self->args.volumes, &volume))
		return patient;
	hv_patients_drop(&self->patients, patient);
	return NULL;
}

static bool is_in_again(const struct hv_texts *news, size_t at)
{
	for (size_t i = at + 1; i < news->count; i++)
		if (strcmp(news->items[i], news->items[at]) == 0)
			return true;
	return false;
}

static void take_in_news(struct hv_checker *self, const struct hv_texts *news)
{
	struct hv_patient **came = calloc(news->count + 1, sizeof(struct hv_patient *));
	long long soon_ms = hv_clock_ms() + ROUND_MS;
	size_t count = 0;

	for (size_t i = 0; came && i < news->count; i++) {
		struct hv_patient *patient =
			is_in_again(news, i) ? NULL : take_in(self, news->items[i]);

		if (patient)
			came[count++] = patient;
	}
	if (count > 0 && self->round_ms > soon_ms && count == self->patients.names.count)
		self->round_ms = soon_ms; /* the first ones */
	if (came)
		visit_all(self, came, count);
	else
		self->list_ms = 0; /* they come with the list */
	free(came);
}

static void drop_missing(struct hv_checker *self)
{
	for (size_t i = self->patients.names.count; i > 0; i--) {
		struct hv_patient *patient = (struct hv_patient *)self->patients.names.items[i - 1];

		if (patient->list != self->lists)
			hv_patients_drop(&self->patients, patient);
	}
}

static void merge(struct hv_checker *self, struct hv_volume_list *list)
{
	self->lists++;
	for (size_t i = 0; i < list->count; i++) {
		struct hv_volume *volume = &list->items[i];
		struct hv_patient *patient = hv_names_find(&self->patients.names, volume->name);

		if (patient &&
			strcmp(patient->checkup.volume.created_at, volume->created_at) != 0) {
			hv_patients_drop(&self->patients, patient);
			patient = NULL;
		}
		if (!patient && volume->phase != HV_DAMAGED)
			patient = add_patient(self, volume);
		if (patient)
			patient->list = self->lists;
	}
	drop_missing(self);
}

static void list_all(struct hv_checker *self)
{
	hv_auto_error struct hv_error ignored = {0};
	hv_auto_volume_list struct hv_volume_list list = {0};

	if (self->lists == 0)
		(void)!hv_volumes_ill_before(self->args.volumes, &self->ill_before, &ignored);
	hv_error_done(&ignored);
	if (hv_volumes_list(self->args.volumes, &list, &ignored) != HV_OK)
		return;
	merge(self, &list);
	hv_texts_done(&self->ill_before);
	self->list_ms = hv_clock_ms() + LIST_MS;
}

/* --- the thread of the rounds --- */

static void on_change(void *context, const char *name)
{
	struct hv_checker *self = context;
	hv_auto_unlock pthread_mutex_t *lock = hv_lock(&self->lock);

	(void)!hv_texts_add(&self->news, name); /* else it comes with the list */
	pthread_cond_signal(&self->changed);
}

/* Wait for the next round, or for news.  Returns whether to go on. */
static bool wait_for_news(struct hv_checker *self, struct hv_texts *ret)
{
	hv_auto_unlock pthread_mutex_t *lock = hv_lock(&self->lock);

	while (!self->is_stopping && self->news.count == 0 &&
		hv_wait_until(&self->changed, lock, self->round_ms))
		continue;
	*ret = self->news;
	self->news = (struct hv_texts){0};
	return !self->is_stopping;
}

static void tell_untold(struct hv_checker *self)
{
	unsigned untold = hv_patients_untold(&self->patients);

	if (untold > 0)
		hv_log_line(self->args.log, HV_LOG_WARN,
			"%u more volumes have problems: docker hostvol doctor", untold);
}

static void go_round(struct hv_checker *self)
{
	hv_auto_texts struct hv_texts late = self->late;
	long long began_us = hv_clock_thread_us(), wait_ms;

	self->late = (struct hv_texts){0};
	tell_untold(self);
	take_in_news(self, &late);
	if (hv_clock_ms() >= self->list_ms)
		list_all(self);
	hv_workers_urge(&self->workers);
	make_round(self);
	wait_ms = (hv_clock_thread_us() - began_us) * SHARE / US_PER_MS;
	wait_ms = wait_ms < ROUND_MS ? ROUND_MS : wait_ms > ROUND_MAX_MS ? ROUND_MAX_MS : wait_ms;
	self->round_ms = hv_clock_ms() + wait_ms;
	/* With nothing to look at: a new volume is news. */
	if (self->patients.names.count == 0 && self->list_ms > self->round_ms)
		self->round_ms = self->list_ms;
}

static void *run(void *argument)
{
	struct hv_checker *self = argument;
	hv_auto_texts struct hv_texts news = {0};

	begin(self);
	while (wait_for_news(self, &news)) {
		hv_auto_error struct hv_error ignored = {0};

		if (self->args.open_state(self->args.context, &ignored) != HV_OK) {
			self->round_ms = hv_clock_ms() + STATE_RETRY_MS;
			hv_texts_done(&news);
			continue;
		}
		take_in_news(self, &news);
		hv_texts_done(&news);
		if (hv_clock_ms() >= self->round_ms)
			go_round(self);
	}
	return NULL;
}

/* --- the API --- */

static char *tell_problem(void *context, const char *volume)
{
	struct hv_checker *self = context;

	return hv_patients_problem(&self->patients, volume);
}

static void tell_problems(void *context, hv_problem_fn *fn, void *fn_context)
{
	struct hv_checker *self = context;

	hv_patients_each_problem(&self->patients, fn, fn_context);
}

static size_t count_health(void *context, enum hv_health health)
{
	struct hv_checker *self = context;

	return hv_patients_count(&self->patients, health);
}

struct hv_checker *hv_checker_start(const struct hv_checker_args *args)
{
	struct hv_checker *self = calloc(1, sizeof(*self));

	if (!self)
		return NULL;
	self->args = *args;
	hv_patients_init(&self->patients);
	pthread_mutex_init(&self->lock, NULL);
	pthread_cond_init(&self->changed, NULL);
	hv_workers_init(&self->workers,
		&(struct hv_workers_args){
			.max = WORKERS_MAX, .begin = begin, .work = work_on, .context = self});
	if (pthread_create(&self->thread, NULL, run, self) != 0) {
		free(self);
		return NULL;
	}
	hv_volumes_listen(args->volumes, on_change, self);
	args->api->health = (struct hv_api_health){
		.tell_problem = tell_problem,
		.each_problem = tell_problems,
		.count = count_health,
		.context = self,
	};
	return self;
}

static void release(struct hv_checker *self)
{
	struct hv_work *work;

	while ((work = hv_workers_take(&self->workers)))
		end_visit((struct visit *)work);
	hv_patients_done(&self->patients);
	hv_texts_done(&self->news);
	hv_texts_done(&self->ill_before);
	hv_texts_done(&self->late);
	hv_workers_done(&self->workers);
	pthread_cond_destroy(&self->changed);
	pthread_mutex_destroy(&self->lock);
	free(self);
}

bool hv_checker_stop(struct hv_checker *checker, int timeout_ms)
{
	long long until_ms = hv_clock_ms() + timeout_ms;
	const struct timespec until = {
		.tv_sec = until_ms / 1000, .tv_nsec = until_ms % 1000 * 1000000};

	hv_volumes_listen(checker->args.volumes, NULL, NULL);
	pthread_mutex_lock(&checker->lock);
	checker->is_stopping = true;
	pthread_cond_signal(&checker->changed);
	pthread_mutex_unlock(&checker->lock);
	hv_workers_stop(&checker->workers);
	if (pthread_clockjoin_np(checker->thread, NULL, CLOCK_MONOTONIC, &until) != 0 ||
		!hv_workers_wait(&checker->workers, until_ms))
		return false;
	release(checker);
	return true;
}
