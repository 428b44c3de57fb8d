/* The reconciler with an Engine that is as bad as it can be, and a container that is a process with
 * a mount namespace of its own. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/statfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "mountcore/cleanup.h"
#include "support/hv_test.h"
#include "wire/event.h"

#include "daemon/reconciler.h"
#include "fake_engine.h"
#include "rows.h"
#include "scratch.h"
#include "world.h"

#define ID "3f4e8f2b1c0d9a8b7c6d5e4f3a2b1c0d9e8f7a6b5c4d3e2f1a0b9c8d7e6f5a4b"
#define INSPECT_PATH "/containers/" ID "/json"
#define HEAD(status) "HTTP/1.1 " status "\r\nContent-Type: application/json\r\n"
#define CLOSED "Connection: close\r\n\r\n"
#define INFO(id, containers)                                                                       \
	HEAD("200 OK")                                                                             \
	CLOSED "{\"ID\":\"" id "\",\"DockerRootDir\":\"/d\",\"Containers\":" containers "}"
#define UNKNOWN HEAD("404 Not Found") CLOSED "{\"message\":\"No such container: " ID "\"}"
#define EVENT(action)                                                                              \
	"{\"Type\":\"container\",\"Action\":\"" action "\",\"Actor\":{\"ID\":\"" ID "\"}}\n"

enum { PATIENCE_MS = 15000, STOP_MS = 15000 };

static const struct fake_reply replies[] = {
	{"/events", HEAD("200 OK") "\r\n", 0, 1},
	{"/info", INFO("AB", "3"), 0, 0},
	{NULL, NULL, 0, 0},
};

struct fixture {
	struct world *world;
	struct hv_attacher attacher;
	struct hv_log log;
	struct fake_engine *fake;
	struct hv_reconciler *reconciler;
	char *socket;
	char *target;
	pid_t pid; /* of the container; 0: it does not run */
	unsigned starts;
	bool sets_read_only; /* the volume, the next time that the Engine is asked */
	atomic_uint looks;   /* how often the state was asked for */
};

static void set_read_only(struct fixture *fixture)
{
	struct hv_opts opts = {0};
	struct hv_error err = {0};

	assert_int_equal(hv_opts_add(&opts, "ro", "true"), 0);
	assert_int_equal(hv_volume_set(&fixture->world->volumes, "data", &opts, &err), HV_OK);
	hv_opts_done(&opts);
}

static int open_socket(void *context)
{
	struct fixture *fixture = context;
	int fd = open(fixture->socket, O_PATH | O_CLOEXEC);

	if (fixture->sets_read_only)
		set_read_only(fixture);
	fixture->sets_read_only = false;
	return fd < 0 ? -errno : fd;
}

static enum hv_code open_state(void *context, struct hv_error *err)
{
	struct fixture *fixture = context;

	(void)err;
	atomic_fetch_add(&fixture->looks, 1);
	return HV_OK;
}

/* Tell the Engine what it knows of the container. */
static void tell_engine(struct fixture *fixture)
{
	char *answer = NULL;

	if (!fixture->fake)
		return;
	assert_true(asprintf(&answer,
			    HEAD("200 OK") CLOSED "{\"Id\":\"" ID "\",\"Name\":\"/web\",\"State\":"
						  "{\"Running\":%s,\"Pid\":%d,"
						  "\"StartedAt\":\"2999-01-01T00:00:%02uZ\"}}",
			    fixture->pid ? "true" : "false", fixture->pid, fixture->starts) > 0);
	fake_engine_set(fixture->fake, INSPECT_PATH, answer);
	free(answer);
}

static void start_engine(struct fixture *fixture)
{
	fixture->fake = fake_engine_new(fixture->socket, replies);
	tell_engine(fixture);
}

static void stop_engine(struct fixture *fixture)
{
	fake_engine_free(fixture->fake);
	fixture->fake = NULL;
	(void)unlink(fixture->socket);
}

static void be_container(int ready)
{
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* The connections of the moment would not end with ours. */
	if (dup2(ready, 3) != 3 || close_range(4, ~0U, 0) < 0 || unshare(CLONE_NEWNS) < 0 ||
		mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 || write(3, "", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

static void start_container(struct fixture *fixture)
{
	int ends[2];
	char byte;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	fixture->pid = fork();
	assert_true(fixture->pid >= 0);
	if (fixture->pid == 0)
		be_container(ends[1]);
	close(ends[1]);
	assert_int_equal(read(ends[0], &byte, 1), 1);
	close(ends[0]);
	fixture->starts++;
	tell_engine(fixture);
}

static void stop_container(struct fixture *fixture)
{
	if (fixture->pid == 0)
		return;
	assert_int_equal(kill(fixture->pid, SIGKILL), 0);
	assert_int_equal(waitpid(fixture->pid, NULL, 0), fixture->pid);
	fixture->pid = 0;
	tell_engine(fixture);
}

/* The last known state of the only attachment; "" when there is none. */
static void read_state(struct fixture *fixture, char ret[static 16])
{
	const struct hv_record_filter all = {0};
	struct hv_record *records = NULL;
	struct hv_error err = {0};
	size_t count = 0;

	assert_int_equal(
		hv_store_attachment_list(fixture->attacher.store, &all, &records, &count, &err),
		HV_OK);
	assert_true(count < 2);
	snprintf(ret, 16, "%s", count ? records[0].view.state : "");
	hv_records_free(records, count);
}

static unsigned count_mounts(struct fixture *fixture)
{
	char path[64], line[4096], target[2048];
	mc_auto_file file = NULL;
	unsigned count = 0;

	snprintf(path, sizeof(path), "/proc/%d/mountinfo", fixture->pid);
	file = fopen(path, "re");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file))
		count += sscanf(line, "%*s %*s %*s %*s %2047s", target) == 1 &&
			 strcmp(target, fixture->target) == 0;
	return count;
}

static void sleep_a_little(void)
{
	const struct timespec step = {.tv_nsec = 5000000};

	nanosleep(&step, NULL);
}

static void expect_state(struct fixture *fixture, const char *wanted)
{
	char state[16] = "";

	for (int left_ms = PATIENCE_MS; left_ms > 0; left_ms -= 5) {
		read_state(fixture, state);
		if (strcmp(state, wanted) == 0)
			break;
		sleep_a_little();
	}
	assert_string_equal(state, wanted);
	if (fixture->pid > 0 && strcmp(wanted, "missing") != 0)
		assert_int_equal(count_mounts(fixture), strcmp(wanted, "attached") == 0);
}

/* Wait until the stream of events stands (again). */
static void expect_subscribed(struct fixture *fixture)
{
	for (int left_ms = PATIENCE_MS; left_ms > 0; left_ms -= 5) {
		if (fake_engine_kept(fixture->fake) > 0)
			return;
		sleep_a_little();
	}
	fail_msg("no subscription");
}

static void poke(void *context, const char *container_id)
{
	struct fixture *fixture = context;

	if (fixture->reconciler)
		hv_reconciler_poke(fixture->reconciler, container_id);
}

static void start_reconciler(struct fixture *fixture)
{
	fixture->reconciler = hv_reconciler_start(&(struct hv_reconciler_args){
		.attacher = &fixture->attacher,
		.log = &fixture->log,
		.open_state = open_state,
		.context = fixture,
	});
	assert_non_null(fixture->reconciler);
}

static void stop_reconciler(struct fixture *fixture)
{
	if (fixture->reconciler)
		assert_true(hv_reconciler_stop(fixture->reconciler, STOP_MS));
	fixture->reconciler = NULL;
}

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	void *world = NULL;

	assert_non_null(fixture);
	world_setup(&world);
	fixture->world = world;
	fixture->log.level = HV_LOG_ERROR;
	fixture->socket = scratch_path(fixture->world->dir, "docker.sock");
	fixture->target = scratch_path(fixture->world->dir, "inside");
	world_mkdir(fixture->world, "inside");
	assert_int_equal(world_create(fixture->world, "data", NULL, NULL), HV_OK);
	hv_keylock_init(&fixture->attacher.locks);
	fixture->attacher.core = fixture->world->volumes.core;
	fixture->attacher.store = fixture->world->volumes.store;
	fixture->attacher.volumes = &fixture->world->volumes;
	fixture->attacher.on_change = poke;
	fixture->attacher.context = fixture;
	fixture->attacher.engine = hv_engine_new(&(struct hv_engine_args){
		.open_socket = open_socket, .context = fixture, .socket_path = fixture->socket});
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;
	void *world = fixture->world;

	stop_reconciler(fixture);
	stop_container(fixture);
	stop_engine(fixture);
	hv_engine_free(fixture->attacher.engine);
	hv_keylock_done(&fixture->attacher.locks);
	free(fixture->socket);
	free(fixture->target);
	free(fixture);
	return world_teardown(&world);
}

/* `replace`: NULL, or "true". */
static enum hv_code attach_to(
	struct fixture *fixture, char *volume, char *target, bool persist, char *replace)
{
	struct hv_attach_request request = HV_ATTACH_REQUEST_INIT;
	struct hv_attachment attachment = {0};
	struct hv_error err = {0};
	char container[] = ID;
	enum hv_code code;

	request.volume = volume;
	request.container = container;
	request.target = target;
	request.persist = persist;
	request.replace = replace;
	code = hv_attach(&fixture->attacher, &request, &attachment, &err);
	if (code != HV_OK)
		print_message("%s\n", hv_error_text(&err));
	hv_attachment_done(&attachment);
	hv_error_done(&err);
	return code;
}

static enum hv_code attach(struct fixture *fixture, bool persist)
{
	char volume[] = "data";

	return attach_to(fixture, volume, fixture->target, persist, NULL);
}

/* An Engine, a container and an attachment, all well. */
static void begin(struct fixture *fixture)
{
	start_engine(fixture);
	start_container(fixture);
	assert_int_equal(attach(fixture, true), HV_OK);
	start_reconciler(fixture);
	expect_subscribed(fixture);
	expect_state(fixture, "attached");
}

static void a_restart_is_noticed_by_its_event(void **state)
{
	struct fixture *fixture = *state;

	begin(fixture);
	for (int i = 0; i < 3; i++) {
		stop_container(fixture);
		expect_state(fixture, "pending"); /* by the process alone: no event was sent */
		start_container(fixture);
		fake_engine_send(fixture->fake, EVENT("start"));
		expect_state(fixture, "attached");
	}
}

static void one_that_is_stopped_gets_it_when_it_starts(void **state)
{
	struct fixture *fixture = *state;

	start_engine(fixture);
	start_reconciler(fixture);
	expect_subscribed(fixture);
	assert_int_equal(attach(fixture, false), HV_NOT_RUNNING);
	expect_state(fixture, "");
	assert_int_equal(attach(fixture, true), HV_OK);
	assert_int_equal(attach(fixture, true), HV_OK); /* the same */
	expect_state(fixture, "pending");
	start_container(fixture);
	fake_engine_send(fixture->fake, EVENT("start"));
	expect_state(fixture, "attached");
}

static void once_ends_with_the_process(void **state)
{
	struct fixture *fixture = *state;

	start_engine(fixture);
	start_container(fixture);
	start_reconciler(fixture);
	assert_int_equal(attach(fixture, false), HV_OK);
	expect_state(fixture, "attached");
	stop_container(fixture);
	expect_state(fixture, "");
}

static void an_engine_that_comes_late_is_met(void **state)
{
	struct fixture *fixture = *state;

	start_engine(fixture);
	assert_int_equal(attach(fixture, true), HV_OK);
	stop_engine(fixture);
	start_reconciler(fixture);
	start_container(fixture);
	for (int i = 0; i < 100; i++)
		sleep_a_little();
	expect_state(fixture, "pending");
	start_engine(fixture);
	expect_state(fixture, "attached");
}

static void a_container_that_is_gone_takes_its_attachments_along(void **state)
{
	struct fixture *fixture = *state;

	begin(fixture);
	stop_container(fixture);
	fake_engine_set(fixture->fake, INSPECT_PATH, UNKNOWN);
	fake_engine_send(fixture->fake, EVENT("destroy"));
	expect_state(fixture, "");
}

/* Wait for it, and that the problem has this in it. */
static void expect_problem(struct fixture *fixture, const char *state, const char *text)
{
	const struct hv_record_filter all = {0};
	bool is_told = false;

	for (int left_ms = PATIENCE_MS; left_ms > 0 && !is_told; left_ms -= 5) {
		struct hv_record *records = NULL;
		struct hv_error err = {0};
		size_t count = 0;

		assert_int_equal(hv_store_attachment_list(
					 fixture->attacher.store, &all, &records, &count, &err),
			HV_OK);
		assert_int_equal(count, 1);
		is_told = records->view.problem && strstr(records->view.problem, text) &&
			  strcmp(records->view.state, state) == 0;
		hv_records_free(records, count);
		sleep_a_little();
	}
	assert_true(is_told);
}

static enum hv_code release(struct fixture *fixture)
{
	struct hv_error err = {0};
	enum hv_code code = hv_attachments_release(&fixture->attacher, "data", &err);

	hv_error_done(&err);
	return code;
}

static void an_engine_that_is_another_ends_nothing(void **state)
{
	struct fixture *fixture = *state;

	begin(fixture);
	stop_container(fixture);
	expect_state(fixture, "pending");
	fake_engine_set(fixture->fake, INSPECT_PATH, UNKNOWN);
	fake_engine_set(fixture->fake, "/info", INFO("CD", "3"));
	fake_engine_send(fixture->fake, EVENT("destroy"));
	expect_problem(fixture, "pending", "is not the one that container 'web' belongs to");
	assert_int_equal(release(fixture), HV_VOLUME_IN_USE);
	fake_engine_set(fixture->fake, "/info", INFO("AB", "3"));
	expect_state(fixture, ""); /* it is tried again */
}

static void an_engine_that_is_known_again_clears_the_doubt(void **state)
{
	struct fixture *fixture = *state;

	start_engine(fixture);
	assert_int_equal(attach(fixture, true), HV_OK);
	fake_engine_set(fixture->fake, INSPECT_PATH, UNKNOWN);
	fake_engine_set(fixture->fake, "/info", INFO("CD", "3"));
	start_reconciler(fixture);
	expect_problem(fixture, "pending", "is not the one");
	fake_engine_set(fixture->fake, "/info", INFO("AB", "3"));
	start_container(fixture);
	expect_state(fixture, "attached");
}

static void a_container_that_lives_keeps_its_attachments(void **state)
{
	const struct hv_list_request all = {0};
	struct fixture *fixture = *state;
	struct hv_attachment *list = NULL;
	struct hv_error err = {0};
	size_t count = 0;

	begin(fixture);
	fake_engine_set(fixture->fake, INSPECT_PATH, UNKNOWN);
	fake_engine_send(fixture->fake, EVENT("destroy"));
	expect_problem(fixture, "attached", "which runs and has the volume");
	assert_int_equal(count_mounts(fixture), 1);
	assert_int_equal(release(fixture), HV_VOLUME_IN_USE);
	assert_int_equal(hv_attachments_list(&fixture->attacher, &all, &list, &count, &err), HV_OK);
	assert_int_equal(count, 1);
	assert_non_null(list->problem);
	hv_attachments_free(list, count);
	stop_container(fixture);
	fake_engine_set(fixture->fake, INSPECT_PATH, UNKNOWN);
	expect_state(fixture, "");
}

/* dockerd over a disk that is not mounted. */
static void an_engine_without_containers_must_have_told_of_the_end(void **state)
{
	struct fixture *fixture = *state;

	start_engine(fixture);
	assert_int_equal(attach(fixture, true), HV_OK);
	fake_engine_set(fixture->fake, INSPECT_PATH, UNKNOWN);
	fake_engine_set(fixture->fake, "/info", INFO("AB", "0"));
	start_reconciler(fixture);
	expect_problem(fixture, "pending", "has no containers at all");
	assert_int_equal(release(fixture), HV_VOLUME_IN_USE);
	fake_engine_send(fixture->fake, EVENT("destroy"));
	expect_state(fixture, "");
}

static void another_container_of_that_name_is_not_the_one(void **state)
{
	struct fixture *fixture = *state;

	begin(fixture);
	stop_container(fixture);
	start_container(fixture);
	fake_engine_set(fixture->fake, INSPECT_PATH,
		HEAD("200 OK") CLOSED
		"{\"Id\":\"00\",\"Name\":\"/" ID
		"\",\"State\":{\"Running\":false,\"Pid\":0,\"StartedAt\":\"x\"}}");
	fake_engine_send(fixture->fake, EVENT("start"));
	expect_state(fixture, "");
}

/* What happens to the stream while the container restarts unseen. */
static void send_long_line(struct fixture *fixture)
{
	char *line = malloc(HV_EVENT_LINE_MAX + 2);

	assert_non_null(line);
	memset(line, ' ', HV_EVENT_LINE_MAX + 1);
	line[HV_EVENT_LINE_MAX + 1] = '\0';
	fake_engine_send(fixture->fake, line);
	free(line);
}

static void a_stream_that_breaks_is_taken_up_again(void **state)
{
	static const char *const breaks[] = {NULL, "<html>\n", "{\"Type\":7}\n", "long", "restart"};
	struct fixture *fixture = *state;

	begin(fixture);
	for (size_t i = 0; i < sizeof(breaks) / sizeof(breaks[0]); i++) {
		stop_container(fixture);
		expect_state(fixture, "pending");
		start_container(fixture);
		if (breaks[i] && strcmp(breaks[i], "long") == 0) {
			send_long_line(fixture);
		} else if (breaks[i] && strcmp(breaks[i], "restart") == 0) {
			stop_engine(fixture);
			start_engine(fixture);
		} else {
			fake_engine_send(fixture->fake, breaks[i]);
		}
		expect_state(fixture, "attached");
	}
}

/* An Engine that takes requests and answers none: what the kernel knows is noticed all the same. */
static void an_engine_that_hangs_does_not_hide_a_death(void **state)
{
	static const struct fake_reply mute[] = {{"/", "", 0, 1}, {NULL, NULL, 0, 0}};
	struct fixture *fixture = *state;

	start_engine(fixture);
	start_container(fixture);
	assert_int_equal(attach(fixture, true), HV_OK);
	stop_engine(fixture);
	fixture->fake = fake_engine_new(fixture->socket, mute);
	start_reconciler(fixture);
	for (int i = 0; i < 20; i++)
		sleep_a_little();
	stop_container(fixture);
	expect_state(fixture, "pending");
}

/* Give the world's disk so many blocks more than are used. */
static void leave_blocks(struct fixture *fixture, unsigned long blocks)
{
	struct statfs disk;
	char options[64];

	assert_int_equal(statfs(fixture->world->dir, &disk), 0);
	snprintf(options, sizeof(options), "size=%lu",
		(disk.f_blocks - disk.f_bfree + blocks) * (unsigned long)disk.f_bsize);
	assert_int_equal(mount(NULL, fixture->world->dir, NULL, MS_REMOUNT, options), 0);
}

static void a_death_that_cannot_be_noted_is_not_looked_at_without_a_pause(void **state)
{
	struct fixture *fixture = *state;
	unsigned before;

	begin(fixture);
	leave_blocks(fixture, 0);
	before = atomic_load(&fixture->looks);
	stop_container(fixture);
	for (int i = 0; i < 200; i++)
		sleep_a_little();
	assert_in_range(atomic_load(&fixture->looks) - before, 2, 20);
	expect_state(fixture, "attached"); /* as far as the disk knows */
	leave_blocks(fixture, 1024);
	expect_state(fixture, "pending");
}

/* As a helper of the mount library does: it has a copy of every descriptor. */
static pid_t fork_one_that_stays(void)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid > 0)
		return pid;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		pause();
}

static void a_process_that_is_not_watched_any_more_is_not_told_of(void **state)
{
	const struct hv_record_filter all = {0};
	struct fixture *fixture = *state;
	struct hv_record *records = NULL;
	struct hv_error err = {0};
	size_t count = 0;
	pid_t helper;

	begin(fixture);
	for (int i = 0; i < 20; i++) /* until its process is watched */
		sleep_a_little();
	helper = fork_one_that_stays();
	assert_int_equal(
		hv_store_attachment_list(fixture->attacher.store, &all, &records, &count, &err),
		HV_OK);
	assert_int_equal(
		hv_store_attachment_drop(fixture->attacher.store, records->view.id, &err), HV_OK);
	hv_records_free(records, count);
	hv_reconciler_poke(fixture->reconciler, NULL);
	for (int i = 0; i < 20; i++)
		sleep_a_little();
	stop_container(fixture);
	for (int i = 0; i < 20; i++)
		sleep_a_little();
	assert_int_equal(kill(helper, SIGKILL), 0);
	assert_int_equal(waitpid(helper, NULL, 0), helper);
	expect_state(fixture, "");
}

/* A daemon that was killed after the mount was made again, and before it was noted. */
static void a_mount_that_was_only_announced_is_adopted(void **state)
{
	const struct hv_record_filter all = {0};
	struct fixture *fixture = *state;
	struct hv_record *records = NULL;
	struct hv_error err = {0};
	size_t count = 0;

	start_engine(fixture);
	start_container(fixture);
	assert_int_equal(attach(fixture, true), HV_OK);
	assert_int_equal(
		hv_store_attachment_list(fixture->attacher.store, &all, &records, &count, &err),
		HV_OK);
	memcpy(records[0].view.state, "pending", sizeof("pending"));
	assert_int_equal(
		hv_store_attachment_note(fixture->attacher.store, &records[0], &err), HV_OK);
	hv_records_free(records, count);
	start_reconciler(fixture);
	expect_state(fixture, "attached");
}

static void what_is_unmounted_inside_is_not_fought(void **state)
{
	struct fixture *fixture = *state;
	char command[512];

	begin(fixture);
	snprintf(command, sizeof(command), "nsenter -t %d -m umount %s", fixture->pid,
		fixture->target);
	assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c): a test's own words */
	hv_reconciler_poke(fixture->reconciler, ID);
	expect_state(fixture, "missing");
	stop_reconciler(fixture);
	start_reconciler(fixture);
	fake_engine_send(fixture->fake, EVENT("start"));
	for (int i = 0; i < 60; i++)
		sleep_a_little();
	expect_state(fixture, "missing");
	assert_int_equal(count_mounts(fixture), 0);
}

static void list_one(struct fixture *fixture, struct hv_record **ret)
{
	const struct hv_record_filter all = {0};
	struct hv_error err = {0};
	size_t count = 0;

	assert_int_equal(
		hv_store_attachment_list(fixture->attacher.store, &all, ret, &count, &err), HV_OK);
	assert_int_equal(count, 1);
}

static void a_volume_that_becomes_read_only_meanwhile_is_attached_so(void **state)
{
	struct fixture *fixture = *state;
	struct hv_record *record = NULL;

	start_engine(fixture);
	start_container(fixture);
	fixture->sets_read_only = true;
	assert_int_equal(attach(fixture, true), HV_OK);
	list_one(fixture, &record);
	assert_true(record->view.read_only);
	hv_records_free(record, 1);
}

static void what_is_replaced_through_a_link_loses_its_record(void **state)
{
	struct fixture *fixture = *state;
	char *link = scratch_path(fixture->world->dir, "link");
	char other[] = "other", replace[] = "true", no_replace[] = "";
	struct hv_record *record = NULL;

	assert_int_equal(symlink("inside", link), 0);
	assert_int_equal(world_create(fixture->world, "other", NULL, NULL), HV_OK);
	start_engine(fixture);
	start_container(fixture);
	assert_int_equal(attach(fixture, true), HV_OK);
	assert_int_equal(attach_to(fixture, other, link, true, no_replace), HV_TARGET_EXISTS);
	assert_int_equal(attach_to(fixture, other, link, true, replace), HV_OK);
	list_one(fixture, &record);
	assert_string_equal(record->view.volume, "other");
	assert_string_equal(record->view.target, link);
	assert_int_equal(count_mounts(fixture), 1);
	hv_records_free(record, 1);
	/* And the same again through the other name is what is there. */
	assert_int_equal(attach_to(fixture, other, fixture->target, true, replace), HV_OK);
	list_one(fixture, &record);
	assert_string_equal(record->view.target, link);
	hv_records_free(record, 1);
	free(link);
}

/* Whether all is well; `name` of what was looked at last. */
static bool check(struct fixture *fixture, bool read_only, const char *name)
{
	struct hv_attach_request request = HV_ATTACH_REQUEST_INIT;
	char volume[] = "data", container[] = ID;
	struct hv_check *checks = NULL;
	struct hv_error err = {0};
	size_t count = 0;
	bool is_ok;

	request.volume = volume;
	request.container = container;
	request.target = fixture->target;
	request.persist = true;
	request.read_only = read_only;
	assert_int_equal(
		hv_attach_check(&fixture->attacher, &request, &checks, &count, &err), HV_OK);
	assert_true(count > 0);
	assert_string_equal(checks[count - 1].name, name);
	is_ok = checks[count - 1].ok;
	hv_checks_free(checks, count);
	return is_ok;
}

static void a_check_knows_what_waits_for_the_start(void **state)
{
	struct fixture *fixture = *state;

	start_engine(fixture);
	assert_true(check(fixture, true, "mode"));
	assert_int_equal(attach(fixture, true), HV_OK);
	assert_true(check(fixture, false, "mode"));
	assert_int_equal(attach(fixture, true), HV_OK);
	assert_false(check(fixture, true, "target"));
}

static void a_detach_takes_the_words_before_the_links(void **state)
{
	struct fixture *fixture = *state;
	char *link = scratch_path(fixture->world->dir, "link");
	char other[] = "other", container[] = ID;
	struct hv_detach_request request = {.container = container, .target = fixture->target};
	struct hv_attachment ended = {0};
	struct hv_record *record = NULL;
	struct hv_error err = {0};

	assert_int_equal(world_create(fixture->world, "other", NULL, NULL), HV_OK);
	assert_int_equal(symlink("inside", link), 0);
	start_engine(fixture);
	start_container(fixture);
	assert_int_equal(attach_to(fixture, other, link, true, NULL), HV_OK);
	stop_container(fixture);
	assert_int_equal(unlink(link), 0);
	world_mkdir(fixture->world, "link");
	assert_int_equal(hv_attachments_look(
				 &fixture->attacher, ID, &(struct hv_repaired){.records = 0}, &err),
		HV_OK);
	start_container(fixture);
	list_one(fixture, &record);
	assert_string_equal(record->path, fixture->target); /* where the link led to */
	/* Another one, of that very name, recorded later. */
	free(record->view.id);
	free(record->view.target);
	record->view.id = strdup("ffffffffffff");
	record->view.target = strdup(fixture->target);
	assert_int_equal(hv_store_attachment_put(fixture->attacher.store, record, &err), HV_OK);
	hv_records_free(record, 1);
	assert_int_equal(hv_detach(&fixture->attacher, &request, &ended, &err), HV_OK);
	assert_string_equal(ended.id, "ffffffffffff");
	hv_attachment_done(&ended);
	free(link);
}

static void a_container_that_cannot_be_looked_at_is_listed_all_the_same(void **state)
{
	const struct hv_list_request all = {0};
	struct fixture *fixture = *state;
	struct hv_attachment *list = NULL;
	struct hv_error err = {0};
	struct rlimit before, none;
	size_t count = 0;
	enum hv_code code;

	start_engine(fixture);
	start_container(fixture);
	assert_int_equal(attach(fixture, true), HV_OK);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = (struct rlimit){.rlim_cur = 0, .rlim_max = before.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	code = hv_attachments_list(&fixture->attacher, &all, &list, &count, &err);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(code, HV_OK);
	assert_int_equal(count, 1);
	assert_string_equal(list->state, "attached");
	assert_non_null(strstr(list->problem, "cannot be looked at"));
	hv_attachments_free(list, count);
}

#define RECONCILED(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

static void run(void)
{
	const struct CMUnitTest tests[] = {
		RECONCILED(a_restart_is_noticed_by_its_event),
		RECONCILED(one_that_is_stopped_gets_it_when_it_starts),
		RECONCILED(once_ends_with_the_process),
		RECONCILED(an_engine_that_comes_late_is_met),
		RECONCILED(a_container_that_is_gone_takes_its_attachments_along),
		RECONCILED(an_engine_that_is_another_ends_nothing),
		RECONCILED(an_engine_that_is_known_again_clears_the_doubt),
		RECONCILED(a_container_that_lives_keeps_its_attachments),
		RECONCILED(an_engine_without_containers_must_have_told_of_the_end),
		RECONCILED(another_container_of_that_name_is_not_the_one),
		RECONCILED(a_stream_that_breaks_is_taken_up_again),
		RECONCILED(an_engine_that_hangs_does_not_hide_a_death),
		RECONCILED(a_death_that_cannot_be_noted_is_not_looked_at_without_a_pause),
		RECONCILED(a_process_that_is_not_watched_any_more_is_not_told_of),
		RECONCILED(a_mount_that_was_only_announced_is_adopted),
		RECONCILED(what_is_unmounted_inside_is_not_fought),
		RECONCILED(a_volume_that_becomes_read_only_meanwhile_is_attached_so),
		RECONCILED(what_is_replaced_through_a_link_loses_its_record),
		RECONCILED(a_check_knows_what_waits_for_the_start),
		RECONCILED(a_detach_takes_the_words_before_the_links),
		RECONCILED(a_container_that_cannot_be_looked_at_is_listed_all_the_same),
	};

	exit(cmocka_run_group_tests(tests, NULL, NULL));
}

int main(void)
{
	int rc = hv_need_privilege();

	if (rc)
		return rc;
	hv_in_namespace(run);
	return 0;
}
