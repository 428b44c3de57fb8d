/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/tar.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 512, END = 2 * BLOCK, CHECKSUM_WIDTH = 8 };

/* ustar's; numbers are octal digits with a NUL. */
struct header {
	char name[100];
	char mode[8];
	char uid[8];
	char gid[8];
	char size[12];
	char mtime[12];
	char checksum[CHECKSUM_WIDTH];
	char type;
	char link[100];
	char magic[6];
	char version[2];
	char rest[BLOCK - 265];
};

/* The sum is made with spaces in its own place. */
static void fill(struct header *header, const char *name, size_t size)
{
	const unsigned char *bytes = (const unsigned char *)header;
	unsigned sum = 0;

	memcpy(header->name, name, strlen(name));
	memcpy(header->mode, "0000755", 8);
	memcpy(header->uid, "0000000", 8);
	memcpy(header->gid, "0000000", 8);
	snprintf(header->size, sizeof(header->size), "%011zo", size);
	memcpy(header->mtime, "00000000000", 12);
	memset(header->checksum, ' ', sizeof(header->checksum));
	header->type = '0';
	memcpy(header->magic, "ustar", 6);
	memcpy(header->version, "00", 2);
	for (size_t i = 0; i < sizeof(*header); i++)
		sum += bytes[i];
	snprintf(header->checksum, sizeof(header->checksum), "%06o", sum);
}

int hv_tar_format(const char *name, const void *bytes, size_t size, char **ret, size_t *ret_size)
{
	size_t padded = (size + BLOCK - 1) / BLOCK * BLOCK;
	size_t all = sizeof(struct header) + padded + END;
	char *archive;

	_Static_assert(sizeof(struct header) == BLOCK, "a header is a block");
	if (strlen(name) >= sizeof(((struct header *)NULL)->name))
		return -EINVAL;
	archive = calloc(1, all);
	if (!archive)
		return -ENOMEM;
	fill((struct header *)archive, name, size);
	memcpy(archive + sizeof(struct header), bytes, size);
	*ret = archive;
	*ret_size = all;
	return 0;
}
