/* SPDX-License-Identifier: Apache-2.0 */
/* The records of attachments: attach, check, detach and list by them. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mountcore/busy.h"
#include "support/hv_test.h"

#include "reconciler_fixture.h"
#include "scratch.h"

static void list_one(struct fixture *fixture, struct hv_record *ret)
{
	const struct hv_record_filter all = {0};
	struct hv_records records = {0};
	struct hv_error err = {0};

	assert_int_equal(
		hv_store_attachment_list(fixture->world->store, &all, &records, &err), HV_OK);
	assert_int_equal(records.count, 1);
	*ret = records.items[0];
	free(records.items);
}

RECONCILER_TEST(a_volume_that_becomes_read_only_meanwhile_is_attached_so)
{
	struct hv_record record = {0};

	start_engine(fixture);
	start_container(fixture);
	fixture->sets_read_only = true;
	assert_int_equal(attach(fixture, true), HV_OK);
	list_one(fixture, &record);
	assert_true(record.view.read_only);
	hv_record_done(&record);
}

RECONCILER_TEST(what_is_replaced_through_a_link_loses_its_record)
{
	char *link = scratch_path(fixture->world->dir, "link");
	char other[] = "other", replace[] = "nonatomic", no_replace[] = "";
	struct hv_record record = {0};

	assert_int_equal(symlink("inside", link), 0);
	assert_int_equal(world_create(fixture->world, "other", NULL, NULL), HV_OK);
	start_engine(fixture);
	start_container(fixture);
	assert_int_equal(attach(fixture, true), HV_OK);
	assert_int_equal(attach_to(fixture, other, link, true, no_replace), HV_TARGET_EXISTS);
	assert_int_equal(attach_to(fixture, other, link, true, replace), HV_OK);
	list_one(fixture, &record);
	assert_string_equal(record.view.volume, "other");
	assert_string_equal(record.view.target, link);
	assert_int_equal(count_mounts(fixture), 1);
	hv_record_done(&record);
	/* And the same again through the other name is what is there. */
	assert_int_equal(attach_to(fixture, other, fixture->target, true, replace), HV_OK);
	list_one(fixture, &record);
	assert_string_equal(record.view.target, link);
	hv_record_done(&record);
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
		hv_attach_check(fixture->attacher, &request, &checks, &count, &err), HV_OK);
	assert_true(count > 0);
	assert_string_equal(checks[count - 1].name, name);
	is_ok = checks[count - 1].ok;
	hv_checks_free(checks, count);
	return is_ok;
}

/* The container's process is root: it can write anywhere. */
RECONCILER_TEST(a_check_tells_nothing_of_a_user_that_can_write)
{
	start_engine(fixture);
	start_container(fixture);
	assert_true(check(fixture, false, "mode"));
}

RECONCILER_TEST(a_check_knows_what_waits_for_the_start)
{
	start_engine(fixture);
	assert_true(check(fixture, true, "mode"));
	assert_int_equal(attach(fixture, true), HV_OK);
	assert_true(check(fixture, false, "mode"));
	assert_int_equal(attach(fixture, true), HV_OK);
	assert_false(check(fixture, true, "target"));
}

static enum hv_code attach_as(struct fixture *fixture, const char *as, const char *replace)
{
	struct hv_attach_request request = HV_ATTACH_REQUEST_INIT;
	char volume[] = "data", container[] = ID, owner[32], how[16];
	hv_auto_attachment struct hv_attachment attachment = {0};
	hv_auto_error struct hv_error err = {0};
	enum hv_code code;

	snprintf(owner, sizeof(owner), "%s", as);
	snprintf(how, sizeof(how), "%s", replace);
	request.volume = volume;
	request.container = container;
	request.target = fixture->target;
	request.as = owner;
	request.replace = how;
	code = hv_attach(fixture->attacher, &request, &attachment, &err);
	if (code != HV_OK)
		print_message("%s\n", hv_error_text(&err));
	return code;
}

/* The owner of the target as the container sees it. */
static uid_t owner_inside(struct fixture *fixture)
{
	char path[PATH_MAX];
	struct stat is;

	snprintf(path, sizeof(path), "/proc/%d/root%s", (int)fixture->pid, fixture->target);
	assert_int_equal(stat(path, &is), 0);
	return is.st_uid;
}

static void expect_as(struct fixture *fixture, const char *as)
{
	struct hv_record record = {0};

	list_one(fixture, &record);
	if (as)
		assert_string_equal(record.view.as, as);
	else
		assert_null(record.view.as);
	hv_record_done(&record);
}

/* The world is a tmpfs, which can be mapped from 6.3 on. */
RECONCILER_TEST(an_owner_that_is_asked_for_is_recorded_and_kept)
{
	struct hv_record record = {0};
	enum hv_code code;

	start_engine(fixture);
	assert_int_equal(attach_as(fixture, "1000:1001", ""), HV_OK); /* it does not run */
	expect_as(fixture, "1000:1001");
	start_container(fixture);
	code = attach_as(fixture, "1000:1001", "");
	if (code == HV_UNSUPPORTED)
		return;
	assert_int_equal(code, HV_OK);
	assert_int_equal(owner_inside(fixture), 1000);
	list_one(fixture, &record);
	assert_true(record.view.no_suid && !record.view.is_mapped);
	hv_record_done(&record);
	assert_int_equal(attach_as(fixture, "01000:1001", ""), HV_OK); /* the same */
	assert_int_equal(attach_as(fixture, "1000", ""), HV_TARGET_EXISTS);
	assert_int_equal(attach_as(fixture, "", ""), HV_TARGET_EXISTS);
	assert_int_equal(owner_inside(fixture), 1000);
	assert_int_equal(attach_as(fixture, "2000", "nonatomic"), HV_OK);
	assert_int_equal(count_mounts(fixture), 1);
	assert_int_equal(owner_inside(fixture), 2000);
	expect_as(fixture, "2000");
	stop_container(fixture);
	start_container(fixture);
	assert_int_equal(repair(fixture), HV_OK);
	assert_int_equal(owner_inside(fixture), 2000);
	expect_as(fixture, "2000");
}

RECONCILER_TEST(the_volume_s_owner_is_the_default)
{
	enum hv_code code;

	assert_int_equal(world_set(fixture->world, "data", "as=1000", NULL), HV_OK);
	start_engine(fixture);
	start_container(fixture);
	code = attach_as(fixture, "", "");
	if (code == HV_UNSUPPORTED)
		return;
	assert_int_equal(code, HV_OK);
	assert_int_equal(owner_inside(fixture), 1000);
	expect_as(fixture, "1000");
	assert_int_equal(world_set(fixture->world, "data", "as=2000", NULL), HV_VOLUME_IN_USE);
	assert_int_equal(attach_as(fixture, "0", "nonatomic"), HV_OK); /* the owner that it has */
	assert_int_equal(owner_inside(fixture), 0);
	expect_as(fixture, "0");
}

RECONCILER_TEST(a_detach_takes_the_words_before_the_links)
{
	char *link = scratch_path(fixture->world->dir, "link");
	char other[] = "other", container[] = ID;
	struct hv_detach_request request = {.container = container, .target = fixture->target};
	struct hv_attachment ended = {0};
	struct hv_record record = {0};
	struct hv_error err = {0};
	struct hv_seen seen;

	assert_int_equal(world_create(fixture->world, "other", NULL, NULL), HV_OK);
	assert_int_equal(symlink("inside", link), 0);
	start_engine(fixture);
	start_container(fixture);
	assert_int_equal(attach_to(fixture, other, link, true, NULL), HV_OK);
	stop_container(fixture);
	assert_int_equal(unlink(link), 0);
	world_mkdir(fixture->world, "link");
	assert_int_equal(hv_attachments_sync(fixture->attacher, ID, &seen, &err), HV_OK);
	assert_true(seen.pid == 0 && seen.pidfd < 0);
	start_container(fixture);
	list_one(fixture, &record);
	assert_string_equal(record.path, fixture->target); /* where the link led to */
	/* Another one, of that very name, recorded later. */
	free(record.view.id);
	free(record.view.target);
	record.view.id = strdup("ffffffffffff");
	record.view.target = strdup(fixture->target);
	assert_int_equal(hv_store_attachment_put(fixture->world->store, &record, &err), HV_OK);
	hv_record_done(&record);
	assert_int_equal(hv_detach(fixture->attacher, &request, &ended, &err), HV_OK);
	assert_string_equal(ended.id, "ffffffffffff");
	hv_attachment_done(&ended);
	free(link);
}

RECONCILER_TEST(a_container_that_cannot_be_looked_at_is_listed_all_the_same)
{
	const struct hv_list_request all = {0};
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
	code = hv_attachments_list(fixture->attacher, &all, &list, &count, &err);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(code, HV_OK);
	assert_int_equal(count, 1);
	assert_int_equal(list->state, HV_ATTACHED);
	assert_non_null(strstr(list->problem, "cannot be looked at"));
	hv_attachments_free(list, count);
}

static unsigned scans;

int __real_mc_busy_find(const struct mc_core *core, uint64_t ns_ino, const uint64_t *ids,
	size_t id_count, struct mc_busy *ret);
int __wrap_mc_busy_find(const struct mc_core *core, uint64_t ns_ino, const uint64_t *ids,
	size_t id_count, struct mc_busy *ret);

int __wrap_mc_busy_find(const struct mc_core *core, uint64_t ns_ino, const uint64_t *ids,
	size_t id_count, struct mc_busy *ret)
{
	scans++;
	return __real_mc_busy_find(core, ns_ino, ids, id_count, ret);
}

RECONCILER_TEST(a_detach_that_waits_looks_through_all_processes_once)
{
	static char container[] = ID;
	const struct hv_detach_request request = {
		.container = container, .target = fixture->target, .wait_seconds = 1};
	struct hv_attachment attachment = {0};
	struct hv_error err = {0};
	char path[4096];
	int file;

	start_engine(fixture);
	start_container(fixture);
	assert_int_equal(attach(fixture, true), HV_OK);
	snprintf(path, sizeof(path), "/proc/%d/root%s", fixture->pid, fixture->target);
	file = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(file >= 0);
	scans = 0;
	assert_int_equal(hv_detach(fixture->attacher, &request, &attachment, &err), HV_BUSY);
	assert_int_equal(scans, 1);
	assert_int_equal(count_mounts(fixture), 1);
	hv_attachment_done(&attachment);
	hv_error_done(&err);
	close(file);
	assert_int_equal(detach_from(fixture, fixture->target), HV_OK);
}

TEST_MAIN_IN_NAMESPACE()
