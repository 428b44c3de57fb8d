/* SPDX-License-Identifier: Apache-2.0 */
/* server DIR TEXT: a FUSE file system at DIR, of one directory with the file "file" that says TEXT;
 * read-only, for root and everybody else.  It serves until it is killed.  Without libfuse, whose
 * packages a test machine need not have.
 * Source: include/uapi/linux/fuse.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { REQUEST_SIZE = 256 * 1024, DIRECTORY = FUSE_ROOT_ID, FILE_NODE, VALID_S = 3600 };

static int device;
static const char *text;

static void reply(const struct fuse_in_header *in, int error, const void *data, size_t size)
{
	struct fuse_out_header out = {
		.len = (unsigned)(sizeof(out) + size),
		.error = -error,
		.unique = in->unique,
	};
	const struct iovec parts[] = {{&out, sizeof(out)}, {(void *)data, size}};

	(void)!writev(device, parts, 2);
}

static struct fuse_attr attr_of(unsigned long node)
{
	return (struct fuse_attr){
		.ino = node,
		.mode = node == DIRECTORY ? S_IFDIR | 0755 : S_IFREG | 0644,
		.nlink = node == DIRECTORY ? 2 : 1,
		.size = node == DIRECTORY ? 0 : strlen(text),
		.blksize = 4096,
	};
}

static void init(const struct fuse_in_header *in)
{
	const struct fuse_init_out out = {
		.major = FUSE_KERNEL_VERSION,
		.minor = FUSE_KERNEL_MINOR_VERSION,
		.max_readahead = 4096,
		.max_write = 4096,
	};

	reply(in, 0, &out, sizeof(out));
}

static void look_up(const struct fuse_in_header *in, const char *name)
{
	const struct fuse_entry_out out = {
		.nodeid = FILE_NODE,
		.entry_valid = VALID_S, /* so that a dead server still answers from the cache */
		.attr_valid = VALID_S,
		.attr = attr_of(FILE_NODE),
	};

	if (in->nodeid == DIRECTORY && strcmp(name, "file") == 0)
		reply(in, 0, &out, sizeof(out));
	else
		reply(in, ENOENT, NULL, 0);
}

static void get_attr(const struct fuse_in_header *in)
{
	const struct fuse_attr_out out = {.attr_valid = VALID_S, .attr = attr_of(in->nodeid)};

	reply(in, 0, &out, sizeof(out));
}

static void read_directory(const struct fuse_in_header *in, const struct fuse_read_in *asked)
{
	union {
		struct fuse_dirent entry;
		char bytes[FUSE_DIRENT_ALIGN(FUSE_NAME_OFFSET + 4)];
	} out = {.entry = {.ino = FILE_NODE, .off = 1, .namelen = 4, .type = S_IFREG >> 12}};

	memcpy(out.bytes + FUSE_NAME_OFFSET, "file", 4);
	reply(in, 0, &out, asked->offset == 0 ? sizeof(out) : 0);
}

static void read_file(const struct fuse_in_header *in, const struct fuse_read_in *asked)
{
	size_t size = strlen(text), from = asked->offset < size ? asked->offset : size;

	reply(in, 0, text + from, size - from < asked->size ? size - from : asked->size);
}

static void answer(const struct fuse_in_header *in, const void *body)
{
	const struct fuse_open_out opened = {.fh = 0};
	const struct fuse_statfs_out statfs = {.st = {.bsize = 4096, .namelen = 255}};

	switch (in->opcode) {
	case FUSE_INIT:
		return init(in);
	case FUSE_LOOKUP:
		return look_up(in, body);
	case FUSE_GETATTR:
		return get_attr(in);
	case FUSE_OPEN:
	case FUSE_OPENDIR:
		return reply(in, 0, &opened, sizeof(opened));
	case FUSE_READDIR:
		return read_directory(in, body);
	case FUSE_READ:
		return read_file(in, body);
	case FUSE_STATFS:
		return reply(in, 0, &statfs, sizeof(statfs));
	case FUSE_RELEASE:
	case FUSE_RELEASEDIR:
	case FUSE_FLUSH:
	case FUSE_ACCESS:
		return reply(in, 0, NULL, 0);
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT:
		return; /* nobody waits */
	default:
		return reply(in, ENOSYS, NULL, 0);
	}
}

int main(int argc, char **argv)
{
	static union {
		struct fuse_in_header header;
		char bytes[REQUEST_SIZE];
	} request;
	char options[128];

	if (argc != 3)
		return 2;
	text = argv[2];
	device = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other",
		device);
	if (device < 0 || mount("server", argv[1], "fuse", MS_NOSUID | MS_NODEV, options) < 0) {
		fprintf(stderr, "server: %s: %s\n", argv[1], strerror(errno));
		return 1;
	}
	for (;;) {
		ssize_t size = read(device, &request, sizeof(request));

		if (size < 0 && errno == ENODEV)
			return 0; /* unmounted */
		if (size >= (ssize_t)sizeof(request.header))
			answer(&request.header, request.bytes + sizeof(request.header));
	}
}
