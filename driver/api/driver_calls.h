/* SPDX-License-Identifier: Apache-2.0 */
/* Docker's own calls: Plugin.Activate and VolumeDriver.*. */
#ifndef API_DRIVER_CALLS_H
#define API_DRIVER_CALLS_H

#include "endpoint.h"

extern const struct hv_endpoint hv_driver_endpoints[];

#endif
