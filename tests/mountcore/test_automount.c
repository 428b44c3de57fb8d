/* SPDX-License-Identifier: Apache-2.0 */
/* A source that is mounted on demand, as systemd's .automount units do it. */
#include <errno.h>
#include <fcntl.h>
#include <linux/auto_fs.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "mountcore/examine.h"

#include "box.h"
#include "scratch.h"

static const char demand[] = SOURCE "/demand";

/* Mount on each request, for ever.  Its own process group does not trigger it. */
static void serve(int requests, int ready)
{
	union autofs_v5_packet_union packet;
	char options[128];
	int top;

	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	snprintf(options, sizeof(options), "fd=%d,pgrp=%d,minproto=5,maxproto=5,direct", ready,
		getpgrp());
	if (mount("automount", demand, "autofs", 0, options) < 0)
		_exit(1);
	top = open(demand, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	close(ready);
	while (read(requests, &packet, sizeof(packet)) > 0) {
		if (mount("disk", demand, "tmpfs", 0, NULL) < 0)
			_exit(2);
		scratch_write(SOURCE "/demand/file");
		if (ioctl(top, AUTOFS_IOC_READY, packet.v5_packet.wait_queue_token) < 0)
			_exit(3);
	}
	_exit(0);
}

static bool is_mounted(void)
{
	char options[256];

	mount_options(getpid(), demand, options);
	return options[0] != '\0';
}

/* Returns the server, whose trap is set. */
static pid_t begin_demand(void)
{
	const struct timespec step = {.tv_nsec = 2000000};
	int ends[2];
	pid_t server;

	scratch_mkdir(demand);
	assert_int_equal(pipe(ends), 0);
	server = fork();
	assert_true(server >= 0);
	if (server == 0)
		serve(ends[0], ends[1]);
	close(ends[0]);
	close(ends[1]);
	for (int i = 0; i < 5000 && !is_mounted(); i++)
		nanosleep(&step, NULL);
	assert_true(is_mounted());
	return server;
}

static void end_demand(pid_t server)
{
	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
}

SCENE_TEST(what_is_mounted_on_demand_is_mounted_for_an_attach)
{
	struct mc_attach_args args;
	bool is_on_demand;
	pid_t server = begin_demand();

	(void)!mc_host_server(scene->core, SOURCE "/demand/file", &is_on_demand);
	assert_true(is_on_demand);
	args = scene_args(scene, "/mnt/a");
	args.source = demand;
	assert_int_equal(scene_attach_args(scene, &args), 0);
	assert_true(scratch_exists(box_path(&scene->box, "/mnt/a/file")));
	(void)!mc_host_server(scene->core, SOURCE "/demand/file", &is_on_demand);
	assert_false(is_on_demand);
	end_demand(server);
}

static int in_stat(const char *path)
{
	struct stat found;

	return stat(path, &found) < 0 ? -errno : 0;
}

/* The server mounts on the host, where the box does not see it. */
SCENE_TEST(a_private_attach_with_an_automount_in_it_does_not_get_there)
{
	pid_t server = begin_demand();
	int rc;

	assert_int_equal(scene_attach(scene, "/mnt/a"), 0);
	rc = box_run(&scene->box, in_stat, "/mnt/a/demand/file");
	assert_true(rc == -ELOOP || rc == -EPERM); /* EPERM from 7.0 on */
	end_demand(server);
}

SCENE_TEST(a_slave_with_an_automount_in_it_triggers_it)
{
	struct mc_attach_args args = scene_args(scene, "/mnt/a");
	struct mc_detach_args ending = {.place = args.place, .source = SOURCE, .is_slave = 1};
	char *before = read_mounts(scene->box.pid), *after;
	pid_t server;

	scratch_make_shared(hv_sandbox);
	server = begin_demand();
	args.is_slave = 1;
	assert_int_equal(scene_attach_args(scene, &args), 0);
	assert_int_equal(box_run(&scene->box, in_stat, "/mnt/a/demand/file"), 0);
	/* Strictly, although an automount has a server. */
	ending.path = scene->info.path;
	ending.mount_id = scene->info.mount_id;
	ending.root = scene->info.source;
	ending.mountinfo_id = scene->info.mountinfo_id;
	ending.made = &scene->info.made;
	assert_int_equal(mc_detach(scene->core, &ending, NULL, &scene->err), 0);
	after = read_mounts(scene->box.pid);
	assert_string_equal(before, after);
	free(before);
	free(after);
	end_demand(server);
}

TEST_MAIN_PRIVILEGED()
