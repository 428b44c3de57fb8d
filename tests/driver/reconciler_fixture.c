/* SPDX-License-Identifier: Apache-2.0 */
#include "reconciler_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "mountcore/cleanup.h"
#include "support/hv_test.h"

#include "attacher.h"
#include "scratch.h"

enum { STOP_MS = 15000 };

static const struct fake_reply replies[] = {
	{"/events", HEAD("200 OK") "\r\n", 0, 1},
	{"/info", INFO("AB", "3"), 0, 0},
	{NULL, NULL, 0, 0},
};

static void set_read_only(struct fixture *fixture)
{
	struct hv_opts opts = {0};
	struct hv_error err = {0};

	assert_int_equal(hv_opts_add(&opts, "ro", "true"), 0);
	assert_int_equal(hv_volume_set(fixture->world->volumes, "data", &opts, &err), HV_OK);
	hv_opts_done(&opts);
}

static int open_socket(void *context)
{
	struct fixture *fixture = context;
	int fd = open(fixture->socket, O_PATH | O_CLOEXEC);

	if (atomic_exchange(&fixture->sets_read_only, false))
		set_read_only(fixture);
	if (atomic_exchange(&fixture->removes, false))
		assert_int_equal(world_remove(fixture->world, "data"), HV_OK);
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

void start_engine(struct fixture *fixture)
{
	fixture->fake = fake_engine_new(fixture->socket, replies);
	tell_engine(fixture);
}

void stop_engine(struct fixture *fixture)
{
	fake_engine_free(fixture->fake);
	fixture->fake = NULL;
	(void)unlink(fixture->socket);
}

static void be_container(int ready, const char *own_mount)
{
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* The connections of the moment would not end with ours. */
	if (dup2(ready, 3) != 3 || close_range(4, ~0U, 0) < 0 || unshare(CLONE_NEWNS) < 0 ||
		mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
		(own_mount && mount("own", own_mount, "tmpfs", 0, NULL) < 0) ||
		write(3, "", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

void start_container(struct fixture *fixture)
{
	int ends[2];
	char byte;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	fixture->pid = fork();
	assert_true(fixture->pid >= 0);
	if (fixture->pid == 0)
		be_container(ends[1], fixture->own_mount);
	close(ends[1]);
	assert_int_equal(read(ends[0], &byte, 1), 1);
	close(ends[0]);
	fixture->starts++;
	tell_engine(fixture);
}

void stop_container(struct fixture *fixture)
{
	if (fixture->pid == 0)
		return;
	assert_int_equal(kill(fixture->pid, SIGKILL), 0);
	assert_int_equal(waitpid(fixture->pid, NULL, 0), fixture->pid);
	fixture->pid = 0;
	tell_engine(fixture);
}

/* The last known state of the container's only attachment; "" when there is none. */
static void read_state(struct fixture *fixture, char ret[static 16])
{
	const struct hv_record_filter filter = {.container_id = ID};
	struct hv_records records = {0};
	struct hv_error err = {0};

	assert_int_equal(
		hv_store_attachment_list(fixture->world->store, &filter, &records, &err), HV_OK);
	assert_true(records.count < 2);
	snprintf(ret, 16, "%s",
		records.count && records.items->is_done
			? hv_attachment_state_name(records.items->view.state)
			: "");
	hv_records_done(&records);
}

unsigned count_mounts_at(struct fixture *fixture, const char *target)
{
	char path[64], line[4096], at[2048];
	mc_auto_file file = NULL;
	unsigned count = 0;

	snprintf(path, sizeof(path), "/proc/%d/mountinfo", fixture->pid);
	file = fopen(path, "re");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file))
		count += sscanf(line, "%*s %*s %*s %*s %2047s", at) == 1 && strcmp(at, target) == 0;
	return count;
}

unsigned count_mounts(struct fixture *fixture)
{
	return count_mounts_at(fixture, fixture->target);
}

/* By a child: mount a tmpfs at one, unmount the other; NULL for none. */
static void change_inside(struct fixture *fixture, const char *mounted, const char *unmounted)
{
	char path[64];
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		int fd;

		snprintf(path, sizeof(path), "/proc/%d/ns/mnt", fixture->pid);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		_exit(fd < 0 || setns(fd, CLONE_NEWNS) < 0 ||
			(mounted && mount("inside", mounted, "tmpfs", 0, NULL) < 0) ||
			(unmounted && umount2(unmounted, MNT_DETACH) < 0));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

void mount_inside(struct fixture *fixture, const char *target)
{
	change_inside(fixture, target, NULL);
}

void unmount_inside(struct fixture *fixture, const char *target)
{
	change_inside(fixture, NULL, target);
}

bool is_inside(struct fixture *fixture, const char *path)
{
	char name[PATH_MAX];

	snprintf(name, sizeof(name), "/proc/%d/root%s", fixture->pid, path);
	return scratch_exists(name);
}

bool has_inside(struct fixture *fixture, const char *name)
{
	char *path = scratch_path(fixture->target, name);
	bool is_there = is_inside(fixture, path);

	free(path);
	return is_there;
}

void sleep_a_little(void)
{
	const struct timespec step = {.tv_nsec = 5000000};

	nanosleep(&step, NULL);
}

void expect_state(struct fixture *fixture, const char *wanted)
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

void expect_subscribed(struct fixture *fixture)
{
	for (int left_ms = PATIENCE_MS; left_ms > 0; left_ms -= 5) {
		if (fake_engine_kept(fixture->fake) > 0)
			return;
		sleep_a_little();
	}
	fail_msg("no subscription");
}

static void poke(void *context, const char *container_id, bool is_undone)
{
	struct fixture *fixture = context;

	if (fixture->reconciler)
		hv_reconciler_poke(fixture->reconciler, container_id, is_undone);
}

static void note_end(void *context, const struct hv_attachment *ended)
{
	struct fixture *fixture = context;

	snprintf(fixture->ended, sizeof(fixture->ended), "%s %s %s", ended->container_name,
		ended->volume, ended->target);
	fixture->has_ended = true;
}

void start_reconciler(struct fixture *fixture)
{
	fixture->reconciler = hv_reconciler_start(&(struct hv_reconciler_args){
		.engine = fixture->engine,
		.attacher = fixture->attacher,
		.core = fixture->world->core,
		.log = &fixture->log,
		.open_state = open_state,
		.context = fixture,
		.look_ms = fixture->look_ms,
		.ask_ms = fixture->ask_ms,
		.idle_ms = fixture->idle_ms,
	});
	assert_non_null(fixture->reconciler);
}

void stop_reconciler(struct fixture *fixture)
{
	if (fixture->reconciler)
		assert_true(hv_reconciler_stop(fixture->reconciler, STOP_MS));
	fixture->reconciler = NULL;
}

int reconciler_setup(void **state)
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
	fixture->engine = hv_engine_new(&(struct hv_engine_args){
		.open_socket = open_socket, .context = fixture, .socket_path = fixture->socket});
	fixture->attacher = attacher_new(fixture->world, fixture->engine);
	fixture->listener = (struct hv_attacher_listener){
		.on_change = poke, .on_end = note_end, .context = fixture};
	hv_attacher_listen(fixture->attacher, &fixture->listener);
	*state = fixture;
	return 0;
}

int reconciler_teardown(void **state)
{
	struct fixture *fixture = *state;
	void *world = fixture->world;

	stop_reconciler(fixture);
	stop_container(fixture);
	stop_engine(fixture);
	hv_attacher_free(fixture->attacher);
	hv_engine_free(fixture->engine);
	free(fixture->socket);
	free(fixture->target);
	free(fixture);
	return world_teardown(&world);
}

enum hv_code attach_to(
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
	code = hv_attach(fixture->attacher, &request, &attachment, &err);
	if (code != HV_OK)
		print_message("%s\n", hv_error_text(&err));
	hv_attachment_done(&attachment);
	hv_error_done(&err);
	return code;
}

enum hv_code detach_from(struct fixture *fixture, const char *target)
{
	char container[] = ID;
	const struct hv_detach_request request = {
		.container = container, .target = (char *)(uintptr_t)target};
	struct hv_attachment attachment = {0};
	struct hv_error err = {0};
	enum hv_code code = hv_detach(fixture->attacher, &request, &attachment, &err);

	if (code != HV_OK)
		print_message("%s (%s)\n", hv_error_text(&err), err.hint ? err.hint : "");
	hv_attachment_done(&attachment);
	hv_error_done(&err);
	return code;
}

enum hv_code repair(struct fixture *fixture)
{
	struct hv_repaired repaired = {0};
	struct hv_error err = {0};
	enum hv_code code = hv_attachments_reconcile(fixture->attacher, ID, &repaired, &err);

	if (code != HV_OK)
		print_message("%s\n", hv_error_text(&err));
	hv_error_done(&err);
	return code;
}

const char *state_of(struct fixture *fixture, const char *target)
{
	const struct hv_list_request all = {0};
	static char text[1024];
	struct hv_attachment *list = NULL;
	struct hv_error err = {0};
	size_t count = 0;

	*text = '\0';
	assert_int_equal(hv_attachments_list(fixture->attacher, &all, &list, &count, &err), HV_OK);
	for (size_t i = 0; i < count; i++)
		if (strcmp(list[i].target, target) == 0)
			snprintf(text, sizeof(text), "%s%s%s",
				hv_attachment_state_name(list[i].state), list[i].problem ? " " : "",
				list[i].problem ? list[i].problem : "");
	hv_attachments_free(list, count);
	return text;
}

enum hv_code attach(struct fixture *fixture, bool persist)
{
	char volume[] = "data";

	return attach_to(fixture, volume, fixture->target, persist, NULL);
}

void begin(struct fixture *fixture)
{
	start_engine(fixture);
	start_container(fixture);
	assert_int_equal(attach(fixture, true), HV_OK);
	start_reconciler(fixture);
	expect_subscribed(fixture);
	expect_state(fixture, "attached");
}
