/* SPDX-License-Identifier: Apache-2.0 */
#include "fstype.h"

#include <stddef.h>
#include <string.h>

/* linux/magic.h has not all of them. */
static const struct slow_type {
	const char *name; /* "nfs*": all that begin so */
	uint64_t magic;
} slow_types[] = {
	{"fuse*", 0x65735546},
	{"nfs*", 0x6969},
	{"cifs", 0xff534d42},
	{"smb3", 0xfe534d42},
	{"9p", 0x01021997},
	{"ceph", 0x00c36400},
	{"afs", 0x6b414653},
	{"afs", 0x5346414f},
	{"coda", 0x73757245},
	{"virtiofs", 0x65735546},
	{"lustre", 0x0bd00bd0},
	{"glusterfs", 0x65735546},
	{"ocfs2", 0x7461636f},
	{"gfs2", 0x01161970},
	{"pvfs2", 0x20030528}, /* OrangeFS */
	{"vboxsf", 0x786f4256},
	{"autofs", 0x0187},
};

static bool is_called(const char *name, const char *fstype)
{
	size_t length = strcspn(name, "*");

	return strncmp(name, fstype, length) == 0 && (name[length] || !fstype[length]);
}

bool mc_fstype_is_slow(const char *fstype)
{
	if (strcmp(fstype, "fusectl") == 0 || strcmp(fstype, "nfsd") == 0)
		return false;
	for (size_t i = 0; i < sizeof(slow_types) / sizeof(slow_types[0]); i++)
		if (is_called(slow_types[i].name, fstype))
			return true;
	return false;
}

bool mc_magic_is_slow(uint64_t magic)
{
	for (size_t i = 0; i < sizeof(slow_types) / sizeof(slow_types[0]); i++)
		if (slow_types[i].magic == magic)
			return true;
	return false;
}

bool mc_fstype_is_cached(const char *fstype)
{
	return strcmp(fstype, "9p") != 0;
}

bool mc_fstype_is_fuse(const char *fstype)
{
	return is_called("fuse*", fstype) || strcmp(fstype, "virtiofs") == 0;
}
