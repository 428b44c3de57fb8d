/* Facts of a volume's record: nothing is looked up for them. */
#ifndef VOLUME_RECORD_H
#define VOLUME_RECORD_H

#include <stdbool.h>

#include "wire/opts.h"
#include "wire/types.h"

/* Whether the directory is one of hostvol's own: made for the volume, deleted with it. */
bool hv_source_is_ours(const struct hv_volume *volume);

/* Whether it is a file system (options type, device and o), mounted while it is used. */
bool hv_volume_is_fs(const struct hv_volume *volume);

/* Whether the options say an owner or a mode. */
bool hv_source_is_owned(const struct hv_opts *opts);

/* Whether the data goes with the volume: our own directories do unless they are to be kept, the
 * user's only if that was asked for. */
bool hv_purge_is_wanted(const struct hv_volume *volume);

/* Whether a removal was begun that deletes a user's directory, which may take long. */
bool hv_purge_is_begun(const struct hv_volume *volume);

#endif
