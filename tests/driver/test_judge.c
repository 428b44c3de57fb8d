/* SPDX-License-Identifier: Apache-2.0 */
/* The judgement of a volume's health: facts to health, health to a sentence. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "support/hv_test.h"

#include "judge.h"

#define SOURCE(error) .source = {-(error), MC_STEP_SOURCE}
#define DEVICE(error) .device = {-(error), MC_STEP_SOURCE}, .device_path = "/srv/disk.img"
#define HELPER(which, error) .which = {-(error), MC_STEP_HELPER}

static const struct {
	struct hv_health_facts facts;
	enum hv_health before, expected;
	const char *told; /* a part of the sentence or the hint */
} cases[] = {
	{{.away = NULL}, HV_HEALTH_UNKNOWN, HV_HEALTH_GOOD, NULL},
	{{SOURCE(ENOENT)}, HV_HEALTH_GOOD, HV_HEALTH_MISSING, "/srv/data of volume 'data' is not"},
	{{SOURCE(ENOTDIR)}, HV_HEALTH_GOOD, HV_HEALTH_REFUSED, "is not a directory"},
	{{SOURCE(ELOOP)}, HV_HEALTH_GOOD, HV_HEALTH_REFUSED, "has a symlink in it"},
	{{SOURCE(EACCES)}, HV_HEALTH_GOOD, HV_HEALTH_REFUSED, "allow_other"},
	{{SOURCE(EINVAL)}, HV_HEALTH_GOOD, HV_HEALTH_REFUSED, "HOSTVOL_ALLOW"},
	{{SOURCE(ENOTCONN)}, HV_HEALTH_GOOD, HV_HEALTH_DEAD, "does not answer: Transport"},
	{{SOURCE(EIO)}, HV_HEALTH_GOOD, HV_HEALTH_DEAD, "Input/output error"},
	{{SOURCE(ESTALE)}, HV_HEALTH_GOOD, HV_HEALTH_DEAD, "findmnt -T /srv/data"},
	{{HELPER(source, ETIMEDOUT)}, HV_HEALTH_GOOD, HV_HEALTH_SILENT, "does not answer"},
	{{HELPER(source, EALREADY)}, HV_HEALTH_SILENT, HV_HEALTH_SILENT, "its server is running"},
	/* The look itself failed: nothing is known. */
	{{HELPER(source, EUSERS)}, HV_HEALTH_GOOD, HV_HEALTH_UNKNOWN, NULL},
	{{HELPER(source, EAGAIN)}, HV_HEALTH_MISSING, HV_HEALTH_UNKNOWN, NULL},
	{{SOURCE(ENOMEM)}, HV_HEALTH_GOOD, HV_HEALTH_UNKNOWN, NULL},
	{{SOURCE(EMFILE)}, HV_HEALTH_GOOD, HV_HEALTH_UNKNOWN, NULL},
	{{SOURCE(ENOENT), .away = "/srv"}, HV_HEALTH_GOOD, HV_HEALTH_UNMOUNTED, "mount /srv"},
	{{.away = "/srv"}, HV_HEALTH_GOOD, HV_HEALTH_UNMOUNTED, "the disk of volume 'data' is not"},
	{{HELPER(source, ETIMEDOUT), .away = "/srv"}, HV_HEALTH_GOOD, HV_HEALTH_SILENT, NULL},
	{{.is_taken_out = true}, HV_HEALTH_GOOD, HV_HEALTH_UNMOUNTED, "docker ps --filter"},
	{{DEVICE(ENOENT)}, HV_HEALTH_GOOD, HV_HEALTH_MISSING, "/srv/disk.img, which"},
	{{.device = {-ETIMEDOUT, MC_STEP_HELPER}, .device_path = "/srv/disk.img"}, HV_HEALTH_GOOD,
		HV_HEALTH_SILENT, "the file system of /srv/disk.img"},
	{{SOURCE(ENOENT), DEVICE(ENOENT)}, HV_HEALTH_GOOD, HV_HEALTH_MISSING, "/srv/data of"},
	{{.is_other = true}, HV_HEALTH_GOOD, HV_HEALTH_REPLACED, "was replaced"},
	{{.is_other = true, .space_percent = 99}, HV_HEALTH_GOOD, HV_HEALTH_REPLACED, "restart"},
	{{.has_become_read_only = true}, HV_HEALTH_GOOD, HV_HEALTH_READ_ONLY, "read-only"},
	{{.space_percent = 94}, HV_HEALTH_GOOD, HV_HEALTH_GOOD, NULL},
	{{.space_percent = 95}, HV_HEALTH_GOOD, HV_HEALTH_NEARLY_FULL, "95 % of the space"},
	{{.inodes_percent = 97, .space_percent = 20}, HV_HEALTH_UNKNOWN, HV_HEALTH_NEARLY_FULL,
		"97 % of the inodes of /srv/data are in use"},
	/* It ends a little below, so that it does not come and go. */
	{{.space_percent = 94}, HV_HEALTH_NEARLY_FULL, HV_HEALTH_NEARLY_FULL, "df -h /srv/data"},
	{{.space_percent = 93}, HV_HEALTH_NEARLY_FULL, HV_HEALTH_GOOD, NULL},
};

enum { CASES = sizeof(cases) / sizeof(cases[0]) };

TEST(hv_health_judge_gives_each_fault_its_health_and_a_sentence)
{
	static char name[] = "data", source[] = "/srv/data";
	const struct hv_volume volume = {.name = name, .source = source};

	for (size_t i = 0; i < CASES; i++) {
		enum hv_health health = hv_health_judge(&cases[i].facts, cases[i].before);
		hv_auto_error struct hv_error err = {0};

		if (health != cases[i].expected)
			fail_msg("case %zu is %s", i, hv_health_name(health));
		if (health < HV_HEALTH_PROBLEM)
			continue;
		hv_health_explain(health, &cases[i].facts, &volume, &err);
		assert_int_not_equal(err.code, HV_OK);
		assert_non_null(strstr(err.message, "'data'"));
		assert_non_null(err.hint || health == HV_HEALTH_REFUSED ? err.message : NULL);
		if (cases[i].told && !strstr(err.message, cases[i].told))
			assert_non_null(strstr(err.hint ? err.hint : "", cases[i].told));
	}
}

TEST(hv_health_name_has_a_word_for_each)
{
	for (int i = 0; i < HV_HEALTH_COUNT; i++) {
		assert_string_not_equal(hv_health_name((enum hv_health)i), "");
		for (int j = 0; j < i; j++)
			assert_string_not_equal(hv_health_name((enum hv_health)i),
				hv_health_name((enum hv_health)j));
	}
	assert_string_equal(hv_health_name(HV_HEALTH_COUNT), "");
}

TEST_MAIN()
