/* SPDX-License-Identifier: Apache-2.0 */
#include "silent.h"

#include "core.h"
#include "sys.h"

#define SILENT_NS (10 * UINT64_C(1000000000))

bool mc_silent_has(struct mc_core *core, uint64_t waits_for)
{
	mc_auto_lock lock = mc_lock(&core->lock);
	const uint64_t now = mc_clock_ns();

	for (unsigned i = 0; i < MC_SILENT_MAX; i++)
		if (core->silent[i].waits_for == waits_for && core->silent[i].until_ns > now)
			return true;
	return false;
}

void mc_silent_note(struct mc_core *core, uint64_t waits_for)
{
	mc_auto_lock lock = mc_lock(&core->lock);

	core->silent[core->next_silent++ % MC_SILENT_MAX] =
		(struct mc_silent){waits_for, mc_clock_ns() + SILENT_NS};
}
