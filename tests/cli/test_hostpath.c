/* SPDX-License-Identifier: Apache-2.0 */
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/hv_test.h"

#include "cli/document.h"
#include "cli/hostpath.h"

/* Test vectors of draft-eastlake-fnv. */
TEST(hash_is_fnv1a)
{
	assert_int_equal(hv_fnv1a(""), 0x811c9dc5);
	assert_int_equal(hv_fnv1a("a"), 0xe40c292c);
	assert_int_equal(hv_fnv1a("foobar"), 0xbf9cf968);
}

TEST(names_are_fit_for_docker)
{
	static const struct {
		const char *path;
		const char *stem;
	} cases[] = {
		{"/srv/data", "data-"},
		{"/", "root-"},
		{"/srv/my data", "my_data-"},
		{"/srv/.hidden", "v.hidden-"},
		{"/srv/\xc3\xa4", "v__-"},
		{"/srv/a:b", "a_b-"},
		{"/var/lib/docker/volumes/local/_data", "v_data-"},
	};
	char name[HV_VOLUME_NAME_MAX_BYTES + 1];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char expected[64];

		hv_volume_name_format(cases[i].path, name, sizeof(name));
		snprintf(expected, sizeof(expected), "%s%08x", cases[i].stem,
			hv_fnv1a(cases[i].path));
		assert_string_equal(name, expected);
	}
}

TEST(long_names_are_cut_before_the_hash)
{
	char path[300] = "/";
	char name[HV_VOLUME_NAME_MAX_BYTES + 1];
	char hash[9];

	memset(path + 1, 'x', 255);
	hv_volume_name_format(path, name, sizeof(name));
	assert_int_equal(strlen(name), HV_VOLUME_NAME_MAX_BYTES);
	snprintf(hash, sizeof(hash), "%08x", hv_fnv1a(path));
	assert_string_equal(name + HV_VOLUME_NAME_MAX_BYTES - 8, hash);
	path[1] = '.';
	hv_volume_name_format(path, name, sizeof(name));
	assert_int_equal(strlen(name), HV_VOLUME_NAME_MAX_BYTES);
	assert_memory_equal(name, "v.x", 3);
}

TEST(links_are_resolved_and_files_refused)
{
	char dir[] = "/tmp/hostvol-test-XXXXXX";
	char link[64];
	char missing[64];
	struct hv_error err = {0};
	char *real = NULL;

	assert_non_null(mkdtemp(dir));
	snprintf(link, sizeof(link), "%s/link", dir);
	snprintf(missing, sizeof(missing), "%s/missing", dir);
	assert_int_equal(symlink(".", link), 0);
	assert_int_equal(hv_hostpath_resolve(link, &real, &err), HV_OK);
	assert_string_equal(real, dir);
	free(real);
	assert_int_equal(hv_hostpath_resolve("/dev/null", &real, &err), HV_TYPE_MISMATCH);
	assert_string_equal(hv_error_text(&err), "/dev/null is not a directory");
	assert_int_equal(hv_hostpath_resolve(missing, &real, &err), HV_SOURCE_MISSING);
	assert_non_null(strstr(err.hint, "mkdir -p "));
	hv_error_done(&err);
	assert_int_equal(unlink(link), 0);
	assert_int_equal(rmdir(dir), 0);
}

TEST(only_a_plain_volume_of_that_directory_is_used)
{
	static const char text[] =
		"{\"Volumes\":[null,{\"Name\":\"nothing\"},"
		"{\"Name\":\"other\",\"Status\":{\"kind\":\"path\",\"source\":\"/srv/other\"}},"
		"{\"Name\":\"ro\",\"Status\":{\"kind\":\"path\",\"source\":\"/srv/a\",\"read_only\":true}},"
		"{\"Name\":\"own\",\"Status\":{\"kind\":\"managed\",\"source\":\"/srv/a\"}},"
		"{\"Name\":\"fits\",\"Status\":{\"kind\":\"path\",\"source\":\"/srv/a\"}},"
		"{\"Name\":\"also\",\"Status\":{\"kind\":\"path\",\"source\":\"/srv/a\",\"read_only\":false}}]}";
	struct json_object *list = hv_document_parse(text, sizeof(text) - 1, json_type_object);

	assert_non_null(list);
	assert_string_equal(hv_volume_find(list, "/srv/a", NULL), "fits");
	assert_string_equal(hv_volume_find(list, "/srv/a", "also"), "also");
	assert_null(hv_volume_find(list, "/srv/a", "ro"));
	assert_null(hv_volume_find(list, "/srv", NULL));
	assert_string_equal(hv_volume_source(list, "ro"), "/srv/a");
	assert_string_equal(hv_volume_source(list, "nothing"), "");
	assert_null(hv_volume_source(list, "absent"));
	json_object_put(list);
}

TEST_MAIN()
