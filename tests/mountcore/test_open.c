/* SPDX-License-Identifier: Apache-2.0 */
/* mc_open: openat2 and the single steps find the same, and fail the same. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mountcore/cleanup.h"

#include "box.h"
#include "scratch.h"
#include "sys.h"
#include "walk.h"

#define ROOT "/tmp/root"

static const char *const paths[] = {"/", ".", "", "..", "/..", "../../..", "a", "a/", "a/.", "a/b",
	"a/b/", "a//b///", "a/b/..", "a/../a/b", "a/b/../../..", "/a/b/file", "a/b/file/",
	"a/b/file/.", "a/b/file/..", "missing", "a/missing", "a/missing/more", "link", "link/",
	"link/file", "up", "up/a", "far", "far/tmp", "absolute", "absolute/file", "root", "root/a",
	"dangling", "dangling/x", "loop", "loop/x", "chain", "chain/file", "file_link",
	"file_link/", "deep/a", "deep/a/../b", "tmpfs", "tmpfs/", "tmpfs/in", "tmpfs/..",
	"tmpfs/../a", "into", "into/in", "out", "proc", "proc/self", "proc/1/root",
	"proc/1/root/tmp", "proc/self/fd/0", "a/b/back", "a/b/back/file", "no_access/x"};

static const int flags[] = {0, O_DIRECTORY, O_NOFOLLOW, O_NOFOLLOW | O_DIRECTORY};

static const uint64_t resolves[] = {MC_RESOLVE_USER, MC_RESOLVE_KNOWN,
	MC_RESOLVE_USER | RESOLVE_NO_XDEV, MC_RESOLVE_KNOWN | RESOLVE_NO_XDEV,
	RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
	RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV,
	RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};

static void make_tree(void)
{
	static const struct {
		const char *text;
		const char *name;
	} links[] = {{"a/b", "link"}, {"..", "up"}, {"../../../../..", "far"}, {"/a/b", "absolute"},
		{"/", "root"}, {"nowhere", "dangling"}, {"loop", "loop"}, {"link", "chain"},
		{"a/b/file", "file_link"}, {"a/b/../..", "deep"}, {"tmpfs/in", "into"},
		{"../tmp", "out"}, {"../../link", "a/b/back"}};

	scratch_mkdir(ROOT);
	assert_int_equal(chdir(ROOT), 0);
	scratch_mkdir("a");
	scratch_mkdir("a/b");
	scratch_write("a/b/file");
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		assert_int_equal(symlink(links[i].text, links[i].name), 0);
	scratch_mkdir("tmpfs");
	scratch_mount_tmpfs(ROOT "/tmpfs");
	scratch_mkdir("tmpfs/in");
	scratch_mkdir("proc");
	assert_int_equal(mc_sys_mount("proc", ROOT "/proc", "proc", 0), 0);
	assert_int_equal(chdir("/"), 0);
}

static bool is_same(int a, int b)
{
	struct stat one, other;

	if (a < 0 || b < 0)
		return a == b;
	return fstat(a, &one) == 0 && fstat(b, &other) == 0 && one.st_dev == other.st_dev &&
	       one.st_ino == other.st_ino;
}

/* A known difference: the steps refuse the few ordinary links of procfs with the magic ones, before
 * they check whether we may follow them. */
static bool is_refused_by_steps(const char *path, int by_steps)
{
	return strncmp(path, "proc/", 5) == 0 && by_steps == -ELOOP;
}

static unsigned compare(const struct mc_core *core, const struct mc_core *old, int root,
	const char *path, int flag, uint64_t resolve)
{
	mc_auto_fd fd = mc_open(core, root, path, flag, resolve);
	mc_auto_fd by_steps = mc_open(old, root, path, flag, resolve);

	if (is_same(fd, by_steps) || is_refused_by_steps(path, by_steps))
		return 0;
	fprintf(stderr, "'%s' flags %o resolve %lx: openat2 %d, steps %d\n", path, (unsigned)flag,
		(unsigned long)resolve, fd, by_steps);
	return 1;
}

NS_TEST(single_steps_do_what_openat2_does)
{
	struct mc_core_args args = {.workers = 1, .helper_timeout_ms = 1000};
	struct mc_core *core = NULL, *old = NULL;
	unsigned fds, wrong = 0;
	int root;

	make_tree();
	assert_int_equal(mc_core_open(&args, &core, NULL), 0);
	args.without = MC_FEATURE_OPENAT2;
	assert_int_equal(mc_core_open(&args, &old, NULL), 0);
	assert_true(mc_core_features(core) & MC_FEATURE_OPENAT2);
	assert_false(mc_core_features(old) & MC_FEATURE_OPENAT2);
	root = open(ROOT, O_PATH | O_CLOEXEC);
	fds = hv_count_fds();
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		for (size_t j = 0; j < sizeof(flags) / sizeof(flags[0]); j++)
			for (size_t k = 0; k < sizeof(resolves) / sizeof(resolves[0]); k++)
				wrong += compare(core, old, root, paths[i], flags[j], resolves[k]);
	assert_int_equal(wrong, 0);
	assert_int_equal(hv_count_fds(), fds);
	close(root);
	mc_core_close(old);
	mc_core_close(core);
}

TEST_MAIN_PRIVILEGED()
