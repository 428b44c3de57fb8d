/* SPDX-License-Identifier: Apache-2.0 */
/* look PID PATH ROUNDS: the time of a look at the mount at PATH in the mount namespace of a
 * process, alone and by the table, in turns; and their ratio. */
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "mountcore/cleanup.h"
#include "mountcore/mounts.h"
#include "mountcore/ns.h"

enum { ROUNDS_MAX = 100000, UNIQUE = 0x4000 /* STATX_MNT_ID_UNIQUE */ };

static double now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static int compare(const void *a, const void *b)
{
	double one = *(const double *)a, two = *(const double *)b;

	return (one > two) - (one < two);
}

static bool look_by_table(
	struct mc_core *core, const struct mc_ns *ns, uint64_t mountinfo_id, uint64_t mount_id)
{
	mc_auto_mounts mounts = NULL;
	struct mc_mount mount, cover;
	bool is_it = false;

	return mc_mounts_read(core, ns->ns_fd, &mounts, NULL) == 0 &&
	       mc_mounts_find(mounts, mountinfo_id, &mount) == 0 &&
	       mc_mount_has_id(core, ns->ns_fd, mountinfo_id, mount_id, &is_it) == 0 && is_it &&
	       !mc_mounts_find_cover(mounts, mountinfo_id, &cover);
}

int main(int argc, char **argv)
{
	const struct mc_core_args args = {.workers = 1, .helper_timeout_ms = 10000};
	static double alone[ROUNDS_MAX], table[ROUNDS_MAX];
	struct statx old, unique;
	struct mc_core *core = NULL;
	struct mc_ns ns;
	char path[PATH_MAX];
	long pid = argc == 4 ? strtol(argv[1], NULL, 10) : 0;
	long rounds = argc == 4 ? strtol(argv[3], NULL, 10) : 0;

	if (rounds <= 0 || rounds > ROUNDS_MAX || mc_core_open(&args, &core, NULL) < 0 ||
		mc_core_lend_thread(core) < 0 || mc_ns_open(core, (pid_t)pid, &ns, NULL) < 0)
		return 1;
	snprintf(path, sizeof(path), "/proc/%s/root%s", argv[1], argv[2]);
	if (statx(AT_FDCWD, path, 0, STATX_MNT_ID, &old) < 0 ||
		statx(AT_FDCWD, path, 0, UNIQUE, &unique) < 0)
		return 1;
	for (long i = 0; i < rounds; i++) {
		double start = now_us();

		while (mc_mount_look(core, ns.ns_fd, unique.stx_mnt_id, argv[2]) != MC_MOUNT_THERE)
			start = now_us(); /* it was not sure */
		alone[i] = now_us() - start;
		start = now_us();
		if (!look_by_table(core, &ns, old.stx_mnt_id, unique.stx_mnt_id))
			return 1;
		table[i] = now_us() - start;
	}
	qsort(alone, (size_t)rounds, sizeof(*alone), compare);
	qsort(table, (size_t)rounds, sizeof(*table), compare);
	printf("a look: %.1f us, by the table: %.1f us: %.2f of it\n", alone[rounds / 2],
		table[rounds / 2], alone[rounds / 2] / table[rounds / 2]);
	mc_ns_close(&ns);
	mc_core_close(core);
	return 0;
}
