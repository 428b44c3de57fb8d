/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "support/hv_test.h"
#include "volume/volume.h"

#include "options.h"

TEST(names_are_those_of_dockers_local_driver)
{
	static const char *const good[] = {"ab", "a1", "0a", "A.b-c_d", "a..", "a--", "con"};
	static const char *const bad[] = {"", "a", "_a", ".a", "-a", "a b", "a/b", "..", "a\n",
		"a\\", "a:b", "a%", "a\x7f", "\xc3\xa9t\xc3\xa9", "ab\xff"};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct hv_error err = {0};

		assert_int_equal(hv_volume_check_name(good[i], &err), HV_OK);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct hv_error err = {0};

		assert_int_equal(hv_volume_check_name(bad[i], &err), HV_BAD_REQUEST);
		assert_true(strlen(hv_error_text(&err)) > 0);
		hv_error_done(&err);
	}
}

TEST(a_name_has_at_most_255_bytes)
{
	char name[1024];
	struct hv_error err = {0};

	memset(name, 'n', sizeof(name));
	name[255] = '\0';
	assert_int_equal(hv_volume_check_name(name, &err), HV_OK);
	name[255] = 'n';
	name[1023] = '\0';
	assert_int_equal(hv_volume_check_name(name, &err), HV_BAD_REQUEST);
	assert_true(strlen(hv_error_text(&err)) < 200); /* not repeated to the user */
	hv_error_done(&err);
}

static enum hv_code read_one(
	const char *key, const char *value, struct hv_volume_options *ret, struct hv_error *err)
{
	struct hv_opts opts = {0};
	enum hv_code code;

	*ret = (struct hv_volume_options){0};
	if (strcmp(key, "mkdir") == 0)
		assert_int_equal(hv_opts_add(&opts, "path", "/srv"), 0);
	assert_int_equal(hv_opts_add(&opts, key, value), 0);
	code = hv_volume_read_options(&opts, ret, err);
	if (ret->path) /* borrowed from opts */
		ret->path = strcmp(ret->path, "/srv") == 0 ? "/srv" : "other";
	hv_opts_done(&opts);
	return code;
}

TEST(no_options_mean_a_directory_of_our_own)
{
	const struct hv_opts none = {0};
	struct hv_volume_options options = {0};
	struct hv_error err = {0};

	assert_int_equal(hv_volume_read_options(&none, &options, &err), HV_OK);
	assert_null(options.path);
	assert_false(options.mkdir || options.read_only);
}

TEST(every_option_is_read)
{
	struct hv_volume_options options;
	struct hv_error err = {0};

	assert_int_equal(read_one("path", "/srv", &options, &err), HV_OK);
	assert_string_equal(options.path, "/srv");
	assert_int_equal(read_one("ro", "true", &options, &err), HV_OK);
	assert_true(options.read_only);
	assert_int_equal(read_one("mkdir", "1", &options, &err), HV_OK);
	assert_true(options.mkdir);
	assert_int_equal(read_one("ro", "", &options, &err), HV_OK); /* -o ro */
	assert_true(options.read_only);
	assert_int_equal(read_one("ro", "false", &options, &err), HV_OK);
	assert_false(options.read_only);
	assert_int_equal(read_one("mkdir", "0", &options, &err), HV_OK);
	assert_false(options.mkdir);
	assert_int_equal(read_one("from", "data", &options, &err), HV_OK);
	assert_non_null(options.from);
	assert_int_equal(read_one("attach", "web:/x", &options, &err), HV_OK);
	assert_true(options.owner.uid == -1 && options.owner.gid == -1 && options.owner.mode == -1);
	assert_int_equal(read_one("uid", "0", &options, &err), HV_OK);
	assert_true(options.owner.uid == 0 && options.owner.gid == -1);
	assert_int_equal(read_one("gid", "4294967294", &options, &err), HV_OK);
	assert_true(options.owner.gid == 4294967294 && options.owner.uid == -1);
	assert_int_equal(read_one("mode", "02750", &options, &err), HV_OK);
	assert_int_equal(options.owner.mode, 02750);
}

static enum hv_code read_fs(const char *type, const char *device, const char *o,
	struct hv_volume_options *ret, struct hv_error *err)
{
	static struct hv_opts opts; /* the result borrows from it */

	hv_opts_done(&opts);
	hv_error_done(err);
	*ret = (struct hv_volume_options){0};
	if (type)
		assert_int_equal(hv_opts_add(&opts, "type", type), 0);
	if (device)
		assert_int_equal(hv_opts_add(&opts, "device", device), 0);
	if (o)
		assert_int_equal(hv_opts_add(&opts, "o", o), 0);
	return hv_volume_read_options(&opts, ret, err);
}

TEST(bind_is_a_path_with_attributes)
{
	static const char *const good[] = {"bind", "rbind,rw", "ro,bind", "nosuid,bind,noexec",
		"bind,", "defaults,bind,rprivate"};
	static const char *const bad[] = {"bind,rshared", "bind,remount", "bind,size=1",
		"bind,user", "rslave,bind", "bind,xyz"};
	struct hv_volume_options options;
	struct hv_error err = {0};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(read_fs("none", "/srv", good[i], &options, &err), HV_OK);
		assert_true(options.is_bind);
		assert_string_equal(options.path, "/srv");
		assert_int_equal(options.read_only, i == 2);
		assert_int_equal(options.attr.set != 0, i == 3);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(read_fs("none", "/srv", bad[i], &options, &err), HV_BAD_REQUEST);
	assert_int_equal(read_fs("none", "srv", "bind", &options, &err), HV_BAD_REQUEST);
	assert_int_equal(read_fs("tmpfs", "tmpfs", "size=1m,xbind", &options, &err), HV_OK);
	assert_false(options.is_bind);
	assert_null(options.path);
	assert_int_equal(read_fs(NULL, NULL, NULL, &options, &err), HV_OK);
}

/* It would be in Docker's output, and in the log. */
TEST(no_sentence_tells_a_password)
{
	static const char *const o[] = {"bind,password=hunter2",
		"bind,password=hunter2-hunter2-hunter2-hunter2-hunter2-hunter2-hunter2-hunter2",
		"password=hunter2,remount", "password=hunter2\",remount"};
	struct hv_volume_options options;
	struct hv_error err = {0};

	for (size_t i = 0; i < sizeof(o) / sizeof(o[0]); i++) {
		assert_int_equal(read_fs("cifs", "/srv", o[i], &options, &err), HV_BAD_REQUEST);
		assert_null(strstr(hv_error_text(&err), "hunter2"));
		assert_null(err.hint ? strstr(err.hint, "hunter2") : NULL);
	}
	assert_int_equal(read_fs(NULL, NULL, NULL, &options, &err), HV_OK);
}

TEST(type_device_and_o_go_together)
{
	static const struct {
		const char *type, *device, *o, *word;
	} bad[] = {
		{"tmpfs", NULL, NULL, "\"device\""},
		{NULL, "tmpfs", NULL, "\"type\""},
		{NULL, NULL, "size=1m", "\"type\""},
		{"", "tmpfs", NULL, "type is empty"},
		{"tmpfs", "", NULL, "device is empty"},
		{"tmpfs", "tmpfs", "remount", "'remount'"},
		{"tmpfs", "tmpfs", "size=1m,private", "'private'"},
		{"tmpfs", "tmpfs", "user", "'user'"},
		{"tmpfs", "tmpfs", "X-mount.mkdir=1", "'X-mount.mkdir=1'"},
		{"tmpfs", "tmpfs", "helper=x", "'helper=x'"},
	};
	struct hv_volume_options options;
	struct hv_error err = {0};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(read_fs(bad[i].type, bad[i].device, bad[i].o, &options, &err),
			HV_BAD_REQUEST);
		assert_non_null(strstr(hv_error_text(&err), bad[i].word));
	}
	assert_int_equal(read_fs("tmpfs", "tmpfs", NULL, &options, &err), HV_OK);
	assert_int_equal(read_fs("tmpfs", "tmpfs", "", &options, &err), HV_OK);
	assert_int_equal(
		read_fs("ext4", "/dev/x", "defaults,nofail,loop,noatime,ro", &options, &err),
		HV_OK);
	assert_int_equal(read_fs(NULL, NULL, NULL, &options, &err), HV_OK);
}

TEST(options_that_need_another_are_refused_alone)
{
	static const char *const keys[] = {"subpath", "require-mount"};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		struct hv_volume_options options = {0};
		struct hv_error err = {0};
		struct hv_opts opts = {0};

		assert_int_equal(hv_opts_add(&opts, keys[i], i == 0 ? "a/b" : "true"), 0);
		assert_int_equal(hv_volume_read_options(&opts, &options, &err), HV_BAD_REQUEST);
		assert_non_null(strstr(hv_error_text(&err), keys[i]));
		hv_error_done(&err);
		assert_int_equal(hv_opts_add(&opts, "path", "/srv"), 0);
		options = (struct hv_volume_options){0};
		assert_int_equal(hv_volume_read_options(&opts, &options, &err), HV_OK);
		assert_true(i == 0 ? options.subpath != NULL : options.require_mount);
		hv_opts_done(&opts);
	}
}

TEST(attach_names_container_target_and_mode)
{
	static const struct {
		const char *value, *container, *target;
		bool read_only;
		bool required;
	} cases[] = {
		{"web:/x", "web", "/x", false, false},
		{"web:/x:ro", "web", "/x", true, false},
		{"web:/x:rw", "web", "/x", false, false},
		{"web:/:ro", "web", "/", true, false},
		{"web:/x:required", "web", "/x", false, true},
		{"web:/x:ro,required", "web", "/x", true, true},
		{"web:/x:required,rw", "web", "/x", false, true},
		{"label:/x", "label", "/x", false, false},
		{"label:a=b:c:/x:ro", "label:a=b:c", "/x", true, false},
		{"compose:shop/web:/x", "compose:shop/web", "/x", false, false},
	};
	struct hv_attach_place place;
	struct hv_error err = {0};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(hv_volume_read_attach(cases[i].value, &place, &err), HV_OK);
		assert_string_equal(place.container, cases[i].container);
		assert_int_equal(place.is_selector, strchr(cases[i].container, ':') != NULL);
		assert_string_equal(place.target, cases[i].target);
		assert_int_equal(place.read_only, cases[i].read_only);
		assert_int_equal(place.required, cases[i].required);
	}
}

TEST(what_is_wrong_is_refused_by_name)
{
	static const struct {
		const char *key, *value, *told;
	} cases[] = {
		{"path", "", "path"},
		{"path", "srv", "path=srv"},
		{"path", "./srv", "path"},
		{"path", " /srv", "path"},
		{"ro", "yes", "ro=yes"},
		{"ro", "TRUE", "ro=TRUE"},
		{"ro", "true ", "ro"},
		{"mkdir", "2", "mkdir=2"},
		{"size", "1 G 2", "size=1 G 2"},
		{"size", "hello", "size=hello"},
		{"size", "-5m", "size=-5m"},
		{"size", "0", "size=0"},
		{"size", "1z", "size=1z"},
		{"on-remove", "maybe", "on-remove=maybe"},
		{"", "x", "''"},
		{"Path", "/srv", "'Path'"},
		{"attach", "", "attach="},
		{"attach", "web", "attach=web"},
		{"attach", "web:", "attach=web:"},
		{"attach", "web:x", "attach=web:x"},
		{"attach", ":/x", "attach=:/x"},
		{"attach", "web:/x:z", "only ro, rw and required"},
		{"attach", "web:/x:ro,z", "only ro, rw and required"},
		{"attach", "web:/x:ro,rw", "only ro, rw and required"},
		{"attach", "web:/x:ro,", "only ro, rw and required"},
		{"attach", "web:C:/Program Files/Git/mnt", "a target of Windows"},
		{"attach", "web:c:\\mnt:ro", "a target of Windows"},
		{"attach", "web:data:/mnt", "only ro, rw and required"},
		{"attach", "label:x", "attach=label:x"},
		{"attach", "compose:a/b/c:/x", "compose:a/b/c"},
		{"uid", "", "uid="},
		{"uid", "-1", "uid=-1"},
		{"uid", "root", "uid=root"},
		{"gid", "4294967295", "gid=4294967295"},
		{"gid", "99999999999999999999", "gid="},
		{"gid", " 1", "gid="},
		{"mode", "8", "mode=8"},
		{"mode", "10000", "mode=10000"},
		{"mode", "u+rwx", "mode="},
		{"subpath", "/a", "'/a'"},
		{"subpath", "a/../b", "'a/../b'"},
		{"subpath", "..", "'..'"},
		{"require-mount", "x", "require-mount=x"},
		{"from", "", "''"},
		{"from", "../x", "'../x'"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct hv_volume_options options;
		struct hv_error err = {0};

		assert_int_equal(
			read_one(cases[i].key, cases[i].value, &options, &err), HV_BAD_REQUEST);
		assert_non_null(strstr(hv_error_text(&err), cases[i].told));
		hv_error_done(&err);
	}
}

TEST(who_knows_local_persist_is_told_the_option)
{
	struct hv_volume_options options;
	struct hv_error err = {0};

	assert_int_equal(read_one("mountpoint", "/srv/x", &options, &err), HV_BAD_REQUEST);
	assert_string_equal(err.hint, "use option path for a directory of the host: -o path=/DIR");
	hv_error_done(&err);
}

TEST(mkdir_alone_is_a_contradiction)
{
	struct hv_opts opts = {0};
	struct hv_volume_options options = {0};
	struct hv_error err = {0};

	assert_int_equal(hv_opts_add(&opts, "mkdir", "true"), 0);
	assert_int_equal(hv_volume_read_options(&opts, &options, &err), HV_BAD_REQUEST);
	assert_non_null(strstr(hv_error_text(&err), "path"));
	hv_opts_done(&opts);
	hv_error_done(&err);
}

TEST(as_is_a_number_or_two)
{
	struct hv_volume_options options;
	struct hv_error err = {0};

	assert_int_equal(read_one("as", "1000", &options, &err), HV_OK);
	assert_int_equal(options.as.uid, 1001);
	assert_int_equal(options.as.gid, 0);
	assert_int_equal(read_one("as", "33:0", &options, &err), HV_OK);
	assert_int_equal(options.as.uid, 34);
	assert_int_equal(options.as.gid, 1);
	assert_int_equal(read_one("uid", "5", &options, &err), HV_OK);
	assert_int_equal(options.as.uid, 0);
	assert_int_equal(read_one("as", "www-data", &options, &err), HV_BAD_REQUEST);
	assert_string_equal(hv_error_text(&err),
		"option as=www-data is not UID or UID:GID, in numbers from 0 to 4294967294");
	assert_non_null(strstr(err.hint, "docker exec CONTAINER id"));
	hv_error_done(&err);
}

static bool keeps_suid(const char *type, const char *o)
{
	struct hv_volume_options options = {0};
	struct hv_opts opts = {0};
	struct hv_error err = {0};

	assert_int_equal(hv_opts_add(&opts, "type", type), 0);
	assert_int_equal(hv_opts_add(&opts, "device", strcmp(type, "none") ? type : "/srv"), 0);
	assert_int_equal(hv_opts_add(&opts, "o", o), 0);
	assert_int_equal(hv_volume_read_options(&opts, &options, &err), HV_OK);
	hv_opts_done(&opts);
	return options.keeps_suid;
}

TEST(suid_in_o_is_kept)
{
	assert_true(keeps_suid("none", "bind,suid"));
	assert_false(keeps_suid("none", "bind"));
	assert_false(keeps_suid("none", "bind,nosuid"));
	assert_true(keeps_suid("tmpfs", "size=1m,suid"));
	assert_false(keeps_suid("tmpfs", "size=1m"));
}

TEST_MAIN()
