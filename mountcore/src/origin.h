/* SPDX-License-Identifier: Apache-2.0 */
/* Sources on a mount that maps owners itself (X-mount.idmap of mount(8)). */
#ifndef MOUNTCORE_SRC_ORIGIN_H
#define MOUNTCORE_SRC_ORIGIN_H

struct mc_attach;
struct mc_idmap;

/* Put the maps of the mount that the source was cloned from before these, which take the owners as
 * the host sees them: so they take the owners on disk.
 * Returns 0, -EPERM (the kernel tells no maps; another mount is somewhere in that one, which may
 * have other maps; or the place has none of its owners), -E2BIG, -ENOMEM, or the error of reading
 * the host's mount table. */
int mc_origin_compose(struct mc_attach *self, struct mc_idmap *users, struct mc_idmap *groups);

/* Clone the tree with the map of that user namespace in place of its own: the mounts of a tree that
 * has one take no other.  Returns 0, or the error of open_tree_attr(2): before 6.15 -ENOSYS. */
int mc_origin_remap(struct mc_attach *self, int userns);

#endif
