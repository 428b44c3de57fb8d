/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/text.h"

#include <stdio.h>

char *hv_text_format_list(const char *format, va_list args)
{
	char *text = NULL;

	return vasprintf(&text, format, args) < 0 ? NULL : text;
}

char *hv_text_format(const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	text = hv_text_format_list(format, args);
	va_end(args);
	return text;
}
