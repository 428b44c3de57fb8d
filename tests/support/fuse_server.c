/* SPDX-License-Identifier: Apache-2.0 */
/* fuse_server PATH [DEVICE]: a file system on PATH with one file, "file", that says "data", from a
 * server that can fall silent; with a DEVICE of the type "fuseblk", whose unmount waits for the
 * server.  Says "ready" when it is mounted, and serves until it is killed or unmounted.
 *
 * SIGUSR1: it goes on reading requests and answers none any more, like a server whose other side is
 * gone: processes that ask it then wait, and no signal ends them.  SIGUSR2: it answers again;
 * requests in between are lost. */
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { ROOT = FUSE_ROOT_ID, FILE_NODE = 2, BUFFER_SIZE = 1 << 17 };

static const char content[] = "data\n";
static volatile sig_atomic_t is_silent;

static void on_signal(int number)
{
	is_silent = number == SIGUSR1;
}

static void reply(int fd, uint64_t unique, int error, const void *body, size_t size)
{
	struct fuse_out_header header = {
		.len = (uint32_t)(sizeof(header) + (error ? 0 : size)),
		.error = -error,
		.unique = unique,
	};
	struct iovec parts[] = {{&header, sizeof(header)}, {NULL, error ? 0 : size}};
	char copy[BUFFER_SIZE];

	if (!error && size > 0) {
		memcpy(copy, body, size);
		parts[1].iov_base = copy;
	}
	(void)!writev(fd, parts, 2);
}

static struct fuse_attr attr_of(uint64_t node)
{
	bool is_root = node == ROOT;

	return (struct fuse_attr){
		.ino = node,
		.size = is_root ? 0 : sizeof(content) - 1,
		.mode = is_root ? S_IFDIR | 0755 : S_IFREG | 0644,
		.nlink = 1,
		.blksize = 4096,
	};
}

static void look_up(int fd, const struct fuse_in_header *in, const char *name)
{
	const struct fuse_entry_out entry = {.nodeid = FILE_NODE, .attr = attr_of(FILE_NODE)};

	if (strcmp(name, "file") == 0)
		reply(fd, in->unique, 0, &entry, sizeof(entry));
	else
		reply(fd, in->unique, ENOENT, NULL, 0);
}

static void read_file(int fd, const struct fuse_in_header *in, const struct fuse_read_in *read)
{
	size_t all = sizeof(content) - 1;
	size_t at = read->offset < all ? (size_t)read->offset : all;
	size_t size = all - at < read->size ? all - at : read->size;

	reply(fd, in->unique, 0, content + at, size);
}

/* The directory has no entries to list. */
static void answer(int fd, const struct fuse_in_header *in, const void *body)
{
	const struct fuse_init_out init = {.major = FUSE_KERNEL_VERSION,
		.minor = 31,
		.max_readahead = 4096,
		.max_write = 4096};
	const struct fuse_attr_out attr = {.attr = attr_of(in->nodeid)};
	const struct fuse_open_out open = {.fh = 1};
	const struct fuse_statfs_out statfs = {.st = {.bsize = 4096, .namelen = 255}};

	switch (in->opcode) {
	case FUSE_INIT:
		reply(fd, in->unique, 0, &init, sizeof(init));
		break;
	case FUSE_LOOKUP:
		look_up(fd, in, body);
		break;
	case FUSE_GETATTR:
		reply(fd, in->unique, 0, &attr, sizeof(attr));
		break;
	case FUSE_OPEN:
	case FUSE_OPENDIR:
		reply(fd, in->unique, 0, &open, sizeof(open));
		break;
	case FUSE_READ:
		read_file(fd, in, body);
		break;
	case FUSE_STATFS:
		reply(fd, in->unique, 0, &statfs, sizeof(statfs));
		break;
	case FUSE_READDIR:
	case FUSE_FLUSH:
	case FUSE_RELEASE:
	case FUSE_RELEASEDIR:
		reply(fd, in->unique, 0, NULL, 0);
		break;
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT:
		break;
	default:
		reply(fd, in->unique, ENOSYS, NULL, 0);
		break;
	}
}

static int serve(int fd)
{
	static union {
		struct fuse_in_header header;
		char bytes[BUFFER_SIZE];
	} request;
	ssize_t size;

	for (;;) {
		size = read(fd, request.bytes, sizeof(request.bytes) - 1);
		if (size < 0 && (errno == EINTR || errno == EAGAIN || errno == ENOENT))
			continue;
		if (size < (ssize_t)sizeof(request.header))
			return errno == ENODEV ? 0 : 1; /* unmounted */
		request.bytes[size] = '\0';
		if (!is_silent || request.header.opcode == FUSE_INIT)
			answer(fd, &request.header, request.bytes + sizeof(request.header));
	}
}

int main(int argc, char **argv)
{
	const struct sigaction action = {.sa_handler = on_signal};
	char options[128];
	int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);

	if (argc < 2 || argc > 3 || fd < 0)
		return 2;
	snprintf(options, sizeof(options),
		"fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other%s", fd,
		argc == 3 ? ",blksize=512" : "");
	if (sigaction(SIGUSR1, &action, NULL) < 0 || sigaction(SIGUSR2, &action, NULL) < 0 ||
		mount(argc == 3 ? argv[2] : "hostvol-test", argv[1],
			argc == 3 ? "fuseblk" : "fuse.hostvol-test", MS_NOSUID | MS_NODEV,
			options) < 0) {
		perror(argv[1]);
		return 1;
	}
	puts("ready");
	fflush(stdout);
	return serve(fd);
}
