/* SPDX-License-Identifier: Apache-2.0 */
/* How many functions a request passes, and how deep: built with HOSTVOL_TRACE (bench/calls).
 *
 * Each request goes through the api as the socket's do, to a container that is a process with a
 * mount namespace of its own, and an Engine of canned answers.  Prints, for each, "request NAME
 * FUNCTIONS DEPTH" and a line "ADDRESS CALLS" for each function of the driver and of mountcore. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/api.h"
#include "support/hv_test.h"

#include "reconciler_fixture.h"

enum { FUNCTIONS_MAX = 4096 };

static struct {
	void *address;
	unsigned calls;
} functions[FUNCTIONS_MAX];
static unsigned count, depth, deepest;
static _Thread_local bool is_traced;

/* gcc calls these at the beginning and the end of each function. */
void __cyg_profile_func_enter(void *function, void *caller) __attribute__((no_instrument_function));
void __cyg_profile_func_exit(void *function, void *caller) __attribute__((no_instrument_function));

void __cyg_profile_func_enter(void *function, void *caller)
{
	unsigned at = 0;

	(void)caller;
	if (!is_traced)
		return;
	if (++depth > deepest)
		deepest = depth;
	while (at < count && functions[at].address != function)
		at++;
	if (at == FUNCTIONS_MAX)
		abort();
	if (at == count)
		functions[count++].address = function;
	functions[at].calls++;
}

void __cyg_profile_func_exit(void *function, void *caller)
{
	(void)function;
	(void)caller;
	if (is_traced)
		depth--;
}

static void request(struct hv_api *api, const char *path, const char *body, bool is_shown)
{
	const struct hv_http_request http = {
		.method = "POST",
		.path = path,
		.body = body,
		.size = strlen(body),
	};
	struct hv_reply reply = {0};

	count = depth = deepest = 0;
	memset(functions, 0, sizeof(functions));
	is_traced = true;
	hv_api_handle(api, &http, &reply);
	is_traced = false;
	if (reply.status != 200)
		fail_msg("%s: %u %s", path, reply.status, reply.body);
	hv_reply_done(&reply);
	if (!is_shown)
		return;
	printf("request %s %u %u\n", path, count, deepest);
	for (unsigned i = 0; i < count; i++)
		printf("%p %u\n", functions[i].address, functions[i].calls);
}

static enum hv_code open_state(void *context, struct hv_error *err)
{
	(void)context;
	(void)err;
	return HV_OK;
}

/* The first time tells what is remembered from then on; the second is shown. */
static void trace_all(struct fixture *fixture)
{
	static const struct hv_setting settings[] = {{NULL, NULL}};
	struct hv_api api = {
		.core = fixture->world->core,
		.engine = fixture->engine,
		.volumes = fixture->world->volumes,
		.attacher = fixture->attacher,
		.mode = "plain",
		.settings = settings,
		.open_state = open_state,
		.context = fixture,
	};
	char attach[1024], detach[1024];

	snprintf(attach, sizeof(attach),
		"{\"Volume\":\"new\",\"Container\":\"" ID "\",\"Target\":\"%s\",\"Persist\":true}",
		fixture->target);
	snprintf(detach, sizeof(detach), "{\"Container\":\"" ID "\",\"Target\":\"%s\"}",
		fixture->target);
	for (int i = 0; i < 2; i++) {
		request(&api, "/VolumeDriver.Create", "{\"Name\":\"new\"}", i == 1);
		request(&api, "/VolumeDriver.Mount", "{\"Name\":\"new\",\"ID\":\"a\"}", i == 1);
		request(&api, "/VolumeDriver.Unmount", "{\"Name\":\"new\",\"ID\":\"a\"}", i == 1);
		request(&api, "/HotAttach", attach, i == 1);
		request(&api, "/HotDetach", detach, i == 1);
		request(&api, "/VolumeDriver.Remove", "{\"Name\":\"new\"}", i == 1);
	}
	hv_tunnel_done(&api.tunnel);
}

static void trace(void)
{
	void *state = NULL;

	reconciler_setup(&state);
	start_engine(state);
	start_container(state);
	trace_all(state);
	stop_container(state);
	stop_engine(state);
	reconciler_teardown(&state);
}

static void show(void **state)
{
	(void)state;
	hv_in_namespace(trace);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(show)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
