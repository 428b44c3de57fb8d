/* SPDX-License-Identifier: Apache-2.0 */
/* Rules on all nodes of a Swarm: their IDs, their carriers, the outcome at a node. */
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "support/hv_test.h"

#include "cli/cluster.h"
#include "cli/cluster_rows.h"
#include "cli/cluster_rule.h"

#define SELECTOR "service:web"
#define ID "50f6cbabf269"

/* Nodes know rules by it, and other versions of the command have to find them. */
TEST(the_id_of_a_rule_is_made_of_selector_and_clean_target)
{
	static const char *const targets[] = {"/mnt/data", "/mnt/data/", "/mnt//./data"};
	struct hv_error err = {0};
	struct hv_cluster_rule rule = {.name = NULL};

	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
		assert_int_equal(hv_cluster_rule_init(SELECTOR, targets[i], &rule, &err), HV_OK);
		assert_string_equal(rule.id, ID);
		assert_string_equal(rule.name, "hostvol-rule-" ID);
		assert_string_equal(rule.target, "/mnt/data");
		hv_cluster_rule_done(&rule);
	}
	assert_int_equal(hv_cluster_rule_init(SELECTOR, "/mnt/other", &rule, &err), HV_OK);
	assert_string_not_equal(rule.id, ID);
	hv_cluster_rule_done(&rule);
}

static bool is_of_all_nodes(const char *text)
{
	struct json_object *rule = json_tokener_parse(text);
	bool is_one = hv_cluster_is_rule(rule);

	json_object_put(rule);
	return is_one;
}

TEST(a_rule_of_all_nodes_is_known_by_its_id)
{
	assert_true(is_of_all_nodes(
		"{\"ID\":\"" ID "\",\"Selector\":\"" SELECTOR "\",\"Target\":\"/mnt/data\"}"));
	assert_false(is_of_all_nodes("{\"ID\":\"0123456789ab\",\"Selector\":\"" SELECTOR
				     "\",\"Target\":\"/mnt/data\"}"));
	assert_false(is_of_all_nodes("{\"ID\":\"" ID "\",\"Selector\":\"label:web\","
				     "\"Target\":\"/mnt/data\"}"));
	assert_false(is_of_all_nodes("{}"));
}

TEST(a_carrier_has_the_request_and_its_labels)
{
	struct hv_error err = {0};
	struct hv_cluster_rule rule = {.name = NULL};
	struct json_object *body = json_tokener_parse("{\"Volume\":\"data\"}");
	const struct hv_call call = {"/HotAttach", body, 0};
	char driver[] = "hostvol";
	const struct hv_swarm swarm = {.driver = driver};
	struct json_object *service = json_object_new_object(), *found;

	assert_int_equal(hv_cluster_rule_init(SELECTOR, "/mnt/data", &rule, &err), HV_OK);
	json_object_object_add(
		service, "Spec", hv_cluster_rule_spec(&swarm, &rule, &call, NULL, false));
	found = hv_carrier_body(service);
	assert_true(json_object_equal(found, body));
	assert_string_equal(hv_service_text(service, "Name"), rule.name);
	assert_string_equal(hv_service_label(service, HV_CARRIER_RULE), ID);
	assert_string_equal(hv_service_label(service, HV_CARRIER_SELECTOR), SELECTOR);
	assert_string_equal(hv_service_label(service, HV_CARRIER_TARGET), "/mnt/data");
	assert_false(hv_carrier_is_ending(service));
	assert_null(hv_service_constraints(service));
	json_object_object_add(
		service, "Spec", hv_cluster_rule_spec(&swarm, &rule, &call, NULL, true));
	assert_true(hv_carrier_is_ending(service));
	json_object_put(found);
	json_object_put(service);
	json_object_put(body);
	hv_cluster_rule_done(&rule);
}

TEST(a_carrier_has_the_last_request_alone)
{
	struct json_object *service =
		json_tokener_parse("{\"Spec\":{\"TaskTemplate\":{\"ContainerSpec\":{"
				   "\"Mounts\":[{\"Source\":\"hostvol-request-2\"}]}}}}");

	assert_true(hv_carrier_has_request(service, "hostvol-request-2"));
	assert_false(hv_carrier_has_request(service, "hostvol-request-1"));
	assert_false(hv_carrier_has_request(NULL, "hostvol-request-1"));
	json_object_put(service);
}

TEST(nodes_where_another_rule_is_in_the_place_are_spared)
{
	char one[] = "n1", two[] = "n2", three[] = "n3";
	struct hv_reply items[] = {
		{.id = one, .state = HV_NODE_ANSWERED},
		{.id = two, .state = HV_NODE_ANSWERED, .err.code = HV_TARGET_EXISTS},
		{.id = three, .state = HV_NODE_ANSWERED, .err.code = HV_NO_SUCH_VOLUME},
	};
	const struct hv_replies replies = {.items = items, .count = 3};
	struct json_object *list = hv_cluster_spare_others(&replies);

	assert_int_equal(json_object_array_length(list), 1);
	assert_string_equal(
		json_object_get_string(json_object_array_get_idx(list, 0)), "node.id!=n2");
	json_object_put(list);
}

TEST(an_error_that_is_no_answer_leaves_it_open_whether_it_is_done)
{
	assert_true(hv_answer_may_be_done("VolumeDriver.Create: hostvol-answer 200 {}"));
	assert_false(hv_answer_may_be_done("VolumeDriver.Create: hostvol-answer 404 {}"));
	assert_false(hv_answer_may_be_done(
		"VolumeDriver.Create: requests through the Docker Engine are switched off"));
	assert_true(hv_answer_may_be_done("Post \"http://x/VolumeDriver.Create\": EOF"));
	assert_true(hv_answer_may_be_done(""));
}

TEST(a_task_is_named_without_its_id)
{
	static const char *const cases[][2] = {
		{"web.1.abcdefghijklmnopqrstuvwxy", "web.1"},
		{"each.zyxwvutsrqponmlkjihgfedcb.abcdefghijklmnopqrstuvwxy",
			"each.zyxwvutsrqponmlkjihgfedcb"},
		{"my.web.1.abcdefghijklmnopqrstuvwxy", "my.web.1"},
		{"web.1", "web.1"},
		{"web", "web"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *name = hv_task_name(cases[i][0]);

		assert_string_equal(name, cases[i][1]);
		free(name);
	}
}

TEST(the_outcome_at_a_node)
{
	static const struct {
		struct hv_reply reply;
		enum hv_outcome attach, detach;
	} cases[] = {
		{{.state = HV_NODE_ANSWERED}, HV_OUTCOME_DONE, HV_OUTCOME_DONE},
		{{.state = HV_NODE_ANSWERED, .err.code = HV_BUSY}, HV_OUTCOME_REFUSED,
			HV_OUTCOME_REFUSED},
		{{.state = HV_NODE_ANSWERED, .err.code = HV_NO_SUCH_ATTACHMENT}, HV_OUTCOME_REFUSED,
			HV_OUTCOME_DONE},
		{{.state = HV_NODE_ANSWERED, .err.code = HV_INTERNAL, .is_unasked = true},
			HV_OUTCOME_REFUSED, HV_OUTCOME_LATER},
		{{.state = HV_NODE_ANSWERED,
			 .err.code = HV_INTERNAL,
			 .is_unasked = true,
			 .is_concerned = true},
			HV_OUTCOME_REFUSED, HV_OUTCOME_REFUSED},
		{{.state = HV_NODE_LATER}, HV_OUTCOME_LATER, HV_OUTCOME_LATER},
		{{.state = HV_NODE_LATER, .has_tasks = true}, HV_OUTCOME_ABSENT, HV_OUTCOME_LATER},
		{{.state = HV_NODE_LATER, .is_concerned = true}, HV_OUTCOME_ABSENT,
			HV_OUTCOME_ABSENT},
		{{.state = HV_NODE_LOST}, HV_OUTCOME_ABSENT, HV_OUTCOME_ABSENT},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(hv_reply_judge(&cases[i].reply, false), cases[i].attach);
		assert_int_equal(hv_reply_judge(&cases[i].reply, true), cases[i].detach);
	}
}

TEST_MAIN()
