/* Volumes that are file systems: what they may be, and how they are mounted and unmounted. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mountcore/cleanup.h"
#include "support/hv_test.h"

#include "scratch.h"
#include "world.h"

/* "type=TYPE", "device=…" and "o=…", each with %s for the world's directory. */
static enum hv_code create(struct world *world, const char *type, const char *device, const char *o)
{
	struct hv_opts opts = {0};
	const char *const texts[] = {type, device, o};
	static const char *const keys[] = {"type", "device", "o"};
	enum hv_code code;

	for (size_t i = 0; i < 3; i++) {
		mc_auto_free char *value = NULL;
		const char *place = strstr(texts[i], "%s");

		if (place)
			assert_true(asprintf(&value, "%.*s%s%s", (int)(place - texts[i]), texts[i],
					    world->dir, place + 2) >= 0);
		assert_int_equal(hv_opts_add(&opts, keys[i], value ? value : texts[i]), 0);
	}
	hv_error_done(&world->err);
	code = hv_volume_create(&world->volumes, "vol", &opts, &world->err);
	hv_opts_done(&opts);
	return code;
}

static void expect(
	struct world *world, enum hv_code code, const char *type, const char *device, const char *o)
{
	assert_int_equal(create(world, type, device, o), code);
	if (code == HV_OK)
		assert_int_equal(world_remove(world, "vol"), HV_OK);
}

static void nothing_of_hostvol_s_own_can_be_mounted(void **state)
{
	struct world *world = *state;

	world_mkdir(world, "state/secret");
	world_mkdir(world, "low");
	world_mkdir(world, "low/er");
	world_mkdir(world, "up:er");
	world_mkdir(world, "work");
	world_write(world, "image", "");
	world_write(world, "state/image", "");
	expect(world, HV_OK, "ext4", "%s/image", "");
	expect(world, HV_SOURCE_REFUSED, "ext4", "%s/state/image", "");
	expect(world, HV_SOURCE_REFUSED, "ext4", "/%s/state/image", "");
	expect(world, HV_SOURCE_REFUSED, "cifs", "%s/state/image", "");
	expect(world, HV_BAD_REQUEST, "ext4", "%s/low/../image", "");
	expect(world, HV_OK, "cifs", "//server/..share", "");
	expect(world, HV_OK, "overlay", "overlay", "lowerdir=%s/low");
	expect(world, HV_SOURCE_REFUSED, "overlay", "overlay", "lowerdir=%s/state/secret");
	expect(world, HV_SOURCE_REFUSED, "overlay", "overlay", "lowerdir=/:%s/state/secret");
	expect(world, HV_SOURCE_REFUSED, "overlay", "overlay", "lowerdir=/::%s/state/secret");
	expect(world, HV_SOURCE_REFUSED, "overlay", "overlay", "ro,datadir+=%s/state/secret");
	expect(world, HV_BAD_REQUEST, "overlay", "overlay", "lowerdir=../../../low");
	expect(world, HV_BAD_REQUEST, "overlay", "overlay", "lowerdir=/:low");
	expect(world, HV_BAD_REQUEST, "overlay", "overlay", "upperdir=");
	expect(world, HV_BAD_REQUEST, "overlay", "overlay", "lowerdir=%s/sta\\te/secret");
	expect(world, HV_BAD_REQUEST, "overlay", "overlay", "lowerdir=%s/low/../state");
	expect(world, HV_OK, "overlay", "overlay", "upperdir=%s/up:er");
	expect(world, HV_SOURCE_MISSING, "overlay", "overlay", "workdir=%s/low:/");
}

static void run(void)
{
	const struct CMUnitTest tests[] = {
		IN_WORLD(nothing_of_hostvol_s_own_can_be_mounted),
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
