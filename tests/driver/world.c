/* SPDX-License-Identifier: Apache-2.0 */
#include "world.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "mountcore/cleanup.h"
#include "mountcore/core.h"
#include "support/hv_test.h"

#include "scratch.h"
#include "volumes.h"

static void open_all(struct volume_fixture *world)
{
	const struct mc_core_args args = {.workers = 2, .helper_timeout_ms = 10000};

	assert_int_equal(mc_core_open(&args, &world->core, NULL), 0);
	world->volumes = hv_volumes_new(&(struct hv_volumes_args){
		.core = world->core,
		.kinds = hv_volume_kinds,
		.mount_root = world->mounts,
		.allow = world->allow,
	});
	assert_non_null(world->volumes);
	if (hv_volumes_open(world->volumes, world->state, world->state, &world->err) != HV_OK)
		fail_msg("%s", hv_error_text(&world->err));
	world->store = hv_volumes_store(world->volumes);
}

static void close_all(struct volume_fixture *world)
{
	hv_volumes_free(world->volumes);
	mc_core_close(world->core);
	world->volumes = NULL;
	world->store = NULL;
	world->core = NULL;
}

int world_setup(void **state)
{
	struct volume_fixture *world = calloc(1, sizeof(*world));

	assert_non_null(world);
	world->dir = scratch_new();
	assert_int_equal(mount("world", world->dir, "tmpfs", 0, NULL), 0);
	world->state = scratch_path(world->dir, "state");
	world->mounts = scratch_path(world->dir, "mounts");
	assert_int_equal(mkdir(world->state, 0711), 0);
	assert_int_equal(mkdir(world->mounts, 0755), 0);
	world->allow[0] = "/";
	open_all(world);
	*state = world;
	return 0;
}

int world_teardown(void **state)
{
	struct volume_fixture *world = *state;

	close_all(world);
	assert_int_equal(umount2(world->dir, MNT_DETACH), 0);
	hv_error_done(&world->err);
	scratch_free(world->dir);
	free(world->state);
	free(world->mounts);
	free(world);
	return 0;
}

void world_restart(struct volume_fixture *world)
{
	close_all(world);
	open_all(world);
}

void world_use_state(struct volume_fixture *world, const char *host, const char *local)
{
	world->volumes->state_host = host;
	world->volumes->state_local = local;
}

void world_mkdir(struct volume_fixture *world, const char *name)
{
	mc_auto_free char *path = scratch_path(world->dir, name);

	for (char *slash = strchr(path + strlen(world->dir) + 1, '/'); slash;
		slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		(void)mkdir(path, 0755);
		*slash = '/';
	}
	assert_int_equal(mkdir(path, 0755), 0);
}

void world_write(struct volume_fixture *world, const char *name, const char *text)
{
	mc_auto_free char *path = scratch_path(world->dir, name);

	scratch_write(path, text);
}

bool world_has(struct volume_fixture *world, const char *name)
{
	mc_auto_free char *path = scratch_path(world->dir, name);

	return scratch_exists(path);
}

/* "path=%s/srv" to an option. */
static void add_option(struct volume_fixture *world, struct hv_opts *opts, const char *text)
{
	char key[64] = "";
	const char *equal, *place;
	int rc;
	char *value = NULL;

	if (!text)
		return;
	equal = strchr(text, '=');
	assert_non_null(equal);
	snprintf(key, sizeof(key), "%.*s", (int)(equal - text), text);
	place = strstr(equal, "%s");
	if (place)
		assert_true(asprintf(&value, "%.*s%s%s", (int)(place - equal - 1), equal + 1,
				    world->dir, place + 2) >= 0);
	else
		value = strdup(equal + 1);
	assert_non_null(value);
	rc = hv_opts_add(opts, key, value);
	free(value);
	assert_int_equal(rc, 0);
}

enum hv_code world_create(
	struct volume_fixture *world, const char *name, const char *first, const char *second)
{
	struct hv_opts opts = {0};
	enum hv_code code;

	add_option(world, &opts, first);
	add_option(world, &opts, second);
	hv_error_done(&world->err);
	code = hv_volume_create(world->volumes, name, &opts, &world->err);
	assert_int_equal(code, world->err.code);
	hv_opts_done(&opts);
	return code;
}

enum hv_code world_set(
	struct volume_fixture *world, const char *name, const char *first, const char *second)
{
	struct hv_opts opts = {0};
	enum hv_code code;

	add_option(world, &opts, first);
	add_option(world, &opts, second);
	hv_error_done(&world->err);
	code = hv_volume_set(world->volumes, name, &opts, &world->err);
	assert_int_equal(code, world->err.code);
	hv_opts_done(&opts);
	return code;
}

enum hv_code world_mount(struct volume_fixture *world, const char *name, const char *id)
{
	mc_auto_free char *mountpoint = NULL, *expected = scratch_path(world->mounts, name);
	enum hv_code code;

	hv_error_done(&world->err);
	code = hv_volume_mount(world->volumes, name, id, 0, &mountpoint, &world->err);
	assert_int_equal(code, world->err.code);
	if (code == HV_OK)
		assert_string_equal(mountpoint, expected);
	else
		assert_null(mountpoint);
	return code;
}

enum hv_code world_unmount(struct volume_fixture *world, const char *name, const char *id)
{
	enum hv_code code;

	hv_error_done(&world->err);
	code = hv_volume_unmount(world->volumes, name, id, &world->err);
	assert_int_equal(code, world->err.code);
	return code;
}

enum hv_code world_remove(struct volume_fixture *world, const char *name)
{
	enum hv_code code;

	hv_error_done(&world->err);
	code = hv_volume_remove(world->volumes, name, false, &world->err);
	assert_int_equal(code, world->err.code);
	return code;
}

void world_wait_for_trash(struct volume_fixture *world)
{
	const struct timespec step = {.tv_nsec = 2000000};
	char *trash = scratch_path(world->state, "trash");
	bool is_empty = false;

	/* The sweeper may make the directory again, to look into it. */
	for (int i = 0; i < 5000 && !is_empty; i++) {
		is_empty = rmdir(trash) == 0 || errno == ENOENT;
		nanosleep(&step, NULL);
	}
	assert_true(is_empty);
	free(trash);
}

unsigned world_count_mounts(struct volume_fixture *world, const char *name)
{
	mc_auto_free char *path = scratch_path(world->mounts, name);
	mc_auto_file file = fopen("/proc/self/mountinfo", "re");
	char line[4096], target[2048];
	unsigned count = 0;

	assert_non_null(file);
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "%*s %*s %*s %*s %2047s", target) == 1 &&
			strcmp(target, path) == 0)
			count++;
	return count;
}

bool world_told(struct volume_fixture *world, const char *text)
{
	const char *hint = world->err.hint ? world->err.hint : "";

	if (strstr(hv_error_text(&world->err), text) || strstr(hint, text))
		return true;
	print_error("'%s' (%s) has no '%s'\n", hv_error_text(&world->err), hint, text);
	return false;
}
