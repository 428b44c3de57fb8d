/* SPDX-License-Identifier: Apache-2.0 */
#include <json-c/json.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "wire/types.h"

#include "cli/command.h"
#include "cli/keyvalue.h"
#include "cli/output.h"

static const struct hv_flag flags[] = {HV_FLAGS_HELP};

static const char hint[] =
	"write KEY=VALUE, such as ro=true; leave the value empty to remove the option: uid=";

static enum hv_exit set(const struct hv_invocation *run, struct hv_error *err)
{
	const char *const *words = run->operands.items;
	hv_auto_opts struct hv_opts opts = {0};
	hv_auto_json struct json_object *answer = NULL;
	struct hv_set_request request; /* borrows */

	for (size_t i = 1; i < run->operands.count; i++)
		if (hv_keyvalue_add(words[i], hint, &opts, err) != HV_OK)
			return err->code == HV_BAD_REQUEST ? HV_EXIT_USAGE : HV_EXIT_FAILED;
	request = (struct hv_set_request){.volume = (char *)(uintptr_t)words[0], .opts = opts};
	if (hv_invocation_ask(run, "/HotSet", hv_set_request_fields, &request, &answer, err) !=
		HV_OK)
		return HV_EXIT_FAILED;
	printf("%s\n", words[0]);
	return HV_EXIT_DONE;
}

const struct hv_command hv_cmd_set = {
	.name = "set",
	.summary = "Change options of a volume; its data stays",
	.usage = "VOLUME KEY=VALUE [KEY=VALUE...]",
	.notes =
		"KEY is uid, gid, mode, as, ro, require-mount, size or on-remove; KEY= without a value takes the option away.",
	.flags = flags,
	.operands_min = 2,
	.operands_max = HV_OPERANDS_MAX,
	.run = set,
};
