/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of the table of kinds. */
#ifndef VOLUME_KINDS_H
#define VOLUME_KINDS_H

#include "kind.h"

extern const struct hv_volume_kind hv_kind_path;
extern const struct hv_volume_kind hv_kind_alias;
extern const struct hv_volume_kind hv_kind_filesystem;
extern const struct hv_volume_kind hv_kind_host;
extern const struct hv_volume_kind hv_kind_engine;
extern const struct hv_volume_kind hv_kind_managed;

#endif
