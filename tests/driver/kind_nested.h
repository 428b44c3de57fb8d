/* SPDX-License-Identifier: Apache-2.0 */
/* A kind of volume that hostvol does not have, for tests: a directory of the volume's name below
 * another one (-o type=nested -o device=/DIR).  It is deleted with the volume if it is empty. */
#ifndef TESTS_DRIVER_KIND_NESTED_H
#define TESTS_DRIVER_KIND_NESTED_H

#include "kind.h"

extern const struct hv_volume_kind hv_kind_nested;

#endif
