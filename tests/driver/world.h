/* SPDX-License-Identifier: Apache-2.0 */
/* A host in small: the volumes with a real store and a real mount library, in a directory of
 * its own.  For programs that run in hv_in_namespace(). */
#ifndef TESTS_DRIVER_WORLD_H
#define TESTS_DRIVER_WORLD_H

#include <stddef.h>

#include "store/store.h"
#include "volume/volume.h"

struct volume_fixture {
	struct hv_volumes *volumes;
	struct mc_core *core;
	struct hv_store *store; /* of the volumes */
	struct hv_error err;    /* of the last call */
	char *dir;              /* all of it; a file system of its own */
	char *state;            /* dir/state */
	char *mounts;           /* dir/mounts */
	const char *allow[4];
};

/* cmocka's setup and teardown; *state is the world. */
int world_setup(void **state);
int world_teardown(void **state);
#define WORLD_TEST(name) STATE_TEST(name, struct volume_fixture, world, world_setup, world_teardown)

/* Close the store and the mount library and open them again, as a restart does; mounts stay. */
void world_restart(struct volume_fixture *world);

/* Have the state directory elsewhere, with the records where they are: on the host, and as this
 * process reaches it.  Borrowed. */
void world_use_state(struct volume_fixture *world, const char *host, const char *local);

/* Make a directory below `dir` with its parents, or a file with this text. */
void world_mkdir(struct volume_fixture *world, const char *name);
void world_write(struct volume_fixture *world, const char *name, const char *text);
bool world_has(struct volume_fixture *world, const char *name);

/* Create a volume with up to two options, "key=value" with %s for the world's directory; NULL
 * leaves one out. */
enum hv_code world_create(
	struct volume_fixture *world, const char *name, const char *first, const char *second);

/* The same with `docker hostvol set`. */
enum hv_code world_set(
	struct volume_fixture *world, const char *name, const char *first, const char *second);

enum hv_code world_mount(struct volume_fixture *world, const char *name, const char *id);
enum hv_code world_unmount(struct volume_fixture *world, const char *name, const char *id);
enum hv_code world_remove(struct volume_fixture *world, const char *name);

/* Wait until what was removed is deleted, for ten seconds at most. */
void world_wait_for_trash(struct volume_fixture *world);

/* How many mounts there are at this mountpoint. */
unsigned world_count_mounts(struct volume_fixture *world, const char *name);

/* Whether the last call's sentence or hint has `text` in it; prints it if not. */
bool world_told(struct volume_fixture *world, const char *text);

#endif
