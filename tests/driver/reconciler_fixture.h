/* SPDX-License-Identifier: Apache-2.0 */
/* The reconciler with an Engine that is as bad as it can be, and a container that is a process with
 * a mount namespace of its own.  For programs that run in hv_in_namespace(). */
#ifndef TESTS_DRIVER_RECONCILER_FIXTURE_H
#define TESTS_DRIVER_RECONCILER_FIXTURE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>

#include "attach/attach.h"

#include "daemon/log.h"
#include "daemon/reconciler.h"
#include "fake_engine.h"
#include "world.h"

/* The only container. */
#define ID "3f4e8f2b1c0d9a8b7c6d5e4f3a2b1c0d9e8f7a6b5c4d3e2f1a0b9c8d7e6f5a4b"

/* Answers and events of the Engine; INFO is for "/info". */
#define INSPECT_PATH "/containers/" ID "/json"
#define HEAD(status) "HTTP/1.1 " status "\r\nContent-Type: application/json\r\n"
#define CLOSED "Connection: close\r\n\r\n"
#define INFO(id, containers)                                                                       \
	HEAD("200 OK")                                                                             \
	CLOSED "{\"ID\":\"" id "\",\"DockerRootDir\":\"/d\",\"Containers\":" containers "}"
#define EVENT(action)                                                                              \
	"{\"Type\":\"container\",\"Action\":\"" action "\",\"Actor\":{\"ID\":\"" ID "\"}}\n"

/* How long what is expected may take. */
enum { PATIENCE_MS = 15000 };

struct fixture {
	struct volume_fixture *world;
	struct hv_engine *engine;
	struct hv_attacher *attacher;
	struct hv_attacher_listener listener;
	struct hv_log log;
	struct fake_engine *fake;
	struct hv_reconciler *reconciler;
	char *socket;
	char *target;
	pid_t pid; /* of the container; 0: it does not run */
	unsigned starts;
	const char *own_mount; /* where it has a tmpfs of its own at each start; NULL: nowhere */
	atomic_bool sets_read_only; /* the volume, the next time that the Engine is asked */
	atomic_bool removes;        /* the volume, the same */
	char ended[4096];           /* attachments reported as ended: "container volume target" */
	atomic_bool has_ended;      /* it is written */
	atomic_uint looks;          /* how often the state was asked for */
	long long look_ms;          /* as in struct hv_reconciler_args */
	long long ask_ms;
	long long idle_ms;
};

/* cmocka's setup and teardown; *state is the fixture: the volume "data" and a directory to attach
 * it to.  There is no Engine, no container and no reconciler until a test starts them. */
int reconciler_setup(void **state);
int reconciler_teardown(void **state);
#define RECONCILER_TEST(name)                                                                      \
	STATE_TEST(name, struct fixture, fixture, reconciler_setup, reconciler_teardown)

/* An Engine that knows the container as it is; starting and stopping the container tells it, in
 * place of what a test made it answer, and sends no event. */
void start_engine(struct fixture *fixture);
void stop_engine(struct fixture *fixture);

/* Stopping one that does not run does nothing. */
void start_container(struct fixture *fixture);
void stop_container(struct fixture *fixture);

/* It must stop in time; stopping one that does not run does nothing. */
void start_reconciler(struct fixture *fixture);
void stop_reconciler(struct fixture *fixture);

/* Attach to the container; prints the error if there is one.  `replace`: NULL, "true", or
 * "nonatomic" (kernels before 6.5). */
enum hv_code attach_to(
	struct fixture *fixture, char *volume, char *target, bool persist, char *replace);

/* Detach by target. */
enum hv_code detach_from(struct fixture *fixture, const char *target);

/* Reconcile the container, now; print the error if there is one. */
enum hv_code repair(struct fixture *fixture);

/* The state of the attachment at `target` as it is listed, with a blank and its problem if it has
 * one: "" for none.  Borrowed until the next call. */
const char *state_of(struct fixture *fixture, const char *target);

/* Mount a tmpfs in the container, or unmount lazily what is on top there. */
void mount_inside(struct fixture *fixture, const char *target);
void unmount_inside(struct fixture *fixture, const char *target);

/* Whether a file of the container is there. */
bool is_inside(struct fixture *fixture, const char *path);

/* Whether `name` is below fixture->target there. */
bool has_inside(struct fixture *fixture, const char *name);

/* The same with the volume "data" and fixture->target. */
enum hv_code attach(struct fixture *fixture, bool persist);

/* An Engine, a container and an attachment, all well. */
void begin(struct fixture *fixture);

/* Five milliseconds. */
void sleep_a_little(void);

/* How many mounts the container, which must run, has at fixture->target, or at `target`. */
unsigned count_mounts(struct fixture *fixture);
unsigned count_mounts_at(struct fixture *fixture, const char *target);

/* Wait until this is the last known state of the container's only attachment, "" for none.  Asserts
 * that a container that runs has the mount if it is "attached" and else not; "missing" is not
 * asked. */
void expect_state(struct fixture *fixture, const char *wanted);

/* Wait until the stream of events stands (again). */
void expect_subscribed(struct fixture *fixture);

#endif
