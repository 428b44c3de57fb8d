/* SPDX-License-Identifier: Apache-2.0 */
/* The replies of the nodes of a Swarm to a request (cli/carrier.h). */
#ifndef CLI_REPLIES_H
#define CLI_REPLIES_H

#include "cli/carrier.h"

enum hv_node_state {
	HV_NODE_ASKED,
	HV_NODE_ANSWERED,
	HV_NODE_LATER, /* it cannot be asked now, and Swarm asks it as soon as it can be */
	HV_NODE_LOST,  /* no answer in time, and nobody asks it again */
};

/* A node's reply; strings are owned. */
struct hv_reply {
	char *id;
	char *name;
	bool has_tasks;    /* running ones of the service */
	bool is_concerned; /* it is one of those that have to answer */
	enum hv_node_state state;
	bool is_pending;  /* HV_NODE_ASKED: Swarm has not given the task to the node yet */
	bool is_unasked;  /* HV_NODE_ANSWERED, but not by the daemon: it does not even take requests
			   */
	bool may_be_done; /* HV_NODE_ANSWERED: the daemon has done it, or its answer went astray */
	struct json_object *answer; /* to be put; NULL: none, or a refusal */
	struct hv_error err;        /* the refusal, or why there is no answer */
};

/* Zeroed it is empty. */
struct hv_replies {
	struct hv_reply *items;
	size_t count;
	struct json_object *tasks; /* of the service and of the carrier */
	bool is_interrupted;       /* by a signal */
};
void hv_replies_done(struct hv_replies *replies) __attribute__((nonnull));
#define hv_auto_replies HV_AUTO(hv_replies_done)

struct hv_replies_wait {
	const char *service;  /* the ID of the one that the request is about; NULL: of none */
	const char *endpoint; /* for sentences */
	struct json_object
		*concern;    /* the IDs of further nodes that have to answer: keys; or NULL */
	bool is_everywhere;  /* the carrier has no constraints */
	bool counts_drained; /* with is_everywhere: there is a reply of a drained or paused node,
				too */
	long seconds;        /* at most */
};

/* Wait for the replies of all nodes that the carrier reaches, and of those that have tasks of the
 * service.  A node that cannot be asked is not waited for.  A manager that does not answer is asked
 * again.  Returns HV_OK, also if nodes did not answer, HV_NO_SUCH_CONTAINER (the carrier is gone:
 * nobody answers any more), or why the Engine no longer tells. */
enum hv_code hv_replies_wait(const struct hv_swarm *swarm, const struct hv_carried *carried,
	const struct hv_replies_wait *wait, struct hv_replies *ret, struct hv_error *err)
	__attribute__((nonnull, warn_unused_result));

/* Whether the error of a task leaves it open that the daemon has done as it was asked.  An Engine
 * that lost the daemon's answer has an error of its own; only a refusal of the request itself is
 * sure to have done nothing. */
bool hv_answer_may_be_done(const char *text) __attribute__((nonnull, warn_unused_result));

/* Whether a task is meant to run. */
bool hv_task_is_running(struct json_object *task) __attribute__((warn_unused_result));

#endif
