/* SPDX-License-Identifier: Apache-2.0 */
/* The scene of the privileged tests: a "container" and its surroundings.
 *
 * A box is a process with a mount namespace and a root file system (tmpfs) of its own, all private,
 * with a procfs and an empty /dev, /sys and /mnt.  Its files are reached from outside through
 * /proc/PID/root (box_path); box_run() sends it a function to run inside. */
#ifndef MOUNTCORE_BOX_H
#define MOUNTCORE_BOX_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

#include "mountcore/attach.h"
#include "mountcore/core.h"
#include "mountcore/detach.h"
#include "mountcore/ns.h"
#include "support/hv_test.h"

struct fake_container {
	pid_t pid;
	int control;
};

/* Runs inside; no assertions there.  Its result is box_run()'s. */
typedef int (*box_fn)(const char *text);

void box_open(struct fake_container *ret);
void box_close(struct fake_container *box);
int box_run(const struct fake_container *box, box_fn fn, const char *text);

/* `path` inside the box as seen from here.  The last of four results stays valid. */
const char *box_path(const struct fake_container *box, const char *path);

/* Functions for box_run(): 0 or a negative errno. */
int in_mount_tmpfs(const char *path);
int in_umount(const char *path);
int in_share(const char *path); /* make the mount shared */
int in_hold(const char *path);  /* open it and keep it open; "" lets go */
int in_stand(const char *path); /* chdir */
int in_remount_read_only(const char *path);
int in_remount_writable(const char *path);

/* Whether `path` inside has the content that scene_open() puts into the source. */
bool box_has_file(const struct fake_container *box, const char *path);

/* How many files and directories there are in the root file system of the box. */
unsigned box_count_files(const struct fake_container *box);

/* The mount table of a process as text, to be freed. */
char *read_mounts(pid_t pid);
/* The options (column 6) of the last mount at `target` of a process; "" if there is none. */
void mount_options(pid_t pid, const char *target, char ret[static 256]);

#define SOURCE "/tmp/source" /* has "file" in it */

/* A core whose host is this process, a box and its namespace. */
struct attach_fixture {
	struct mc_core *core;
	struct fake_container box;
	struct mc_ns ns;
	bool may_mount;    /* of the place: false, whatever the box may really do */
	struct mc_err err; /* of the last operation */
	struct mc_attach_info info;
};

/* One worker, a long deadline, without the features that HOSTVOL_WITHOUT names, and with the legacy
 * engine if HOSTVOL_LEGACY is set. */
struct mc_core_args scene_core_args(void);

/* One without a scene, with all features. */
struct mc_core *scene_core(unsigned workers, unsigned timeout_ms);

/* A process with a copy of our mount namespace, for mc_core_args.host_pid; `inside` (may be NULL)
 * runs in it.  To be killed, and waited for. */
pid_t fork_host(void (*inside)(void));

/* Call it in hv_in_namespace. */
void scene_open(struct attach_fixture *ret);
void scene_close(struct attach_fixture *scene);

/* Define a test whose body has an open scene, in hv_in_namespace(): SCENE_TEST(name) { ... } */
#define SCENE_TEST(name)                                                                           \
	static void name##_with(struct attach_fixture *scene);                                     \
	NS_TEST(name)                                                                              \
	{                                                                                          \
		struct attach_fixture scene;                                                       \
                                                                                                   \
		scene_open(&scene);                                                                \
		name##_with(&scene);                                                               \
		scene_close(&scene);                                                               \
	}                                                                                          \
	static void name##_with(struct attach_fixture *scene)

/* Give the box a user namespace of its own, whose root is BOX_ROOT_ID out here, and a copy of its
 * mount namespace that belongs to it; scene->ns is the new one. */
enum { BOX_ROOT_ID = 100000 };
void scene_map_users(struct attach_fixture *scene);

/* Fill the arguments for SOURCE on `target` with mkdir. */
struct mc_attach_args scene_args(const struct attach_fixture *scene, const char *target);

/* Prepare and commit; fills scene->err and, on success, scene->info. */
int scene_attach_args(struct attach_fixture *scene, const struct mc_attach_args *args);
int scene_attach(struct attach_fixture *scene, const char *target);

/* It fails at `step` with `code`, and nothing is left of it: no mount, file or descriptor. */
void scene_expect_refused(struct attach_fixture *scene, const struct mc_attach_args *args,
	enum mc_step step, int code);

/* Take out what scene_attach() made. */
int scene_detach(struct attach_fixture *scene, bool lazy);

#endif
