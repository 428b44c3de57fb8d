/* SPDX-License-Identifier: Apache-2.0 */
/* Containers that change what is worked on, at full speed: an attach is where it was asked to be or
 * nowhere, and nothing outside the container changes. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mountcore/mounts.h"

#include "box.h"
#include "scratch.h"
#include "villain.h"

struct race {
	box_fn villain;
	const char *text; /* for it */
	const char *target;
	unsigned rounds;
	bool unmounts; /* our mount may go at any time */
	bool exits;    /* the box may end at any time */
};

/* State that a race must not change. */
struct outside {
	char *mounts;
	unsigned fds;
	unsigned threads;
};

static void outside_take(struct outside *ret)
{
	ret->mounts = read_mounts(getpid());
	ret->fds = hv_count_fds();
	ret->threads = scratch_count_threads();
}

/* No mount came.  Lost ones are not ours: our copies of mounts of containers that end meanwhile on
 * this machine go with their directories. */
static void expect_no_more(const char *before, char *after)
{
	char *next = after;

	for (char *line = strsep(&next, "\n"); line; line = strsep(&next, "\n")) {
		if (strstr(before, line))
			continue;
		fprintf(stderr, "outside: %s\n", line);
		fail();
	}
}

static void outside_compare(struct outside *before)
{
	static const char *const places[] = {"/" VILLAIN_NAME, "/tmp/" VILLAIN_NAME,
		"/etc/" VILLAIN_NAME, "/proc/" VILLAIN_NAME};
	struct outside after;

	outside_take(&after);
	expect_no_more(before->mounts, after.mounts);
	assert_int_equal(before->fds, after.fds);
	assert_int_equal(before->threads, after.threads);
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		assert_false(scratch_exists(places[i]));
	free(before->mounts);
	free(after.mounts);
}

/* Where a mount of the source's file system is in the box; false when there is none. */
static bool find_ours(
	const struct attach_fixture *scene, char ret[static PATH_MAX], uint64_t *ret_id)
{
	struct mc_mounts *mounts = NULL;
	struct mc_mount mount;
	struct stat source;
	bool found = false;

	assert_int_equal(stat("/tmp", &source), 0);
	assert_int_equal(mc_mounts_read(scene->core, scene->ns.ns_fd, &mounts, NULL), 0);
	for (size_t at = 0; !found && mc_mounts_next(mounts, &at, &mount);) {
		found = mount.dev == source.st_dev;
		if (found) {
			snprintf(ret, PATH_MAX, "%s", mount.target);
			*ret_id = mount.id;
		}
	}
	mc_mounts_free(mounts);
	return found;
}

static void check_error(const struct mc_err *err)
{
	static const struct mc_err documented[] = {
		{-ENOENT, MC_STEP_TARGET},
		{-ELOOP, MC_STEP_TARGET},
		{-ENOTDIR, MC_STEP_TARGET},
		{-ESTALE, MC_STEP_TARGET},
		{-EACCES, MC_STEP_REFUSED},
		{-ENOTDIR, MC_STEP_TYPE},
		{-EBUSY, MC_STEP_OCCUPIED},
		{-ENOENT, MC_STEP_MKDIR},
		{-EEXIST, MC_STEP_MKDIR},
		{-ELOOP, MC_STEP_MKDIR},
		{-ENOTDIR, MC_STEP_MKDIR},
		{-ENOENT, MC_STEP_MOVE},
		{-ESTALE, MC_STEP_VERIFY},
	};

	for (size_t i = 0; i < sizeof(documented) / sizeof(documented[0]); i++)
		if (documented[i].code == err->code && documented[i].step == err->step)
			return;
	fail_msg("%s: %s", mc_step_name(err->step), strerror(-err->code));
}

/* `path` before the villains' changes: they rename /mnt/d and its content.  That works also for a
 * directory that becomes a mountpoint meanwhile: the kernel checks that first. */
static const char *steady(const char *path)
{
	static const char *const names[] = {"/mnt/d/", "/mnt/link/", "/mnt/e/"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strncmp(path, names[i], strlen(names[i])) == 0)
			path += strlen(names[i]);
	return strcmp(path, "other") == 0 ? VILLAIN_NAME : path;
}

/* The mount that a detach left, with nobody interfering. */
static void clean_up(struct attach_fixture *scene, const struct race *race)
{
	char path[PATH_MAX];
	uint64_t id;
	int rc;

	if (!race->exits)
		assert_int_equal(box_run(&scene->box, in_villain_pause, ""), 0);
	for (int i = 0; i < 64 && find_ours(scene, path, &id); i++) {
		memcpy(scene->info.path, path, sizeof(path));
		rc = scene_detach(scene, true);
		if (rc == -ESTALE && race->unmounts)
			assert_int_equal(box_run(&scene->box, in_umount, path), 0);
		else if (!race->exits)
			assert_int_equal(rc, 0);
	}
	assert_false(find_ours(scene, path, &id));
	if (!race->exits)
		assert_int_equal(box_run(&scene->box, in_villain_resume, ""), 0);
}

static void play_success(struct attach_fixture *scene, const struct race *race)
{
	char path[PATH_MAX];
	uint64_t id = 0;
	int rc;

	if (find_ours(scene, path, &id)) {
		assert_int_equal(id, scene->info.mountinfo_id);
		assert_string_equal(steady(path), steady(scene->info.path));
	} else {
		assert_true(race->unmounts);
	}
	rc = scene_detach(scene, false);
	if (rc == 0)
		return;
	if (scene->err.step != MC_STEP_IDENTITY)
		assert_int_equal(scene->err.step, MC_STEP_UMOUNT);
	clean_up(scene, race);
}

static unsigned play_round(struct attach_fixture *scene, const struct race *race)
{
	char path[PATH_MAX];
	uint64_t id;
	int rc = scene_attach(scene, race->target);

	if (rc == 0) {
		play_success(scene, race);
	} else {
		assert_int_equal(rc, scene->err.code);
		check_error(&scene->err);
	}
	if (find_ours(scene, path, &id)) {
		fprintf(stderr, "%s: %d, %s: left at %s\n", race->target, rc,
			mc_step_name(scene->err.step), path);
		fail();
	}
	return rc == 0;
}

static unsigned play(struct attach_fixture *scene, const struct race *race)
{
	unsigned successes = 0;
	int pid = box_run(&scene->box, race->villain, race->text);

	if (race->exits)
		assert_int_equal(kill(pid, SIGCONT), 0);
	else
		assert_int_equal(pid, 0);
	for (unsigned i = 0; i < race->rounds; i++)
		successes += play_round(scene, race);
	if (!race->exits)
		assert_int_equal(box_run(&scene->box, in_villain_stop, ""), 0);
	return successes;
}

static void run(const struct race *race)
{
	struct attach_fixture scene;
	struct outside before;
	unsigned successes;

	scene_open(&scene);
	assert_int_equal(scene_attach(&scene, "/mnt/warm"), 0);
	assert_int_equal(scene_detach(&scene, false), 0);
	outside_take(&before);
	successes = play(&scene, race);
	outside_compare(&before);
	fprintf(stderr, "%s: %u of %u rounds succeeded\n", race->target, successes, race->rounds);
	assert_int_equal(scene_attach(&scene, "/sane"), 0);
	assert_true(box_has_file(&scene.box, "/sane/file"));
	assert_int_equal(scene_detach(&scene, false), 0);
	scene_close(&scene);
}

NS_TEST(a_component_swapped_for_a_symlink_never_leads_out)
{
	const struct race race = {
		in_villain_swap, "", "/mnt/d/" VILLAIN_NAME "/new", 600, false, false};

	run(&race);
}

NS_TEST(a_target_renamed_and_removed_is_hit_or_left_alone)
{
	const struct race race = {in_villain_rename, "", "/mnt/d/" VILLAIN_NAME, 500, false, false};

	run(&race);
}

NS_TEST(a_target_covered_and_uncovered_keeps_no_mount_of_a_failure)
{
	const struct race race = {in_villain_cover, "", "/mnt/d", 400, true, false};

	run(&race);
}

SCENE_TEST(a_container_that_exits_in_the_middle_leaves_nothing_outside)
{
	struct outside before;
	char text[16];

	assert_int_equal(scene_attach(scene, "/mnt/warm"), 0);
	assert_int_equal(scene_detach(scene, false), 0);
	outside_take(&before);
	for (unsigned i = 0; i < 30; i++) {
		const struct race race = {
			in_villain_exit, text, "/mnt/d/" VILLAIN_NAME, 10, false, true};

		snprintf(text, sizeof(text), "%u", 1 + i * 97);
		play(scene, &race);
		kill(scene->box.pid, SIGKILL);
		mc_ns_close(&scene->ns);
		box_close(&scene->box);
		box_open(&scene->box);
		assert_int_equal(
			mc_ns_open(scene->core, scene->box.pid, &scene->ns, &scene->err), 0);
	}
	outside_compare(&before);
	assert_int_equal(scene_attach(scene, "/sane"), 0);
	assert_true(box_has_file(&scene->box, "/sane/file"));
}

/* One attach from a source that is being swapped: the one that was asked for, or none. */
static bool play_source(
	struct attach_fixture *scene, const char *source, const struct stat *original)
{
	struct mc_attach_args args = scene_args(scene, "/mnt");
	struct stat found;
	int rc;

	args.source = source;
	args.beneath = "/tmp/swap";
	rc = scene_attach_args(scene, &args);
	if (rc < 0) {
		assert_int_equal(scene->err.step, MC_STEP_SOURCE);
		assert_int_equal(rc, -ELOOP);
		return false;
	}
	assert_int_equal(stat(box_path(&scene->box, "/mnt"), &found), 0);
	assert_int_equal(found.st_dev, original->st_dev);
	assert_int_equal(found.st_ino, original->st_ino);
	assert_int_equal(scene->info.source.ino, original->st_ino);
	assert_int_equal(scene_detach(scene, false), 0);
	return true;
}

NS_TEST(a_source_swapped_for_a_symlink_is_the_source_or_nothing)
{
	struct attach_fixture scene;
	struct stat dir, deep;
	struct outside before;
	unsigned successes = 0;
	pid_t villain;

	scratch_mkdir("/tmp/swap");
	scratch_mkdir("/tmp/swap/dir");
	scratch_mkdir("/tmp/swap/dir/deep");
	scratch_mkdir("/tmp/evil");
	scratch_mkdir("/tmp/evil/deep");
	assert_int_equal(symlink("/tmp/evil", "/tmp/swap/link"), 0);
	assert_int_equal(stat("/tmp/swap/dir", &dir), 0);
	assert_int_equal(stat("/tmp/swap/dir/deep", &deep), 0);
	scene_open(&scene);
	assert_true(play_source(&scene, "/tmp/swap/dir", &dir));
	outside_take(&before);
	villain = villain_swap_here("/tmp/swap/dir", "/tmp/swap/link");
	for (unsigned i = 0; i < 100; i++) {
		successes += play_source(&scene, "/tmp/swap/dir", &dir);
		successes += play_source(&scene, "/tmp/swap/dir/deep", &deep);
	}
	assert_int_equal(kill(villain, SIGKILL), 0);
	assert_int_equal(waitpid(villain, NULL, 0), villain);
	outside_compare(&before);
	fprintf(stderr, "source: %u of 200 rounds succeeded\n", successes);
	scene_close(&scene);
}

TEST_MAIN_PRIVILEGED()
