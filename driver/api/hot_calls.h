/* SPDX-License-Identifier: Apache-2.0 */
/* The calls of the companion command: /Hot*. */
#ifndef API_HOT_CALLS_H
#define API_HOT_CALLS_H

#include "endpoint.h"

extern const struct hv_endpoint hv_hot_endpoints[];

#endif
