/* SPDX-License-Identifier: Apache-2.0 */
#include "attacher.h"

#include "support/hv_test.h"

struct hv_attacher *attacher_new(struct volume_fixture *world, struct hv_engine *engine)
{
	struct hv_attacher *attacher = hv_attacher_new(&(struct hv_attacher_args){
		.core = world->core,
		.engine = engine,
		.volumes = world->volumes,
	});

	assert_non_null(attacher);
	assert_int_equal(hv_attachments_recover(attacher, &world->err), HV_OK);
	return attacher;
}
