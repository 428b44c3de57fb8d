/* SPDX-License-Identifier: Apache-2.0 */
/* The parts that commands about rules on all nodes of a Swarm have in common. */
#ifndef CLI_CLUSTER_RULE_H
#define CLI_CLUSTER_RULE_H

#include "cli/replies.h"

enum {
	HV_CLUSTER_ID_SIZE = 13,
	HV_CLUSTER_SECONDS =
		40, /* for the answers of all nodes: Swarm takes 20 s to see one go down */
};

/* A rule's names; owned. */
struct hv_cluster_rule {
	char id[HV_CLUSTER_ID_SIZE];
	char *name; /* of its carrier */
	char *selector;
	char *target; /* cleaned */
};

/* Make the names.  Returns HV_OK or HV_INTERNAL; the caller frees `ret` with
 * hv_cluster_rule_done(). */
enum hv_code hv_cluster_rule_init(
	const char *selector, const char *target, struct hv_cluster_rule *ret, struct hv_error *err)
	__attribute__((nonnull, warn_unused_result));
void hv_cluster_rule_done(struct hv_cluster_rule *rule) __attribute__((nonnull));
#define hv_auto_cluster_rule HV_AUTO(hv_cluster_rule_done)

/* The Spec of its carrier with that call for the nodes; to be put, NULL on ENOMEM. */
struct json_object *hv_cluster_rule_spec(const struct hv_swarm *swarm,
	const struct hv_cluster_rule *rule, const struct hv_call *call,
	struct json_object *constraints, bool is_ending)
	__attribute__((nonnull(1, 2, 3), warn_unused_result));

/* Whether its carrier ends the rule. */
bool hv_carrier_is_ending(struct json_object *service);

/* The constraints of a service, borrowed; NULL: it has none. */
struct json_object *hv_service_constraints(struct json_object *service);

struct hv_cluster_question {
	const struct hv_call *call;
	struct json_object *service; /* that it is about; borrowed; NULL: about none */
	bool is_everywhere; /* all nodes, not only those that can have tasks of it; the drained ones
			       have a reply that says so */
	long seconds;
};

/* Remove the carriers of questions whose command was killed. */
void hv_cluster_remove_stale(const struct hv_swarm *swarm) __attribute__((nonnull));

/* Ask the nodes by a carrier that is removed again.  Those of former commands that were killed are
 * removed, too. */
enum hv_code hv_cluster_ask(const struct hv_swarm *swarm,
	const struct hv_cluster_question *question, struct hv_replies *ret, struct hv_error *err)
	__attribute__((nonnull, warn_unused_result));

/* Look whether the rule's carrier still has the request of this command, before that changes it
 * again.  Returns HV_OK, HV_BUSY (another command has changed or removed it), or why the Engine
 * does not tell. */
enum hv_code hv_cluster_check_own(const struct hv_swarm *swarm, const struct hv_cluster_rule *rule,
	const struct hv_carried *carried, struct hv_error *err)
	__attribute__((nonnull, warn_unused_result));

/* Look whether the rule still has no carrier, after its nodes were asked without one.  Returns
 * HV_OK, HV_BUSY (another command has made it), or why the Engine does not tell. */
enum hv_code hv_cluster_check_none(const struct hv_swarm *swarm, const struct hv_cluster_rule *rule,
	struct hv_error *err) __attribute__((nonnull, warn_unused_result));

/* Placement constraints that keep a carrier from the nodes where another rule is in the place; to
 * be put, NULL on ENOMEM. */
struct json_object *hv_cluster_spare_others(const struct hv_replies *replies)
	__attribute__((nonnull, warn_unused_result));

/* Have the carrier of that ID end the rule on all nodes, and wait for that. */
struct hv_cluster_end {
	const char *id;                  /* of the service */
	struct json_object *body;        /* of /HotDetach */
	struct json_object *concern;     /* as in struct hv_replies_wait */
	const char *service;             /* as there */
	struct json_object *constraints; /* of the nodes; borrowed; NULL: all are told */
	long seconds;
	struct hv_carried *carried; /* filled; the caller's */
};
enum hv_code hv_cluster_end(const struct hv_swarm *swarm, const struct hv_cluster_rule *rule,
	const struct hv_cluster_end *end, struct hv_replies *ret, struct hv_error *err)
	__attribute__((nonnull, warn_unused_result));

#endif
