/* SPDX-License-Identifier: Apache-2.0 */
/* A kind of volume: where the data is, and how it is made, used and removed.  Each kind is a row of
 * the table in hv_volumes_args.kinds (kinds.c). */
#ifndef VOLUME_KIND_H
#define VOLUME_KIND_H

#include <stdbool.h>

#include "mountcore/mounts.h"
#include "volume/volume.h"

#include "fs_source.h"
#include "options.h"
#include "source.h"

struct hv_volume_kind {
	const char *name; /* the word on the wire and in the store */

	/* The directory is one of hostvol's own, volumes/NAME/_data: made for the volume, deleted
	 * with it. */
	bool own_directory;
	/* The directory may be in the state directory, and moves with it.  Otherwise the user named
	 * it: HOSTVOL_ALLOW says whether it may be there. */
	bool may_be_in_state;
	/* The directory has the data only while the volume is used: a file system is mounted on it
	 * then, and is given the owner of the options. */
	bool mounted_while_used;
	/* It exists only for attachments (borrow.c): no caller by name knows it. */
	bool is_hidden;

	/* Whether a volume with these options is of this kind.  The first row that claims them has
	 * them. */
	bool (*claims)(const struct hv_volume_options *options);

	/* Find the directory of a new volume.  The caller holds `name`, and the name in option
	 * from. */
	enum hv_code (*resolve)(struct hv_volumes *volumes, const char *name,
		const struct hv_volume_options *options, struct hv_source *ret,
		struct hv_error *err);
	/* Make what is missing of it, and give it the owner and mode of the volume's options. Fills
	 * made_dev and made_ino where hostvol will have to know the directory again. */
	enum hv_code (*make)(
		struct hv_volumes *volumes, struct hv_volume *volume, struct hv_error *err);
	/* Remove the directories that `make` made, or may have, if they are empty.  NULL: it makes
	 * none. */
	void (*unmake)(struct hv_volumes *volumes, const struct hv_volume *volume);

	/* Call `visit` for each path of the host that the data comes from, beside the directory,
	 * until it returns another than HV_OK.  NULL: there are none. */
	enum hv_code (*each_host_path)(const struct hv_volume *volume, hv_fs_visit visit,
		void *context, struct hv_error *err);

	/* Have the data in the directory until `ret` is released, as hv_volume_acquire().  Sets
	 * ret->kind if there is anything to release. */
	enum hv_code (*acquire)(struct hv_volumes *volumes, const struct hv_volume *volume,
		struct hv_volume_ref *ret, struct hv_error *err);
	/* NULL: the kind sets no ret->kind. */
	void (*release)(struct hv_volume_ref *use);
	/* An attachment or a reference is gone: release what is left over, if it was the last.
	 * NULL: nothing is. */
	void (*unused)(struct hv_volumes *volumes, const struct hv_volume *volume);

	/* Whether the data may be deleted with the volume; HV_OK also if it is not to be.  NULL: no
	 * data is deleted.  `host`: the host's mount table, read where it is needed and still NULL;
	 * the caller frees it.  Returns HV_OK, HV_SOURCE_REFUSED, HV_VOLUME_IN_USE … */
	enum hv_code (*check_removal)(struct hv_volumes *volumes, const struct hv_volume *volume,
		struct mc_mounts **host, struct hv_error *err);
	/* Unmount a volume that is removed, used or not.  NULL: it is not mounted. */
	enum hv_code (*unmount)(
		struct hv_volumes *volumes, const struct hv_volume *volume, struct hv_error *err);
	/* Delete the data of a volume that is removed, or keep it, as the options say.  NULL: there
	 * is none.  Returns 0 or a negative errno; -ETIME: there is so much that Docker would not
	 * wait for the end. */
	int (*remove_data)(struct hv_volumes *volumes, const struct hv_volume *volume);
};

/* The kind of a volume, by the word in its record.  Never NULL: a word that no row has, of a newer
 * version, gives a kind without data, which refuses to be used and to be removed. */
const struct hv_volume_kind *hv_kind_of(const struct hv_volumes *volumes,
	const struct hv_volume *volume) __attribute__((nonnull, returns_nonnull));

/* Whether the kind of a volume is known.  HV_OK or HV_UNSUPPORTED. */
enum hv_code hv_kind_check(const struct hv_volumes *volumes, const struct hv_volume *volume,
	struct hv_error *err) __attribute__((nonnull, warn_unused_result));

/* As hv_volume_release_idle(), of a volume in hand. */
void hv_kind_unused(struct hv_volumes *volumes, const struct hv_volume *volume)
	__attribute__((nonnull));

/* The kind that claims the options of a new volume; NULL: none does. */
const struct hv_volume_kind *hv_kind_choose(const struct hv_volumes *volumes,
	const struct hv_volume_options *options) __attribute__((nonnull));

#endif
