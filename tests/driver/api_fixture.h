/* SPDX-License-Identifier: Apache-2.0 */
/* The whole interface but for HTTP, on a real store and a real mount library; no Engine answers,
 * unless a test sets `engine_socket`. */
#ifndef DRIVER_API_FIXTURE_H
#define DRIVER_API_FIXTURE_H

#include "api/api.h"

#include "rows.h"
#include "world.h"

struct json_object;

struct fixture {
	struct volume_fixture *world;
	struct hv_engine *engine;
	struct hv_attacher *attacher;
	struct hv_api api;
	bool is_unreadable;
	const char *engine_socket; /* borrowed; NULL: there is none */
	struct hv_reply reply;
	struct json_object *body; /* of the reply, parsed */
};

int api_setup(void **state);
int api_teardown(void **state);
#define API_TEST(name) TEST_WITH(name, api_setup, api_teardown)

/* Call with POST and keep the reply in fixture->reply and ->body.  Returns the HTTP status, 0 for a
 * connection that is closed.  Asserts the rules for all answers. */
unsigned call(struct fixture *fixture, const char *path, const char *body);
unsigned call_bytes(struct fixture *fixture, const char *method, const char *path, const char *body,
	size_t size);

/* A string member of the last reply; NULL if there is none. */
const char *text_at(struct fixture *fixture, const char *name);

#endif
