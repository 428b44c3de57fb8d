/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/replies.h"

#include <errno.h>
#include <json-c/json.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "wire/clock.h"
#include "wire/tunnel.h"

#include "cli/document.h"

enum {
	PAUSE_MS = 20,       /* between two looks at the tasks */
	PAUSE_LONG_MS = 100, /* after that time: */
	LONG_MS = 1000,
	NODES_MS = 1000, /* between two looks at the nodes, and at the carrier */
	EMPTY_MS = 5000, /* until Swarm has made tasks, if it makes any */
};

struct watch {
	const struct hv_swarm *swarm;
	const struct hv_carried *carried;
	const struct hv_replies_wait *wait;
	struct hv_replies *replies;
	struct json_object *nodes; /* as listed last */
	long long begin_ms;
	long long nodes_ms; /* when that was */
	bool is_superseded; /* another command has changed the carrier */
};

#define auto_watch HV_AUTO(watch_done)
static void watch_done(struct watch *watch)
{
	json_object_put(watch->nodes);
}

void hv_replies_done(struct hv_replies *replies)
{
	for (size_t i = 0; i < replies->count; i++) {
		struct hv_reply *reply = &replies->items[i];

		free(reply->id);
		free(reply->name);
		json_object_put(reply->answer);
		hv_error_done(&reply->err);
	}
	free(replies->items);
	json_object_put(replies->tasks);
	*replies = (struct hv_replies){0};
}

bool hv_task_is_running(struct json_object *task)
{
	const char *wanted = hv_document_text(task, "DesiredState");

	return wanted && strcmp(wanted, "running") == 0;
}

static struct json_object *find_node(const struct watch *watch, const char *id)
{
	for (size_t i = 0; i < json_object_array_length(watch->nodes); i++) {
		struct json_object *node = json_object_array_get_idx(watch->nodes, i);
		const char *text = hv_document_text(node, "ID");

		if (text && strcmp(text, id) == 0)
			return node;
	}
	return NULL;
}

static const char *name_of(struct json_object *node, const char *id)
{
	struct json_object *about = hv_document_get(node, "Description", json_type_object);
	const char *name = hv_document_text(about, "Hostname");

	return name && *name ? name : id;
}

/* The reply of that node, a new one if there is none; NULL on ENOMEM. */
static struct hv_reply *get_reply(struct watch *watch, const char *id)
{
	struct hv_replies *replies = watch->replies;
	struct hv_reply *items, *item;

	for (size_t i = 0; i < replies->count; i++)
		if (strcmp(replies->items[i].id, id) == 0)
			return &replies->items[i];
	items = reallocarray(replies->items, replies->count + 1, sizeof(*items));
	if (!items)
		return NULL;
	replies->items = items;
	item = &items[replies->count];
	*item = (struct hv_reply){
		.id = strdup(id), .name = strdup(name_of(find_node(watch, id), id))};
	if (item->id && item->name) {
		replies->count++;
		return item;
	}
	free(item->id);
	free(item->name);
	return NULL;
}

static void set(struct hv_reply *reply, enum hv_node_state state, const char *why)
{
	reply->state = state;
	hv_error_done(&reply->err);
	if (why)
		hv_fail(&reply->err, HV_UNSUPPORTED, "%s", why);
}

/* --- tasks --- */

/* The sentence of the daemon, without what the Engine puts before it. */
static const char *strip(const char *text)
{
	static const char *const prefixes[] = {"VolumeDriver.Create: ", "VolumeDriver.Mount: "};

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		const char *at = strstr(text, prefixes[i]);

		if (at)
			return at + strlen(prefixes[i]);
	}
	return text;
}

bool hv_answer_may_be_done(const char *text)
{
	/* The daemon's, also in former versions. */
	static const char *const refusals[] = {"through the Docker Engine are switched off",
		"too many requests come through the Engine", "option request is not {"};
	const char *at = strstr(text, HV_TUNNEL_ANSWER);

	if (at)
		return strncmp(at + strlen(HV_TUNNEL_ANSWER), "200", 3) == 0;
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++)
		if (strstr(text, refusals[i]))
			return false;
	return true;
}

static void take_answer(struct watch *watch, struct hv_reply *reply, const char *text)
{
	const char *at = strstr(text, HV_TUNNEL_ANSWER);
	hv_auto_json struct json_object *answer = NULL;
	char *end = NULL;
	long status;

	reply->state = HV_NODE_ANSWERED;
	hv_error_done(&reply->err);
	reply->is_unasked = !at;
	reply->may_be_done = hv_answer_may_be_done(text);
	if (!at) {
		hv_fail(&reply->err, HV_INTERNAL, "%s", *text ? strip(text) : "there is no answer");
		return;
	}
	status = strtol(at + strlen(HV_TUNNEL_ANSWER), &end, 10);
	answer = hv_document_parse(end, strlen(end), json_type_object);
	(void)!hv_daemon_judge(answer, status, watch->wait->endpoint, &reply->answer, &reply->err);
}

static bool is_in(const char *text, const char *const *words)
{
	while (*words && strcmp(*words, text) != 0)
		words++;
	return *words;
}

/* Source: docker/swarmkit, the states of a task. */
static void take_task(struct watch *watch, struct hv_reply *reply, struct json_object *task)
{
	static const char *const over[] = {"complete", "failed", "rejected", NULL};
	static const char *const lost[] = {"shutdown", "orphaned", "remove", NULL};
	struct json_object *status = hv_document_get(task, "Status", json_type_object);
	const char *state = hv_document_text(status, "State");
	const char *text = hv_document_text(status, "Err");

	if (!state)
		return;
	if (is_in(state, over) || (text && strstr(text, HV_TUNNEL_ANSWER)))
		take_answer(watch, reply, text ? text : "");
	else if (is_in(state, lost))
		set(reply, HV_NODE_LOST,
			"the node went down, or another command came, before it answered");
	else if (strcmp(state, "pending") == 0 && text && strstr(text, "missing plugin"))
		set(reply, HV_NODE_LATER, "hostvol is not enabled there");
	else if (strcmp(state, "pending") == 0 && text && *text && !strstr(text, "not available"))
		set(reply, HV_NODE_LATER, text);
	else
		set(reply, HV_NODE_ASKED, "the node did not answer in time");
	reply->is_pending = strcmp(state, "pending") == 0;
}

static bool is_ours(const struct watch *watch, struct json_object *task)
{
	struct json_object *spec = hv_document_get(task, "Spec", json_type_object);
	struct json_object *container = hv_document_get(spec, "ContainerSpec", json_type_object);
	struct json_object *mounts = hv_document_get(container, "Mounts", json_type_array);
	const char *source;

	if (!mounts || json_object_array_length(mounts) == 0)
		return false;
	source = hv_document_text(json_object_array_get_idx(mounts, 0), "Source");
	return source && strcmp(source, watch->carried->volume) == 0;
}

static enum hv_code take_tasks(struct watch *watch, struct json_object *tasks, struct hv_error *err)
{
	const char *wanted = watch->wait->service;

	for (size_t i = 0; i < json_object_array_length(tasks); i++) {
		struct json_object *task = json_object_array_get_idx(tasks, i);
		const char *service = hv_document_text(task, "ServiceID");
		const char *node = hv_document_text(task, "NodeID");
		bool is_service = wanted && service && strcmp(service, wanted) == 0;
		struct hv_reply *reply;

		if (!node || !*node ||
			!(is_service ? hv_task_is_running(task) : is_ours(watch, task)))
			continue;
		reply = get_reply(watch, node);
		if (!reply)
			return hv_oom(err);
		if (is_service)
			reply->has_tasks = true;
		else if (reply->state != HV_NODE_ANSWERED)
			take_task(watch, reply, task);
	}
	return HV_OK;
}

/* --- nodes --- */

/* Why the node takes no task, or NULL. */
static const char *find_obstacle(struct json_object *node)
{
	struct json_object *status = hv_document_get(node, "Status", json_type_object);
	const char *state = hv_document_text(status, "State");
	const char *use =
		hv_document_text(hv_document_get(node, "Spec", json_type_object), "Availability");

	if (!state)
		return "the node is no longer in the swarm";
	/* It is "unknown" while a manager that was restarted waits for it. */
	if (strcmp(state, "down") == 0 || strcmp(state, "disconnected") == 0)
		return "the node is down";
	if (use && strcmp(use, "drain") == 0)
		return "the node is drained";
	return use && strcmp(use, "pause") == 0 ? "the node is paused" : NULL;
}

static enum hv_code expect_all(struct watch *watch, struct hv_error *err)
{
	for (size_t i = 0; i < json_object_array_length(watch->nodes); i++) {
		struct json_object *node = json_object_array_get_idx(watch->nodes, i);
		const char *id = hv_document_text(node, "ID"), *obstacle = find_obstacle(node);

		/* A node is drained or paused on purpose, but not down. */
		if (id && (!obstacle || strstr(obstacle, "down") || watch->wait->counts_drained) &&
			!get_reply(watch, id))
			return hv_oom(err);
	}
	return HV_OK;
}

static enum hv_code expect_concern(struct watch *watch, struct hv_error *err)
{
	if (!watch->wait->concern)
		return HV_OK;
	json_object_object_foreach(watch->wait->concern, id, value)
	{
		struct hv_reply *reply = find_node(watch, id) ? get_reply(watch, id) : NULL;

		(void)value;
		if (reply)
			reply->is_concerned = true;
		else if (find_node(watch, id))
			return hv_oom(err);
	}
	return HV_OK;
}

/* Swarm ends the tasks of the carrier's former request, or makes none at all. */
static bool is_superseded(const struct watch *watch)
{
	hv_auto_json struct json_object *service = NULL;
	hv_auto_error struct hv_error ignored = {0};
	long status = 0;

	return hv_swarm_inspect(watch->swarm, watch->carried->id, &service, &status, &ignored) ==
		       HV_OK &&
	       !hv_carrier_has_request(service, watch->carried->volume);
}

static enum hv_code list_nodes(struct watch *watch, struct hv_error *err)
{
	hv_auto_json struct json_object *nodes = NULL;
	long long now_ms = hv_clock_ms();

	if (watch->nodes && now_ms - watch->nodes_ms < NODES_MS)
		return HV_OK;
	if (hv_swarm_list_nodes(watch->swarm, &nodes, err) != HV_OK)
		return err->code;
	watch->is_superseded = watch->nodes && is_superseded(watch);
	json_object_put(watch->nodes);
	watch->nodes = json_object_get(nodes);
	watch->nodes_ms = now_ms;
	if (watch->wait->is_everywhere && expect_all(watch, err) != HV_OK)
		return err->code;
	return expect_concern(watch, err);
}

/* A node that cannot be asked is not waited for.  A task that it was given before that is not made
 * again when it is back. */
static void check_node(const struct watch *watch, struct hv_reply *reply)
{
	const char *obstacle = find_obstacle(find_node(watch, reply->id));
	bool is_given = reply->err.code != HV_OK && !reply->is_pending;

	if (reply->state == HV_NODE_ASKED && obstacle)
		set(reply, is_given ? HV_NODE_LOST : HV_NODE_LATER, obstacle);
}

/* --- the wait --- */

/* The service that the request is about may be removed meanwhile: then those of the carrier alone.
 */
static enum hv_code list_tasks(
	const struct watch *watch, struct json_object **ret, struct hv_error *err)
{
	const char *carrier = watch->carried->id, *service = watch->wait->service;
	enum hv_code code = hv_swarm_list_tasks(watch->swarm, carrier, service, ret, err);

	if (code != HV_NO_SUCH_CONTAINER || !service)
		return code;
	hv_error_done(err);
	return hv_swarm_list_tasks(watch->swarm, carrier, NULL, ret, err);
}

static enum hv_code look(struct watch *watch, struct hv_error *err)
{
	struct hv_replies *replies = watch->replies;
	hv_auto_json struct json_object *tasks = NULL;

	if (list_nodes(watch, err) != HV_OK || list_tasks(watch, &tasks, err) != HV_OK)
		return err->code;
	for (size_t i = 0; i < replies->count; i++) {
		struct hv_reply *reply = &replies->items[i];

		reply->has_tasks = false;
		reply->is_pending = false;
		if (reply->state == HV_NODE_LATER)
			set(reply, HV_NODE_ASKED, NULL);
	}
	if (take_tasks(watch, tasks, err) != HV_OK)
		return err->code;
	for (size_t i = 0; i < replies->count; i++)
		check_node(watch, &replies->items[i]);
	json_object_put(replies->tasks);
	replies->tasks = json_object_get(tasks);
	return HV_OK;
}

static bool are_settled(const struct hv_replies *replies)
{
	for (size_t i = 0; i < replies->count; i++)
		if (replies->items[i].state == HV_NODE_ASKED)
			return false;
	return replies->count > 0;
}

/* Returns false if a signal came that is meant to end the command. */
static bool rest(long long begin_ms)
{
	long pause_ms = hv_clock_ms() - begin_ms < LONG_MS ? PAUSE_MS : PAUSE_LONG_MS;
	const struct timespec pause = {0, pause_ms * 1000 * 1000};
	sigset_t set;

	hv_carrier_signals(&set);
	return sigtimedwait(&set, NULL, &pause) < 0;
}

static int compare_names(const void *a, const void *b)
{
	const struct hv_reply *one = a, *other = b;

	return strcmp(one->name, other->name);
}

static void sort(struct hv_replies *replies)
{
	if (replies->count > 1)
		qsort(replies->items, replies->count, sizeof(*replies->items), compare_names);
}

static void give_up(const struct watch *watch)
{
	struct hv_replies *replies = watch->replies;
	const char *why = replies->is_interrupted ? "the node had not answered yet"
			  : watch->is_superseded  ? "another command came before the node answered"
						  : "the node did not answer in time";

	for (size_t i = 0; i < replies->count; i++) {
		struct hv_reply *reply = &replies->items[i];

		if (reply->state == HV_NODE_ASKED)
			set(reply, reply->is_pending ? HV_NODE_LATER : HV_NODE_LOST, why);
	}
}

enum hv_code hv_replies_wait(const struct hv_swarm *swarm, const struct hv_carried *carried,
	const struct hv_replies_wait *wait, struct hv_replies *ret, struct hv_error *err)
{
	auto_watch struct watch watch = {.swarm = swarm,
		.carried = carried,
		.wait = wait,
		.replies = ret,
		.begin_ms = hv_clock_ms()};
	long long end_ms = watch.begin_ms + wait->seconds * 1000;
	enum hv_code code;

	for (;;) {
		hv_error_done(err);
		code = look(&watch, err); /* a manager that is restarted answers again */
		if ((code == HV_OK && are_settled(ret)) || hv_clock_ms() >= end_ms ||
			code == HV_NO_SUCH_CONTAINER || watch.is_superseded)
			break;
		if (code == HV_OK && ret->count == 0 && hv_clock_ms() - watch.begin_ms > EMPTY_MS)
			break;
		ret->is_interrupted = !rest(watch.begin_ms);
		if (ret->is_interrupted)
			break;
	}
	give_up(&watch);
	sort(ret);
	if (code == HV_OK && ret->count == 0)
		return hv_fail(err, HV_UNSUPPORTED, "no node of the swarm takes the request");
	return code;
}
