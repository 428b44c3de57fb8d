/* SPDX-License-Identifier: Apache-2.0 */
/* The image of keepers (wire/keeper.h): one program, which is in this one. */
#include <stdint.h>
#include <stdio.h>

#include "engine/engine.h"
#include "wire/cleanup.h"
#include "wire/keeper.h"
#include "wire/tar.h"

#include "client.h"

/* driver/keeper/keep.c, as it was built. */
__asm__(".pushsection .rodata\n"
	".balign 4\n"
	".globl hv_keep_program, hv_keep_program_size\n"
	".hidden hv_keep_program, hv_keep_program_size\n"
	"hv_keep_program_size: .long 2f - 1f\n"
	"hv_keep_program:\n"
	"1: .incbin \"" HV_KEEP_PROGRAM "\"\n"
	"2:\n"
	".popsection\n");
extern const uint32_t hv_keep_program_size;
extern const char hv_keep_program[];

#define IMAGES "http://docker/images/"
#define IMPORT IMAGES "create?fromSrc=-&repo=" HV_KEEPER_IMAGE_NAME "&tag=" HV_KEEPER_IMAGE_TAG

static enum hv_code fail(const char *what, const struct hv_answer *answer, struct hv_error *err)
{
	hv_auto_free char *message = hv_engine_message_parse(hv_answer_text(answer), answer->size);

	return hv_fail(err, HV_INTERNAL,
		"the Docker Engine cannot %s the image " HV_KEEPER_IMAGE ": %s (HTTP %ld)", what,
		message ? message : "no reason given", answer->status);
}

static enum hv_code find(
	struct hv_engine *engine, long timeout_ms, struct hv_answer *ret, struct hv_error *err)
{
	return hv_engine_get(engine, IMAGES HV_KEEPER_IMAGE "/json", timeout_ms, ret, err);
}

static enum hv_code import(struct hv_engine *engine, long timeout_ms, struct hv_error *err)
{
	hv_auto_answer struct hv_answer answer = {0};
	hv_auto_free char *archive = NULL;
	struct hv_engine_request request = {.url = IMPORT,
		.is_post = true,
		.header = "Content-Type: application/x-tar",
		.timeout_ms = timeout_ms,
		.take = hv_engine_take,
		.context = &answer};

	if (hv_tar_format(HV_KEEPER_PROGRAM, hv_keep_program, hv_keep_program_size, &archive,
		    &request.body_size) < 0)
		return hv_oom(err);
	request.body = archive;
	if (hv_engine_perform(engine, &request, &answer.status, err) != HV_OK)
		return err->code;
	return answer.status == 200 ? HV_OK : fail("import", &answer, err);
}

enum hv_code hv_engine_keeper_image_import(
	struct hv_engine *engine, long timeout_ms, struct hv_error *err)
{
	hv_auto_answer struct hv_answer before = {0}, after = {0};

	if (find(engine, timeout_ms, &before, err) != HV_OK)
		return err->code;
	if (before.status == 200)
		return HV_OK;
	/* The answer is 200 before the import is done: a failure is not in its status. */
	if (import(engine, timeout_ms, err) != HV_OK ||
		find(engine, timeout_ms, &after, err) != HV_OK)
		return err->code;
	return after.status == 200 ? HV_OK : fail("import", &after, err);
}

void hv_engine_keeper_image_remove(struct hv_engine *engine, long timeout_ms)
{
	hv_auto_answer struct hv_answer answer = {0};
	hv_auto_error struct hv_error ignored = {0};

	(void)!hv_engine_delete(engine, IMAGES HV_KEEPER_IMAGE, timeout_ms, &answer, &ignored);
}
