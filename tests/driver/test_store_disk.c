/* SPDX-License-Identifier: Apache-2.0 */
/* Disks that are full or read-only, in a mount namespace of the test's own. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/store.h"
#include "support/hv_test.h"

#include "rows.h"
#include "scratch.h"

enum { MANY = 100000, BALLAST_BYTES = 256 << 10 };

static const char disk[] = "/tmp/disk"; /* in the sandbox */

static void mount_disk(const char *options)
{
	assert_int_equal(mkdir(disk, 0755), 0);
	assert_int_equal(mount("disk", disk, "tmpfs", 0, options), 0);
}

static void fill(const char *path, size_t size_bytes)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(posix_fallocate(fd, 0, (off_t)size_bytes), 0);
	close(fd);
}

/* Add volumes until the disk is full.  Returns how many were acknowledged. */
static size_t add_until_full(struct hv_store *store)
{
	for (int i = 0; i < MANY; i++) {
		char name[32];
		enum hv_code code;

		snprintf(name, sizeof(name), "volume%d", i);
		code = row_add_volume(store, name);
		if (code == HV_OK)
			continue;
		assert_int_equal(code, HV_STATE_UNREADABLE);
		return (size_t)i;
	}
	fail_msg("the disk does not get full");
	return 0;
}

static void expect_full(struct hv_store *store)
{
	struct hv_record record = row_record("a", "data", "c1");
	struct hv_error err = {0};

	record.made = realloc(record.made, 64 << 10); /* does not fit into what is left */
	assert_non_null(record.made);
	memset(record.made, 'x', (64 << 10) - 1);
	record.made[(64 << 10) - 1] = '\0';
	assert_int_equal(hv_store_attachment_put(store, &record, &err), HV_STATE_UNREADABLE);
	if (!strstr(hv_error_text(&err), "full"))
		print_error("'%s'\n", hv_error_text(&err));
	assert_non_null(strstr(hv_error_text(&err), "full"));
	assert_non_null(err.hint);
	hv_error_done(&err);
	hv_record_done(&record);
}

NS_TEST(a_full_disk_refuses_new_rows_and_keeps_the_old)
{
	struct hv_store *store;
	size_t count;

	mount_disk("size=1m");
	fill("/tmp/disk/ballast", BALLAST_BYTES);
	store = row_store(disk);
	count = add_until_full(store);
	assert_true(count > 10);
	expect_full(store);
	assert_int_equal(row_count_volumes(store), count);
	assert_true(row_has_volume(store, "volume0"));
	assert_int_equal(unlink("/tmp/disk/ballast"), 0);
	assert_int_equal(row_add_volume(store, "later"), HV_OK);
	assert_int_equal(row_ref(store, "later", "id", 1), 1);
	hv_store_close(store);
	store = row_store(disk);
	assert_int_equal(row_count_volumes(store), count + 1);
	hv_store_close(store);
}

/* Opening needs space too, the first time; nothing half made may be in the way later. */
NS_TEST(a_disk_full_at_the_first_start_is_no_obstacle_later)
{
	struct hv_store *store = NULL;
	struct hv_error err = {0};

	mount_disk("size=64k");
	fill("/tmp/disk/ballast", 60 << 10);
	assert_int_equal(hv_store_open(disk, &store, &err), HV_STATE_UNREADABLE);
	hv_error_done(&err);
	assert_int_equal(unlink("/tmp/disk/ballast"), 0);
	assert_int_equal(mount("disk", disk, NULL, MS_REMOUNT, "size=1m"), 0);
	store = row_store(disk);
	assert_int_equal(row_add_volume(store, "later"), HV_OK);
	hv_store_close(store);
}

NS_TEST(a_read_only_directory_is_refused_and_read_again_later)
{
	struct hv_store *store;
	struct hv_error err = {0};

	mount_disk("size=1m");
	store = row_store(disk);
	assert_int_equal(row_add_volume(store, "data"), HV_OK);
	hv_store_close(store);
	assert_int_equal(mount(NULL, disk, NULL, MS_REMOUNT | MS_RDONLY, NULL), 0);
	store = NULL;
	assert_int_equal(hv_store_open(disk, &store, &err), HV_STATE_UNREADABLE);
	assert_null(store);
	hv_error_done(&err);
	assert_int_equal(mount(NULL, disk, NULL, MS_REMOUNT, NULL), 0);
	store = row_store(disk);
	assert_true(row_has_volume(store, "data"));
	hv_store_close(store);
}

NS_TEST(a_disk_that_shrinks_keeps_what_was_there)
{
	struct hv_store *store;

	mount_disk("size=1m");
	store = row_store(disk);
	assert_int_equal(row_add_volume(store, "data"), HV_OK);
	fill("/tmp/disk/rest", 64 << 10);
	assert_int_equal(mount("disk", disk, NULL, MS_REMOUNT, "size=256k"), 0);
	assert_true(add_until_full(store) < MANY);
	assert_true(row_has_volume(store, "data"));
	hv_store_close(store);
}

TEST_MAIN_PRIVILEGED()
