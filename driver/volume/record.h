/* SPDX-License-Identifier: Apache-2.0 */
/* Facts of a volume's record: nothing is looked up for them. */
#ifndef VOLUME_RECORD_H
#define VOLUME_RECORD_H

#include <stdbool.h>

#include "volume/volume.h"

/* Whether the options say an owner or a mode. */
bool hv_source_is_owned(const struct hv_opts *opts);

/* Whether the data goes with the volume: our own directories do unless they are to be kept, the
 * user's only if that was asked for. */
bool hv_purge_is_wanted(const struct hv_volumes *volumes, const struct hv_volume *volume);

/* Whether a removal was begun that deletes a user's directory, which may take long. */
bool hv_purge_is_begun(const struct hv_volumes *volumes, const struct hv_volume *volume);

#endif
