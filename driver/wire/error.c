/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/error.h"

#include <stdarg.h>
#include <stdlib.h>

#include "wire/text.h"

/* Bytes that are not UTF-8 become '?': names come cut ("%.64s") or out of URLs, and the sentence
 * stands in JSON. */
static void clean_utf8(char *text)
{
	for (unsigned char *at = (unsigned char *)text; *at;) {
		size_t length = *at < 0x80 ? 1 : *at < 0xe0 ? 2 : *at < 0xf0 ? 3 : 4, good = 1;

		while (good < length && (at[good] & 0xc0) == 0x80)
			good++;
		if ((*at >= 0x80 && *at < 0xc2) || *at > 0xf4 || good < length)
			*at++ = '?'; /* each continuation byte is judged alone */
		else
			at += length;
	}
}

__attribute__((format(printf, 1, 0))) static char *format_text(const char *format, va_list args)
{
	char *text = hv_text_format_list(format, args);

	if (text)
		clean_utf8(text);
	return text;
}

enum hv_code hv_fail(struct hv_error *err, enum hv_code code, const char *format, ...)
{
	va_list args;
	char *message;

	va_start(args, format); /* formatted first: the arguments may point into *err */
	message = format_text(format, args);
	va_end(args);
	hv_error_done(err);
	err->code = code;
	err->message = message;
	return code;
}

enum hv_code hv_oom(struct hv_error *err)
{
	return hv_fail(err, HV_INTERNAL, "out of memory");
}

enum hv_code hv_hint(struct hv_error *err, const char *format, ...)
{
	va_list args;
	char *hint;

	va_start(args, format);
	hint = format_text(format, args);
	va_end(args);
	free(err->hint);
	err->hint = hint;
	return err->code;
}

const char *hv_error_text(const struct hv_error *err)
{
	if (err->message)
		return err->message;
	return err->code == HV_OK ? "" : "out of memory";
}

void hv_error_done(struct hv_error *err)
{
	free(err->message);
	free(err->hint);
	*err = (struct hv_error){.code = HV_OK};
}
