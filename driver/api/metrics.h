/* SPDX-License-Identifier: Apache-2.0 */
/* /metrics: the state and the counters of the daemon in the text format of Prometheus. */
#ifndef API_METRICS_H
#define API_METRICS_H

#include "endpoint.h"

extern const struct hv_endpoint hv_metrics_endpoints[];

/* The text, owned by the caller; NULL on ENOMEM.  Waits for nothing but the store's lock. */
char *hv_metrics_format(struct hv_api *api);

#endif
