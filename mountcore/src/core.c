/* SPDX-License-Identifier: Apache-2.0 */
/* The properties of a core. */
#include "core.h"

unsigned mc_core_features(const struct mc_core *core)
{
	return core->features;
}

const char *mc_core_engine(const struct mc_core *core)
{
	const unsigned all = MC_FEATURE_OPENAT2 | MC_FEATURE_MOUNT_SETATTR | MC_FEATURE_MOUNT_ID;

	if (!(core->features & MC_FEATURE_OPEN_TREE))
		return core->legacy ? "block-device" : "none";
	return (core->features & all) == all ? "mount-api" : "mount-api-compat";
}

const char *mc_feature_name(unsigned feature)
{
	/* In the order of the bits. */
	static const char *const names[] = {"open_tree", "openat2", "mount_setattr", "statmount",
		"unique_mount_id", "mount_id", "resolve_cached", "mount_watch", "statmount_ns",
		"open_tree_attr"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (feature == 1U << i)
			return names[i];
	return NULL;
}

unsigned mc_core_timings(struct mc_core *core, uint64_t *ret, unsigned size)
{
	mc_auto_lock lock = mc_lock(&core->lock);
	unsigned count = 0;

	if (core->timing_count < size)
		size = (unsigned)core->timing_count;
	if (size > MC_TIMINGS_MAX)
		size = MC_TIMINGS_MAX;
	for (uint64_t at = core->timing_count - size; count < size; at++)
		ret[count++] = core->timings[at % MC_TIMINGS_MAX];
	return count;
}
