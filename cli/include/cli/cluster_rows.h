/* SPDX-License-Identifier: Apache-2.0 */
/* The replies of the nodes of a Swarm, as a person and a program read them: a row for each task. */
#ifndef CLI_CLUSTER_ROWS_H
#define CLI_CLUSTER_ROWS_H

#include "cli/replies.h"

/* How many nodes. */
struct hv_tally {
	size_t nodes;
	size_t done;
	size_t refused;
	size_t absent; /* could not be asked, and have tasks or a part of the rule */
	size_t later;  /* could not be asked, and have neither */
};

/* The outcome at a node. */
enum hv_outcome { HV_OUTCOME_DONE, HV_OUTCOME_REFUSED, HV_OUTCOME_ABSENT, HV_OUTCOME_LATER };

/* With `is_detach` there being nothing to detach is success. */
enum hv_outcome hv_reply_judge(const struct hv_reply *reply, bool is_detach)
	__attribute__((nonnull));

/* Count all of them. */
struct hv_tally hv_replies_count(const struct hv_replies *replies, bool is_detach)
	__attribute__((nonnull));

/* Whether the container is of a task that is meant to run: those of former tasks are kept for a
 * while. */
bool hv_replies_has_task(const struct hv_replies *replies, const char *container)
	__attribute__((nonnull));

/* The name of its task, as `docker service ps` shows it; owned, NULL on ENOMEM. */
char *hv_task_name(const char *container) __attribute__((nonnull, warn_unused_result));

/* Print a table on stdout, or JSON.  Returns 0 or -ENOMEM. */
int hv_replies_print(const struct hv_replies *replies, bool is_detach, bool is_json)
	__attribute__((nonnull, warn_unused_result));

#endif
