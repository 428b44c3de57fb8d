#include <json-c/json.h>

#include "cli/attachment.h"
#include "cli/cleanup.h"
#include "cli/command.h"
#include "cli/place.h"

#define auto_place HV_AUTO(hv_place_done)

static const struct hv_flag flags[] = {
	HV_FLAG("ro", 0, NULL, "Read-only, as :ro", read_only),
	HV_FLAG("read-only", 0, NULL, NULL, read_only),
	HV_FLAG("nosuid", 0, NULL, "Ignore set-user-ID bits in the volume", no_suid),
	HV_FLAG("nodev", 0, NULL, "No device nodes in the volume", no_dev),
	HV_FLAG("noexec", 0, NULL, "Run no programs from the volume", no_exec),
	HV_FLAG("no-mkdir", 0, NULL, "Refuse when the target does not exist", no_mkdir),
	HV_FLAG("target", 0, "PATH", "The target, when CONTAINER stands alone", target),
	HV_FLAG_HELP,
	HV_FLAGS_END,
};

/* Borrows from its arguments. */
static enum hv_code build(const struct hv_run *run, const struct hv_place *place,
	struct json_object **ret_body, struct hv_error *err)
{
	struct hv_attach_request request = {
		.volume = (char *)(uintptr_t)run->operands.items[0],
		.container = place->container,
		.target = place->target,
		.no_suid = run->options.no_suid,
		.no_dev = run->options.no_dev,
		.no_exec = run->options.no_exec,
		.mkdir = !run->options.no_mkdir,
		.persist = true,
	};
	enum hv_code code =
		hv_place_read_only(place, run->options.read_only, &request.read_only, err);

	if (code != HV_OK)
		return code;
	*ret_body = hv_attach_body(&request);
	return *ret_body ? HV_OK : hv_fail(err, HV_INTERNAL, "out of memory");
}

static enum hv_exit attach(const struct hv_run *run, struct hv_error *err)
{
	auto_place struct hv_place place = {0};
	hv_auto_json struct json_object *body = NULL;
	hv_auto_json struct json_object *answer = NULL;
	enum hv_code code =
		hv_place_parse(run->operands.items[1], run->options.target, &place, err);

	if (code == HV_OK && !run->options.target)
		code = hv_place_mode_parse(&place, err);
	if (code == HV_OK)
		code = build(run, &place, &body, err);
	if (code != HV_OK)
		return code == HV_BAD_REQUEST ? HV_EXIT_USAGE : HV_EXIT_FAILED;
	code = hv_daemon_ask(&run->globals, &run->environment,
		&(struct hv_call){"/HotAttach", body, 0}, &answer, err);
	if (code == HV_OK)
		code = hv_attachment_print(answer, err);
	return code == HV_OK ? HV_EXIT_DONE : HV_EXIT_FAILED;
}

const struct hv_command hv_cmd_attach = {
	.name = "attach",
	.summary = "Put a volume into a running container",
	.usage = "VOLUME CONTAINER:TARGET[:ro|:rw]",
	.notes =
		"TARGET is an absolute path in the container. One that contains :ro or the like at its\n"
		"end is written with --target.",
	.flags = flags,
	.operands_min = 2,
	.operands_max = 2,
	.run = attach,
};
