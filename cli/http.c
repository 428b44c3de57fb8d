/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/http.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wire/text.h"

#define auto_curl HV_AUTO(close_curl)
#define auto_headers HV_AUTO(free_headers)

struct sink {
	FILE *stream;
	size_t size;
	bool is_too_long;
};

static void close_curl(CURL **curl)
{
	curl_easy_cleanup(*curl);
}

static void free_headers(struct curl_slist **headers)
{
	curl_slist_free_all(*headers);
}

/* Less than was given makes libcurl give up. */
static size_t take_bytes(char *data, size_t unit, size_t count, void *user)
{
	struct sink *sink = user;
	size_t size = unit * count; /* unit is always 1 */

	sink->is_too_long = size > HV_ANSWER_MAX_BYTES - sink->size;
	if (sink->is_too_long)
		return 0;
	sink->size += size;
	return fwrite(data, 1, size, sink->stream);
}

/* A socket that is not set would make libcurl look for a machine of the URL's name, so every option
 * is checked. */
static CURLcode prepare(
	CURL *curl, const struct hv_request *request, const char *url, struct curl_slist *headers)
{
	const struct {
		CURLoption option;
		const char *value;
	} texts[] = {
		{CURLOPT_UNIX_SOCKET_PATH, request->socket},
		{CURLOPT_URL, url},
		{CURLOPT_PROTOCOLS_STR, "http"},
		{CURLOPT_NOPROXY, "*"},
		{CURLOPT_CUSTOMREQUEST, request->method},
		{CURLOPT_POSTFIELDS, request->body},
	};
	const struct {
		CURLoption option;
		long value;
	} numbers[] = {
		{CURLOPT_NOSIGNAL, 1},
		{CURLOPT_TIMEOUT, request->timeout_seconds},
		{CURLOPT_HTTPGET, 1},
		{CURLOPT_PATH_AS_IS, 1},
	};
	CURLcode code = curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);

	/* Numbers first: POSTFIELDS turns the GET into a request with a body. */
	for (size_t i = 0; code == CURLE_OK && i < sizeof(numbers) / sizeof(numbers[0]); i++)
		code = curl_easy_setopt(curl, numbers[i].option, numbers[i].value);
	for (size_t i = 0; code == CURLE_OK && i < sizeof(texts) / sizeof(texts[0]); i++)
		if (texts[i].value)
			code = curl_easy_setopt(curl, texts[i].option, texts[i].value);
	return code;
}

static int name_failure(CURL *curl, CURLcode code, const struct sink *sink)
{
	long os_error = 0;

	if (sink->is_too_long)
		return -EFBIG;
	switch ((int)code) {
	case CURLE_OUT_OF_MEMORY:
	case CURLE_WRITE_ERROR:
		return -ENOMEM;
	case CURLE_OPERATION_TIMEDOUT:
		return -ETIMEDOUT;
	case CURLE_COULDNT_CONNECT:
	case CURLE_COULDNT_RESOLVE_HOST:
		(void)curl_easy_getinfo(curl, CURLINFO_OS_ERRNO, &os_error);
		return os_error > 0 ? -(int)os_error : -ECONNREFUSED;
	default:
		return -EPROTO;
	}
}

static int perform(CURL *curl, struct hv_answer *ret)
{
	hv_auto_free char *bytes = NULL;
	struct sink sink = {.stream = open_memstream(&bytes, &ret->size)};
	CURLcode code;

	if (!sink.stream)
		return -ENOMEM;
	code = curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_bytes);
	if (code == CURLE_OK)
		code = curl_easy_setopt(curl, CURLOPT_WRITEDATA, &sink);
	if (code == CURLE_OK)
		code = curl_easy_perform(curl);
	if (code == CURLE_OK)
		code = curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &ret->status);
	if (fclose(sink.stream) != 0 && code == CURLE_OK)
		return -ENOMEM;
	if (code != CURLE_OK)
		return name_failure(curl, code, &sink);
	ret->bytes = bytes;
	bytes = NULL;
	return 0;
}

int hv_http_call(const struct hv_request *request, struct hv_answer *ret)
{
	auto_curl CURL *curl = curl_easy_init();
	auto_headers struct curl_slist *headers =
		curl_slist_append(NULL, "Content-Type: application/json");
	/* No name is looked up: the host is there for the Host header. */
	hv_auto_free char *url = hv_text_format("http://docker%s", request->path);

	if (!curl || !headers || !url)
		return -ENOMEM;
	/* libcurl says of such a path that it could not resolve a host. */
	if (strlen(request->socket) > HV_SOCKET_PATH_MAX_BYTES)
		return -ENAMETOOLONG;
	if (prepare(curl, request, url, headers) != CURLE_OK)
		return -ENOMEM;
	return perform(curl, ret);
}

void hv_answer_done(struct hv_answer *answer)
{
	free(answer->bytes);
	*answer = (struct hv_answer){0};
}

char *hv_url_escape(const char *text)
{
	char *escaped = curl_easy_escape(NULL, text, 0);
	char *copy = escaped ? strdup(escaped) : NULL;

	curl_free(escaped);
	return copy;
}
