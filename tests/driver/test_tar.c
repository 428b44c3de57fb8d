/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "support/hv_test.h"
#include "wire/tar.h"

enum { BLOCK = 512, END = 2 * BLOCK, SIZE_AT = 124, CHECKSUM_AT = 148 };

static unsigned long sum(const char *header)
{
	unsigned long sum = 0;

	for (int i = 0; i < BLOCK; i++)
		sum += i >= CHECKSUM_AT && i < CHECKSUM_AT + 8 ? ' ' : (unsigned char)header[i];
	return sum;
}

TEST(tar_format_pads_the_file_and_ends_with_two_blocks)
{
	static const struct {
		size_t size, padded;
	} cases[] = {{0, 0}, {1, BLOCK}, {BLOCK, BLOCK}, {BLOCK + 1, END}};
	char bytes[BLOCK + 1], zeros[END] = {0};

	memset(bytes, 'x', sizeof(bytes));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t size = cases[i].size, all = 0;
		char *tar = NULL;

		assert_int_equal(hv_tar_format("keep", bytes, size, &tar, &all), 0);
		assert_int_equal(all, BLOCK + cases[i].padded + END);
		assert_string_equal(tar, "keep");
		assert_string_equal(tar + 100, "0000755");
		assert_memory_equal(tar + 257, "ustar\00000", 8);
		assert_int_equal(strtoul(tar + SIZE_AT, NULL, 8), size);
		assert_int_equal(strtoul(tar + CHECKSUM_AT, NULL, 8), sum(tar));
		assert_memory_equal(tar + BLOCK, bytes, size);
		assert_memory_equal(tar + all - END, zeros, END);
		free(tar);
	}
}

TEST(tar_format_refuses_a_name_that_does_not_fit)
{
	char name[101], *tar = NULL;
	size_t size = 0;

	memset(name, 'n', sizeof(name));
	name[100] = '\0';
	assert_int_equal(hv_tar_format(name, "", 0, &tar, &size), -EINVAL);
	name[99] = '\0';
	assert_int_equal(hv_tar_format(name, "", 0, &tar, &size), 0);
	assert_string_equal(tar, name);
	free(tar);
}

TEST_MAIN()
