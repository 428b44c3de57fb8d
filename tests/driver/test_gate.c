/* SPDX-License-Identifier: Apache-2.0 */
/* The gate with the kernel's own fanotify and a runtime that is a process of the test: it has a
 * directory for its container, a FIFO and a state file, and opens that to start. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "mountcore/cleanup.h"
#include "support/hv_test.h"

#include "scratch.h"
#include "start/gate.h"
#include "start/state.h"

enum {
	LONG_MS = 60000,
	SHORT_MS = 20,
	SOME_MS = 1000,
	PATIENCE_SECONDS = 60,
	FDS_FEW = 32,
	OPENS_MANY = 100,
	KNOWN_MANY = 5000
};

#define ID "3f4e8f2b1c0d9a8b7c6d5e4f3a2b1c0d9e8f7a6b5c4d3e2f1a0b9c8d7e6f5a4b"

static const char state_text[] = "{\"id\":\"" ID "\",\"init_process_pid\":4711,"
				 "\"init_process_start\":815,\"config\":{\"pid\":[1]}}";

static char *dir;
static struct hv_gate gate;
static int host_root;

static int setup(void **state)
{
	(void)state;
	dir = scratch_new();
	host_root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	alarm(PATIENCE_SECONDS); /* a missing report is a failure */
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	alarm(0);
	close(host_root);
	scratch_free(dir);
	return 0;
}

static void expect(const struct hv_gate *from, enum hv_gate_kind kind, struct hv_gate_news *ret)
{
	assert_int_equal(hv_gate_read(from, ret), 0);
	assert_int_equal(ret->kind, kind);
}

static void start(struct hv_gate *ret, unsigned hold_ms)
{
	struct hv_gate_news news;

	assert_int_equal(hv_gate_start(host_root, hold_ms, ret), 0);
	expect(ret, HV_GATE_READY, &news);
	assert_int_equal(news.error, 0);
}

static void begin(unsigned hold_ms)
{
	start(&gate, hold_ms);
	assert_int_equal(hv_gate_follow(&gate, dir), 0);
}

/* A container that is made while its root is looked through is told of twice: wait until that is
 * over.  Roots are taken one after the other. */
static void settle(const struct hv_gate *by)
{
	char *after = scratch_new();
	mc_auto_free char *other = NULL;
	struct hv_gate_news news;

	assert_true(asprintf(&other, "%s/other", after) > 0);
	assert_int_equal(mkdir(other, 0700), 0);
	assert_int_equal(hv_gate_follow(by, after), 0);
	expect(by, HV_GATE_CREATED, &news);
	assert_string_equal(news.id, "other");
	scratch_free(after);
}

/* --- the runtime --- */

static char *in_container(const char *file)
{
	char *path = NULL;

	assert_true(asprintf(&path, "%s/" ID "%s%s", dir, *file ? "/" : "", file) > 0);
	return path;
}

static void make_directory(void)
{
	mc_auto_free char *path = in_container("");

	assert_int_equal(mkdir(path, 0700), 0);
}

static void make_fifo(void)
{
	mc_auto_free char *path = in_container("exec.fifo");

	assert_int_equal(mkfifo(path, 0600), 0);
}

/* In one step, as runtimes do. */
static void make_state(const char *name)
{
	mc_auto_free char *path = in_container(name), *before = in_container("new");

	scratch_write(before, state_text);
	assert_int_equal(rename(before, path), 0);
}

static void remove_fifo(void)
{
	mc_auto_free char *path = in_container("exec.fifo");

	assert_int_equal(unlink(path), 0);
}

/* A process that opens the file, and exits with 0 if it could. */
static pid_t open_with(const char *name, int flags)
{
	mc_auto_free char *path = in_container(name);
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0 && gate.socket > STDERR_FILENO)
		close(gate.socket); /* a runtime has no copy of it */
	if (pid == 0)
		_exit(open(path, flags | O_CLOEXEC, 0600) >= 0 ? 0 : errno);
	return pid;
}

static pid_t open_there(const char *name)
{
	return open_with(name, O_RDONLY | O_NONBLOCK);
}

/* As `runc create` begins to write the state, under whatever name. */
static pid_t make_there(const char *name)
{
	return open_with(name, O_RDWR | O_CREAT | O_EXCL);
}

static bool has_ended(pid_t pid)
{
	return waitpid(pid, NULL, WNOHANG) != 0;
}

static void expect_open(pid_t pid)
{
	int status = -1;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* Up to where its start comes; wanted by the gate. */
static void create(const struct hv_gate *by, bool must_deny)
{
	struct hv_gate_news news;

	expect(by, HV_GATE_CREATED, &news);
	assert_string_equal(news.id, ID);
	assert_int_equal(hv_gate_mark(by, ID, must_deny), 0);
}

/* Orders are taken one after the other: this report follows all earlier ones. */
static void wait_for_orders(const struct hv_gate *by)
{
	struct hv_gate_news news;

	assert_int_equal(hv_gate_look(by, ID), 0);
	expect(by, HV_GATE_CREATED, &news);
}

/* Marked, up to where its state is written. */
static void set_up_container(const struct hv_gate *by, bool must_deny)
{
	settle(by);
	make_directory();
	create(by, must_deny);
	make_fifo();
	wait_for_orders(by);
}

static void make_container(const struct hv_gate *by)
{
	set_up_container(by, false);
	make_state("state.json");
}

/* A runtime that opens the file is held.  `ret` is what is told of it, without its descriptor. */
static pid_t open_held(const char *name, struct hv_gate_news *ret)
{
	pid_t runtime = open_there(name);

	expect(&gate, HV_GATE_HELD, ret);
	close(ret->fd);
	return runtime;
}

static void let_go(pid_t runtime, const struct hv_gate_news *held)
{
	assert_int_equal(hv_gate_release(&gate, held->seq, false), 0);
	expect_open(runtime);
}

/* The gate as on a machine that does much else: it finds everything at once. */
static void stop_gate(void)
{
	int status = 0;

	assert_int_equal(kill(gate.pid, SIGSTOP), 0);
	assert_int_equal(waitpid(gate.pid, &status, WUNTRACED), gate.pid);
	assert_true(WIFSTOPPED(status));
}

static void continue_gate(void)
{
	assert_int_equal(kill(gate.pid, SIGCONT), 0);
}

/* The start of a container that is known, from its directory on; `name`: its state file. */
static void expect_held_start(const char *name)
{
	struct hv_gate_news news;
	pid_t runtime;

	expect(&gate, HV_GATE_CREATED, &news);
	make_fifo();
	make_state(name);
	runtime = open_held(name, &news);
	let_go(runtime, &news);
}

/* --- tests --- */

#define GATE_TEST(name) TEST_WITH(name, setup, teardown)

GATE_TEST(a_start_is_held_until_it_is_released)
{
	struct hv_gate_news news;
	struct hv_first first;
	pid_t runtime;

	begin(LONG_MS);
	make_container(&gate);
	runtime = open_there("state.json");
	expect(&gate, HV_GATE_HELD, &news);
	assert_string_equal(news.id, ID);
	assert_false(has_ended(runtime));
	assert_int_equal(hv_state_read(news.fd, &first), 0);
	assert_int_equal(first.pid, 4711);
	assert_int_equal(first.start_ticks, 815);
	close(news.fd);
	let_go(runtime, &news);
	expect_open(open_there("state.json")); /* later ones are not its start */
	hv_gate_end(&gate);
}

GATE_TEST(a_start_that_is_refused_cannot_open_the_state)
{
	struct hv_gate_news news;
	pid_t runtime;
	int status;

	begin(LONG_MS);
	make_container(&gate);
	runtime = open_held("state.json", &news);
	assert_int_equal(hv_gate_refuse(&gate, news.seq), 0);
	assert_int_equal(waitpid(runtime, &status, 0), runtime);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), EPERM);
	expect_open(open_there("state.json")); /* the Engine clears up */
	hv_gate_end(&gate);
}

GATE_TEST(cruns_status_is_held_too)
{
	struct hv_gate_news news;
	pid_t runtime;

	begin(LONG_MS);
	set_up_container(&gate, false);
	make_state("status");
	runtime = open_held("status", &news);
	let_go(runtime, &news);
	hv_gate_end(&gate);
}

/* The daemon may be late: nobody answers HV_GATE_CREATED. */
GATE_TEST(a_container_that_is_known_is_held_without_an_answer)
{
	begin(LONG_MS);
	settle(&gate);
	assert_int_equal(hv_gate_know(&gate, ID), 0);
	for (int i = 0; i < 3; i++) { /* it is made again at each start */
		make_directory();
		expect_held_start("status");
		expect_open(open_there("status"));
		scratch_free(in_container(""));
	}
	hv_gate_end(&gate);
}

GATE_TEST(a_container_that_is_forgotten_is_not_held)
{
	struct hv_gate_news news;

	begin(LONG_MS);
	settle(&gate);
	assert_int_equal(hv_gate_know(&gate, ID), 0);
	make_directory();
	expect(&gate, HV_GATE_CREATED, &news);
	assert_int_equal(hv_gate_forget(&gate, ID), 0);
	make_fifo();
	make_state("state.json");
	wait_for_orders(&gate);
	expect_open(open_there("state.json"));
	hv_gate_end(&gate);
}

/* More containers than there is room for; the test's own is that of this number, none if -1. */
static void know_many(int own)
{
	char id[HV_GATE_ID_SIZE];

	for (int i = 0; i < KNOWN_MANY; i++) {
		snprintf(id, sizeof(id), "%064d", i);
		while (hv_gate_know(&gate, i == own ? ID : id) == -EAGAIN)
			sched_yield(); /* the gate takes one after the other */
	}
}

GATE_TEST(with_more_known_than_there_is_room_for_a_marked_one_is_held)
{
	struct hv_gate_news news;
	pid_t runtime;

	begin(LONG_MS);
	settle(&gate);
	know_many(-1);
	make_directory();
	create(&gate, false);
	make_fifo();
	make_state("state.json");
	wait_for_orders(&gate);
	runtime = open_held("state.json", &news);
	let_go(runtime, &news);
	hv_gate_end(&gate);
}

GATE_TEST(with_more_known_than_there_is_room_for_the_last_ones_stay_known)
{
	begin(LONG_MS);
	settle(&gate);
	know_many(KNOWN_MANY - 2);
	settle(&gate);
	make_directory();
	expect_held_start("state.json");
	hv_gate_end(&gate);
}

GATE_TEST(all_orders_that_were_given_before_a_container_is_made_count_for_it)
{
	begin(LONG_MS);
	settle(&gate);
	stop_gate();
	assert_int_equal(hv_gate_know(&gate, "other"), 0);
	assert_int_equal(hv_gate_know(&gate, ID), 0);
	make_directory();
	continue_gate();
	expect_held_start("state.json");
	hv_gate_end(&gate);
}

/* Blocked, as in the kernel's question to the gate. */
static void wait_until_it_waits(pid_t pid)
{
	mc_auto_free char *path = NULL;
	char text[256] = "", *state;

	assert_true(asprintf(&path, "/proc/%d/stat", (int)pid) > 0);
	do {
		mc_auto_fd fd = open(path, O_RDONLY | O_CLOEXEC);
		ssize_t size = read(fd, text, sizeof(text) - 1);

		assert_true(size > 0);
		text[size] = '\0';
		state = strrchr(text, ')');
		assert_non_null(state);
	} while (state[2] == 'R');
}

GATE_TEST(all_orders_that_were_given_before_an_open_count_for_it)
{
	struct hv_gate_news news;
	pid_t runtime;

	begin(LONG_MS);
	make_container(&gate);
	stop_gate();
	assert_int_equal(hv_gate_look(&gate, ID), 0);
	assert_int_equal(hv_gate_forget(&gate, ID), 0);
	runtime = open_there("state.json");
	wait_until_it_waits(runtime);
	continue_gate();
	expect(&gate, HV_GATE_CREATED, &news);
	expect_open(runtime);
	hv_gate_end(&gate);
}

/* The answer tells what is required, too. */
GATE_TEST(a_container_that_is_known_is_denied_by_its_answer)
{
	struct hv_gate_news news;
	pid_t runtime;
	int status;

	begin(SHORT_MS);
	settle(&gate);
	assert_int_equal(hv_gate_know(&gate, ID), 0);
	make_directory();
	create(&gate, true);
	make_fifo();
	make_state("state.json");
	wait_for_orders(&gate);
	runtime = open_there("state.json");
	expect(&gate, HV_GATE_HELD, &news);
	close(news.fd);
	expect(&gate, HV_GATE_DENIED, &news);
	close(news.fd);
	assert_int_equal(waitpid(runtime, &status, 0), runtime);
	assert_int_equal(WEXITSTATUS(status), EPERM);
	hv_gate_end(&gate);
}

GATE_TEST(what_is_set_up_is_held_before_its_state_is_written)
{
	static const char *const names[] = {"state-4711", "state.json"};
	struct hv_gate_news news;
	pid_t runtime;

	begin(LONG_MS);
	set_up_container(&gate, false);
	expect_open(make_there("runc.4711"));
	expect_open(make_there("state"));
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		runtime = make_there(names[i]);
		expect(&gate, HV_GATE_SET_UP, &news);
		assert_string_equal(news.id, ID);
		assert_int_equal(news.runtime, runtime);
		assert_int_equal(news.fd, MC_FD_NONE);
		assert_false(has_ended(runtime));
		assert_int_equal(hv_gate_release(&gate, news.seq, true), 0);
		expect_open(runtime);
	}
	make_state("state.json");
	runtime = open_held("state.json", &news); /* all was not done */
	let_go(runtime, &news);
	hv_gate_end(&gate);
}

GATE_TEST(what_is_done_when_it_is_set_up_is_not_held_again)
{
	struct hv_gate_news news;
	pid_t runtime;

	begin(LONG_MS);
	set_up_container(&gate, true);
	runtime = make_there("state-1");
	expect(&gate, HV_GATE_SET_UP, &news);
	let_go(runtime, &news);
	make_state("state.json");
	expect_open(open_there("state.json"));
	expect_open(make_there("state-2"));
	hv_gate_end(&gate);
}

/* The hold of its start is over as soon as it has begun. */
GATE_TEST(both_holds_have_one_deadline)
{
	struct hv_gate_news news;
	pid_t runtime;
	int status = 0;

	begin(SHORT_MS);
	set_up_container(&gate, true);
	runtime = make_there("state-1");
	expect(&gate, HV_GATE_SET_UP, &news);
	expect_open(runtime); /* nobody released it, and it is not denied */
	make_state("state.json");
	assert_int_equal(
		hv_gate_mark(&gate, ID, true), 0); /* that it is told again: no more time */
	wait_for_orders(&gate);
	runtime = open_there("state.json");
	expect(&gate, HV_GATE_HELD, &news);
	close(news.fd);
	assert_int_equal(waitpid(runtime, &status, 0), runtime);
	assert_int_equal(WEXITSTATUS(status), EPERM);
	expect(&gate, HV_GATE_DENIED, &news);
	close(news.fd);
	hv_gate_end(&gate);
}

/* `podman init`, and `podman start` when everything is there again. */
GATE_TEST(a_container_that_was_set_up_long_ago_has_all_of_the_time)
{
	const struct timespec long_ago = {.tv_sec = 2};
	struct hv_gate_news news;
	pid_t runtime;

	begin(SOME_MS);
	set_up_container(&gate, true);
	runtime = make_there("state-1");
	expect(&gate, HV_GATE_SET_UP, &news);
	expect_open(runtime);
	make_state("state.json");
	assert_int_equal(nanosleep(&long_ago, NULL), 0);
	runtime = open_held("state.json", &news);
	let_go(runtime, &news); /* in SOME_MS, on a machine that does not sleep that long */
	hv_gate_end(&gate);
}

/* `runc update` of a container that waits for its start writes its state, too. */
GATE_TEST(a_start_is_not_released_with_another_hold)
{
	struct hv_gate_news written, held;
	pid_t writer, runtime;

	begin(LONG_MS);
	set_up_container(&gate, true);
	make_state("state.json");
	writer = make_there("state-1");
	expect(&gate, HV_GATE_SET_UP, &written);
	runtime = open_held("state.json", &held);
	assert_int_not_equal(held.seq, written.seq);
	assert_int_equal(hv_gate_release(&gate, written.seq, true), 0);
	expect_open(writer);
	assert_false(has_ended(runtime));
	let_go(runtime, &held);
	hv_gate_end(&gate);
}

GATE_TEST(what_is_done_behind_the_deadline_is_done)
{
	struct hv_gate_news news;
	pid_t runtime;

	begin(SHORT_MS);
	set_up_container(&gate, true);
	runtime = make_there("state-1");
	expect(&gate, HV_GATE_SET_UP, &news);
	expect_open(runtime);
	assert_int_equal(hv_gate_release(&gate, news.seq, false), 0);
	make_state("state.json");
	wait_for_orders(&gate);
	expect_open(open_there("state.json"));
	hv_gate_end(&gate);
}

GATE_TEST(a_container_that_was_not_asked_for_is_not_held)
{
	struct hv_gate_news news;

	begin(LONG_MS);
	make_directory();
	expect(&gate, HV_GATE_CREATED, &news);
	make_fifo();
	make_state("state.json");
	expect_open(open_there("state.json"));
	hv_gate_end(&gate);
}

GATE_TEST(other_files_and_started_containers_are_not_held)
{
	begin(LONG_MS);
	make_container(&gate);
	make_state("state.json-1234");
	expect_open(open_there("state.json-1234"));
	expect_open(open_there("exec.fifo"));
	remove_fifo();
	expect_open(open_there("state.json"));
	hv_gate_end(&gate);
}

GATE_TEST(a_hold_ends_by_its_deadline)
{
	struct hv_gate_news news;
	pid_t runtime;
	uint32_t seq;

	begin(SHORT_MS);
	make_container(&gate);
	runtime = open_there("state.json");
	expect(&gate, HV_GATE_HELD, &news);
	seq = news.seq;
	close(news.fd);
	expect_open(runtime); /* and nobody released it */
	expect(&gate, HV_GATE_EXPIRED, &news);
	assert_int_equal(news.seq, seq);
	assert_string_equal(news.id, ID);
	assert_int_equal(hv_gate_release(&gate, seq, false), 0); /* too late: nothing */
	expect_open(open_there("state.json"));
	hv_gate_end(&gate);
}

GATE_TEST(a_gate_that_is_killed_holds_nothing)
{
	struct hv_gate_news news;
	pid_t runtime;

	begin(LONG_MS);
	make_container(&gate);
	runtime = open_held("state.json", &news);
	assert_int_equal(kill(gate.pid, SIGKILL), 0);
	expect_open(runtime);
	assert_int_equal(hv_gate_read(&gate, &news), -EPIPE);
	assert_int_equal(hv_gate_mark(&gate, ID, false), -EPIPE);
	hv_gate_end(&gate);
}

GATE_TEST(what_must_not_go_on_is_denied_by_its_deadline)
{
	struct hv_gate_news news;
	pid_t runtime;
	int status = 0;

	begin(SHORT_MS);
	make_container(&gate);
	assert_int_equal(hv_gate_mark(&gate, ID, true), 0);
	wait_for_orders(&gate);
	runtime = open_there("state.json");
	expect(&gate, HV_GATE_HELD, &news);
	close(news.fd);
	assert_int_equal(waitpid(runtime, &status, 0), runtime);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 1);
	expect(&gate, HV_GATE_DENIED, &news);
	assert_string_equal(news.id, ID);
	assert_true(news.fd >= 0); /* by which its first process is found */
	close(news.fd);
	expect_open(open_there("state.json")); /* by which its runtime cleans up */
	hv_gate_end(&gate);
}

GATE_TEST(a_gate_that_is_stopped_holds_nothing_for_ever)
{
	struct hv_gate_news news;
	pid_t runtime;

	begin(SHORT_MS);
	make_container(&gate);
	stop_gate();
	runtime = open_there("state.json");
	expect_open(runtime); /* and nobody continued it, or killed it */
	assert_int_equal(hv_gate_read(&gate, &news), -EPIPE);
	hv_gate_end(&gate);
}

/* Many open while it is stopped, so that it reads of all of them at once. */
static void be_daemon_with_few_descriptors(void)
{
	const struct rlimit few = {.rlim_cur = FDS_FEW, .rlim_max = FDS_FEW};
	struct hv_gate_news news;
	pid_t runtimes[OPENS_MANY];

	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	begin(LONG_MS);
	make_container(&gate);
	stop_gate();
	for (int i = 0; i < OPENS_MANY; i++)
		runtimes[i] = open_there("state.json");
	continue_gate();
	expect(&gate, HV_GATE_HELD, &news);
	close(news.fd);
	assert_int_equal(hv_gate_release(&gate, news.seq, false), 0);
	for (int i = 0; i < OPENS_MANY; i++)
		expect_open(runtimes[i]);
	hv_gate_end(&gate);
	_exit(0);
}

/* Each of its opens needs one, and the kernel denies those that it finds none for. */
GATE_TEST(with_few_descriptors_it_denies_nothing)
{
	pid_t daemon = fork();

	if (daemon == 0)
		be_daemon_with_few_descriptors();
	expect_open(daemon);
}

/* One more than it can hold with those descriptors. */
static void be_daemon_without_room(void)
{
	const struct rlimit few = {.rlim_cur = FDS_FEW, .rlim_max = FDS_FEW};
	struct hv_gate_news held, denied;
	pid_t runtimes[FDS_FEW / 4 + 1];
	int status = 0, denials = 0;

	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	begin(LONG_MS);
	set_up_container(&gate, true);
	make_state("state.json");
	for (int i = 0; i < FDS_FEW / 4 + 1; i++)
		runtimes[i] = open_there("state.json");
	expect(&gate, HV_GATE_HELD, &held);
	close(held.fd);
	expect(&gate, HV_GATE_DENIED, &denied);
	close(denied.fd);
	expect_open(open_there("state.json")); /* by which its runtime cleans up */
	assert_int_equal(hv_gate_release(&gate, held.seq, false), 0);
	for (int i = 0; i < FDS_FEW / 4 + 1; i++) {
		assert_int_equal(waitpid(runtimes[i], &status, 0), runtimes[i]);
		assert_true(status == 0 || WEXITSTATUS(status) == EPERM);
		denials += status != 0;
	}
	assert_int_equal(denials, 1);
	hv_gate_end(&gate);
	_exit(0);
}

GATE_TEST(what_must_not_go_on_is_denied_without_room)
{
	pid_t daemon = fork();

	if (daemon == 0)
		be_daemon_without_room();
	expect_open(daemon);
}

/* The daemon: starts a gate and has it hold a start; then it is killed. */
static void be_daemon(void)
{
	struct hv_gate_news news;

	begin(LONG_MS);
	make_container(&gate);
	if (open_there("state.json") > 0)
		expect(&gate, HV_GATE_HELD, &news);
	(void)kill(getpid(), SIGKILL);
}

GATE_TEST(a_daemon_that_is_killed_holds_nothing)
{
	pid_t daemon = fork();
	int status = 0;

	if (daemon == 0)
		be_daemon();
	assert_int_equal(waitpid(daemon, &status, 0), daemon);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGKILL);
	expect_open(open_there("state.json")); /* comes back, in whatever order they end */
}

GATE_TEST(a_runtime_that_is_killed_while_it_is_held_ends)
{
	struct hv_gate_news news;
	pid_t runtime;
	int status = 0;

	begin(LONG_MS);
	make_container(&gate);
	runtime = open_held("state.json", &news);
	assert_int_equal(kill(runtime, SIGKILL), 0);
	assert_int_equal(waitpid(runtime, &status, 0), runtime);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(hv_gate_release(&gate, news.seq, false), 0);
	expect_open(open_there("state.json"));
	hv_gate_end(&gate);
}

GATE_TEST(what_was_held_too_early_is_held_again)
{
	struct hv_gate_news news;
	pid_t runtime;

	begin(LONG_MS);
	make_container(&gate);
	for (int i = 0; i < 2; i++) {
		runtime = open_there("state.json");
		expect(&gate, HV_GATE_HELD, &news);
		close(news.fd);
		assert_int_equal(hv_gate_release(&gate, news.seq, i == 0), 0);
		expect_open(runtime);
	}
	hv_gate_end(&gate);
}

GATE_TEST(two_that_open_are_released_together)
{
	struct hv_gate_news news, other;
	pid_t one, two;

	begin(LONG_MS);
	make_container(&gate);
	one = open_there("state.json");
	expect(&gate, HV_GATE_HELD, &news);
	close(news.fd);
	two = open_there("state.json");
	assert_int_equal(hv_gate_look(&gate, ID), 0);
	expect(&gate, HV_GATE_CREATED, &other); /* and no second hold is told */
	assert_int_equal(hv_gate_release(&gate, news.seq, false), 0);
	expect_open(one);
	expect_open(two);
	hv_gate_end(&gate);
}

/* The kernel asks in an order of its own. */
static int which_tells(const struct hv_gate *gates)
{
	struct pollfd fds[] = {
		{.fd = gates[0].socket, .events = POLLIN},
		{.fd = gates[1].socket, .events = POLLIN},
	};

	assert_true(poll(fds, 2, -1) > 0);
	return fds[0].revents ? 0 : 1;
}

GATE_TEST(two_gates_hold_the_same_start_one_after_the_other)
{
	struct hv_gate_news news;
	struct hv_gate gates[2];
	pid_t runtime;

	for (int i = 0; i < 2; i++) {
		start(&gates[i], LONG_MS);
		assert_int_equal(hv_gate_follow(&gates[i], dir), 0);
	}
	for (int i = 0; i < 2; i++)
		settle(&gates[i]);
	make_directory();
	for (int i = 0; i < 2; i++)
		create(&gates[i], false);
	make_fifo();
	for (int i = 0; i < 2; i++)
		wait_for_orders(&gates[i]);
	make_state("state.json");
	runtime = open_there("state.json");
	for (int i = 0; i < 2; i++) {
		const struct hv_gate *by = &gates[which_tells(gates)];

		expect(by, HV_GATE_HELD, &news);
		assert_false(has_ended(runtime));
		close(news.fd);
		assert_int_equal(hv_gate_release(by, news.seq, false), 0);
	}
	expect_open(runtime);
	for (int i = 0; i < 2; i++)
		hv_gate_end(&gates[i]);
}

GATE_TEST(a_root_that_comes_later_is_followed)
{
	mc_auto_free char *above = scratch_path(dir, "docker"),
			  *root = scratch_path(above, "runtime"),
			  *container = scratch_path(root, ID);
	struct hv_gate_news news;

	start(&gate, LONG_MS);
	assert_int_equal(hv_gate_follow(&gate, root), 0);
	for (int i = 0; i < 2; i++) { /* and that goes, and comes again */
		assert_int_equal(mkdir(above, 0700), 0);
		assert_int_equal(mkdir(root, 0700), 0);
		assert_int_equal(mkdir(container, 0700), 0);
		expect(&gate, HV_GATE_CREATED, &news);
		assert_string_equal(news.id, ID);
		assert_int_equal(rmdir(container), 0);
		assert_int_equal(rmdir(root), 0);
		assert_int_equal(rmdir(above), 0);
	}
	hv_gate_end(&gate);
}

/* As the first one after a boot: its directory is found there, and no change tells of it. */
GATE_TEST(a_container_that_is_known_is_held_in_a_root_that_comes_with_it)
{
	char *above = dir;

	dir = scratch_path(above, "root");
	start(&gate, LONG_MS);
	assert_int_equal(hv_gate_follow(&gate, dir), 0);
	assert_int_equal(hv_gate_know(&gate, ID), 0);
	settle(&gate);
	stop_gate();
	assert_int_equal(mkdir(dir, 0700), 0);
	make_directory();
	continue_gate();
	expect_held_start("state.json");
	wait_for_orders(&gate); /* it is found again, with its FIFO */
	expect_open(open_there("state.json"));
	hv_gate_end(&gate);
	free(dir);
	dir = above;
}

GATE_TEST(a_container_that_waits_for_its_start_already_is_told)
{
	struct hv_gate_news news;
	pid_t runtime;

	make_directory();
	make_fifo();
	make_state("state.json");
	begin(LONG_MS);
	create(&gate, false);
	wait_for_orders(&gate);
	runtime = open_held("state.json", &news);
	let_go(runtime, &news);
	hv_gate_end(&gate);
}

GATE_TEST(a_container_that_runs_already_is_not_told)
{
	mc_auto_free char *other = scratch_path(dir, "other");
	struct hv_gate_news news;

	make_directory();
	make_state("state.json");
	begin(LONG_MS);
	assert_int_equal(hv_gate_look(&gate, ID), 0);
	assert_int_equal(mkdir(other, 0700), 0);
	expect(&gate, HV_GATE_CREATED, &news);
	assert_string_equal(news.id, "other"); /* that is the first */
	hv_gate_end(&gate);
}

GATE_TEST(a_container_that_comes_again_is_held_again)
{
	mc_auto_free char *path = in_container("");
	struct hv_gate_news news;
	pid_t runtime;

	begin(LONG_MS);
	for (int i = 0; i < 3; i++) {
		make_container(&gate);
		runtime = open_there("state.json");
		expect(&gate, HV_GATE_HELD, &news);
		close(news.fd);
		assert_int_equal(hv_gate_release(&gate, news.seq, false), 0);
		expect_open(runtime);
		scratch_free(strdup(path));
	}
	hv_gate_end(&gate);
}

GATE_TEST(it_keeps_no_descriptor_of_ours)
{
	unsigned before = hv_count_fds();
	int pair[2];
	char byte;

	assert_int_equal(pipe2(pair, O_CLOEXEC), 0);
	begin(LONG_MS);
	close(pair[1]);
	assert_int_equal(read(pair[0], &byte, 1), 0); /* the gate has no copy of it */
	close(pair[0]);
	hv_gate_end(&gate);
	assert_int_equal(hv_count_fds(), before);
}

static bool is_possible(void)
{
	int fd = fanotify_init(FAN_CLASS_CONTENT | FAN_CLOEXEC, O_RDONLY);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

int main(void)
{
	int status = hv_need_privilege();

	if (status != 0)
		return status;
	if (!is_possible()) {
		puts("skipped: fanotify cannot ask before an open here");
		return HV_SKIP;
	}
	return hv_run_tests();
}
