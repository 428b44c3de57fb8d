/* SPDX-License-Identifier: Apache-2.0 */
/* The options of `docker volume create -o`. */
#ifndef VOLUME_OPTIONS_H
#define VOLUME_OPTIONS_H

#include <stdbool.h>

#include "mountcore/attr.h"
#include "mountcore/fs.h"
#include "mountcore/host.h"
#include "wire/as.h"
#include "wire/error.h"
#include "wire/opts.h"

enum hv_on_remove {
	HV_ON_REMOVE_UNSAID, /* purge our own directories, keep the user's */
	HV_ON_REMOVE_KEEP,
	HV_ON_REMOVE_PURGE,
};

struct hv_volume_options {
	const char *path; /* borrowed; NULL: a directory of our own */
	bool mkdir;
	bool read_only;
	const char *from;    /* borrowed; NULL: data of its own */
	const char *subpath; /* borrowed; NULL: the directory itself */
	bool require_mount;
	bool follow; /* attachments of it */
	enum hv_on_remove on_remove;
	uint64_t size_bytes;   /* 0: no limit */
	struct mc_owner owner; /* of the volume's directory */
	struct hv_as as;       /* the owner that it appears to have */
	/* As of Docker's local driver; borrowed, NULL if not given.  With `bind` in `o`, `device`
	 * becomes `path`, and `attr` is what `o` says of the mount. */
	const char *type;
	const char *device;
	const char *o;
	bool is_bind;
	struct mc_attr attr;
	bool keeps_suid; /* `o` has suid */
};

/* Whether `name` can be a volume's: the rule of Docker's local driver, and at most 255 bytes. */
enum hv_code hv_volume_check_name(const char *name, struct hv_error *err);

/* Whether option o (NULL: none) has the word, which is one without a value. */
bool hv_volume_o_has(const char *o, const char *word);

/* Read the options.  Returns HV_OK or HV_BAD_REQUEST naming the key. */
enum hv_code hv_volume_read_options(
	const struct hv_opts *opts, struct hv_volume_options *ret, struct hv_error *err);

#endif
