/* SPDX-License-Identifier: Apache-2.0 */
/* An attach on its way, at any stage. */
#include "attach.h"

const struct mc_attach_info *mc_attach_info(const struct mc_attach *attach)
{
	return &attach->info;
}

void mc_attach_free(struct mc_attach *attach)
{
	if (!attach)
		return;
	mc_table_put(attach->core, attach->job.table);
	mc_job_free(attach, sizeof(*attach));
}
