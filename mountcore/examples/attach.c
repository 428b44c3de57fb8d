/* SPDX-License-Identifier: Apache-2.0 */
/* attach DIRECTORY PID TARGET: put a directory of the host into the mount namespace of a process.
 *
 *     cc attach.c $(pkg-config --cflags --libs libmountcore) -o attach */
#include <errno.h>
#include <mountcore/attach.h>
#include <mountcore/ns.h>
#include <stdio.h>
#include <stdlib.h>

static int attach(struct mc_core *core, pid_t pid, struct mc_attach_args *args, struct mc_err *err)
{
	struct mc_attach *attach = NULL;
	struct mc_ns ns;
	int rc = mc_ns_open(core, pid, &ns, err);

	if (rc < 0)
		return rc;
	args->place = (struct mc_place){.ns_fd = ns.ns_fd,
		.root_fd = MC_FD_NONE,
		.userns_fd = ns.userns_fd,
		.uid = ns.uid,
		.gid = ns.gid,
		.key = ns.ino,
		.may_mount = ns.may_mount};
	rc = mc_attach_prepare(core, args, &attach, err);
	if (rc == 0)
		rc = mc_attach_commit(attach, err);
	if (rc == 0)
		printf("%s\n", mc_attach_info(attach)->path);
	mc_attach_free(attach);
	mc_ns_close(&ns);
	return rc;
}

int main(int argc, char **argv)
{
	const struct mc_core_args core_args = {.workers = 1, .helper_timeout_ms = 10000};
	struct mc_attach_args args = {.mkdir = true};
	struct mc_core *core = NULL;
	struct mc_err err = {0};
	char *source = argc == 4 ? realpath(argv[1], NULL) : NULL; /* without a symlink */
	int rc;

	if (!source) {
		fprintf(stderr, "attach DIRECTORY PID TARGET: there is no such directory\n");
		return 2;
	}
	args.source = source;
	args.target = argv[3];
	rc = mc_core_open(&core_args, &core, &err);
	if (rc == 0)
		rc = attach(core, (pid_t)strtol(argv[2], NULL, 10), &args, &err);
	if (rc < 0) {
		errno = -rc;
		perror(mc_step_name(err.step));
	}
	mc_core_close(core);
	free(source);
	return rc < 0;
}
