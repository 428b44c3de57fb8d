/* SPDX-License-Identifier: Apache-2.0 */
#include "follow_job.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>

#include "mountcore/cleanup.h"
#include "wire/text.h"

struct hv_follow_job *hv_follow_job_new(const char *id, const char *path)
{
	struct hv_follow_job *job = calloc(1, sizeof(*job));

	if (!job)
		return NULL;
	job->inotify = job->old_inotify = MC_FD_NONE;
	job->id = strdup(id);
	job->path = strdup(path);
	if (job->id && job->path)
		return job;
	hv_follow_job_free(job);
	return NULL;
}

void hv_follow_job_free(struct hv_follow_job *job)
{
	hv_links_done(&job->links);
	mc_close_fd(&job->inotify);
	mc_close_fd(&job->old_inotify);
	free(job->id);
	free(job->path);
	free(job->real);
	free(job);
}

/* Watch a path that may lead to a server, with an instance of its own. */
static int walk_slowly(const struct hv_follower_args *args, struct hv_follow_job *job)
{
	hv_auto_free struct mc_chain *chain = malloc(sizeof(*chain));
	int rc;

	mc_close_fd(&job->old_inotify);
	job->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (!chain || job->inotify < 0) {
		job->watched = chain ? -errno : -ENOMEM;
		return job->watched;
	}
	rc = mc_chain_walk(args->core,
		&(struct mc_chain_args){
			.path = job->path, .inotify = job->inotify, .may_wait = true},
		chain, NULL);
	if (rc < 0)
		return rc;
	job->watched = chain->watched;
	job->links = hv_links_copy(chain);
	job->real = chain->found == 0 ? strdup(chain->real) : NULL;
	return 0;
}

static char *describe_unwatched(const struct hv_follow_job *job)
{
	if (job->watched == -ENOSPC)
		return hv_text_format(
			"%s is not watched: there are no more inotify watches; raise fs.inotify.max_user_watches",
			job->path);
	if (job->watched == -EMFILE)
		return hv_text_format(
			"%s is not watched: there are no more inotify instances; raise fs.inotify.max_user_instances",
			job->path);
	return hv_text_format(
		"%s cannot be watched: %s", job->path, strerrordesc_np(-job->watched));
}

static void note_watched(const struct hv_follower_args *args, struct hv_follow_job *job)
{
	hv_auto_error struct hv_error err = {0};
	hv_auto_free char *text = NULL;

	if (job->watched == 0 && !job->was_unwatched)
		return;
	job->is_unwatched = job->watched < 0;
	if (job->is_unwatched) {
		text = describe_unwatched(job);
		if (!job->was_unwatched)
			hv_log_line(args->log, HV_LOG_WARN, "attachment %s: %s", job->id,
				text ? text : "");
		if (!text)
			return;
	}
	(void)!hv_attachment_note_unwatched(args->attacher, job->id, text, &err);
}

void hv_follow_job_do(const struct hv_follower_args *args, struct hv_follow_job *job)
{
	hv_auto_error struct hv_error err = {0};
	enum hv_follow_is is = HV_FOLLOW_OVER;

	if (job->is_slow && walk_slowly(args, job) < 0) {
		job->is_failed = true;
		note_watched(args, job);
		return;
	}
	if (hv_attachment_follow(args->attacher, job->id, &is, &err) != HV_OK) {
		job->is_failed = true;
		hv_log_line(args->log, HV_LOG_DEBUG, "attachment %s does not follow %s: %s",
			job->id, job->path, hv_error_text(&err));
		return;
	}
	if (is == HV_FOLLOW_DONE)
		hv_log_line(
			args->log, HV_LOG_DEBUG, "attachment %s follows %s", job->id, job->path);
	job->is_over = is == HV_FOLLOW_OVER;
	job->is_failed = is == HV_FOLLOW_DEAD || job->watched < 0;
	note_watched(args, job);
}
