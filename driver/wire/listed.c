/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/listed.h"

#include <stdlib.h>
#include <string.h>

#include "wire/json.h"

enum { IN_ARRAY = 1, IN_CONTAINER = 2, ROOM_MIN = 4096 };

struct item {
	char *id;
	char *state;
	struct hv_texts names;
	struct hv_opts labels;
};

static const struct hv_field fields[] = {
	{"Id", HV_TYPE_STRING, HV_FIELD_REQUIRED, offsetof(struct item, id)},
	{"State", HV_TYPE_STRING, 0, offsetof(struct item, state)},
	{"Names", HV_TYPE_TEXTS, 0, offsetof(struct item, names)},
	{"Labels", HV_TYPE_OPTS, 0, offsetof(struct item, labels)},
	{NULL, HV_TYPE_STRING, 0, 0},
};

#define auto_item HV_AUTO(item_done)
static void item_done(struct item *item)
{
	hv_fields_done(fields, item);
}

bool hv_listed_is_running(const struct hv_listed *listed)
{
	return strcmp(listed->state, "running") == 0 || strcmp(listed->state, "paused") == 0;
}

void hv_listed_done(struct hv_listed *listed)
{
	free(listed->id);
	free(listed->name);
	free(listed->state);
	hv_texts_done(&listed->names);
	hv_opts_done(&listed->labels);
	*listed = (struct hv_listed){0};
}

static enum hv_code fail(struct hv_listing *listing, const char *why)
{
	return hv_fail(&listing->err, HV_INTERNAL,
		"the Docker Engine's list of containers makes no sense: %s", why);
}

/* Its own name has no slash but the first; by links (--link) it has others too. */
static const char *find_name(const struct hv_texts *names)
{
	for (size_t i = 0; i < names->count; i++) {
		const char *name = names->items[i];

		name += *name == '/';
		if (*name && !strchr(name, '/'))
			return name;
	}
	return NULL;
}

static enum hv_code take_one(struct hv_listing *listing)
{
	hv_auto_error struct hv_error err = {0};
	auto_item struct item item = {0};
	hv_auto_listed struct hv_listed listed = {0};
	const char *name;

	if (hv_fields_read(listing->bytes, listing->size, fields, HV_UNKNOWN_IGNORE, &item, &err) !=
		HV_OK)
		return fail(listing, hv_error_text(&err));
	name = find_name(&item.names);
	listed.id = strdup(item.id);
	listed.name = strdup(name ? name : item.id);
	listed.state = strdup(item.state ? item.state : "");
	if (!listed.id || !listed.name || !listed.state)
		return hv_oom(&listing->err);
	listed.names = item.names;
	item.names = (struct hv_texts){0};
	listed.labels = item.labels;
	item.labels = (struct hv_opts){0};
	listing->fn(listing->context, &listed);
	return HV_OK;
}

static enum hv_code keep(struct hv_listing *listing, char byte)
{
	size_t room = listing->room ? listing->room * 2 : ROOM_MIN;
	char *grown;

	if (listing->size == HV_LISTED_MAX)
		return fail(listing, "a container is too long");
	if (listing->size == listing->room) {
		grown = realloc(listing->bytes, room);
		if (!grown)
			return hv_oom(&listing->err);
		listing->bytes = grown;
		listing->room = room;
	}
	listing->bytes[listing->size++] = byte;
	return HV_OK;
}

/* Outside of strings.  Returns false for what no list has there. */
static bool move(struct hv_listing *listing, char byte)
{
	bool is_open = byte == '[' || byte == '{', is_close = byte == ']' || byte == '}';

	if (listing->is_over || listing->depth == 0) {
		if (byte == '[' && !listing->is_over)
			listing->depth = IN_ARRAY;
		else
			return strchr(" \t\r\n", byte);
		return true;
	}
	listing->is_string = byte == '"';
	if (is_open && ++listing->depth == IN_CONTAINER)
		listing->size = 0;
	if (is_close && --listing->depth == 0)
		listing->is_over = true;
	if (listing->depth == IN_ARRAY && !is_close)
		return strchr(" \t\r\n,", byte);
	return true;
}

static void read_string(struct hv_listing *listing, char byte)
{
	if (byte == '"' && !listing->is_escaped)
		listing->is_string = false;
	listing->is_escaped = byte == '\\' && !listing->is_escaped;
}

static enum hv_code take_byte(struct hv_listing *listing, char byte)
{
	unsigned before = listing->depth;

	if (listing->is_string)
		read_string(listing, byte);
	else if (!byte || !move(listing, byte))
		return fail(listing, "it is no list of objects");
	if (listing->depth < IN_CONTAINER && before < IN_CONTAINER)
		return HV_OK;
	if (keep(listing, byte) != HV_OK)
		return listing->err.code;
	return listing->depth < IN_CONTAINER ? take_one(listing) : HV_OK;
}

enum hv_code hv_listing_feed(struct hv_listing *listing, const char *bytes, size_t size)
{
	for (size_t i = 0; i < size && listing->err.code == HV_OK; i++)
		(void)take_byte(listing, bytes[i]);
	return listing->err.code;
}

bool hv_listing_is_whole(const struct hv_listing *listing)
{
	return listing->is_over && listing->err.code == HV_OK;
}

void hv_listing_done(struct hv_listing *listing)
{
	free(listing->bytes);
	hv_error_done(&listing->err);
	*listing = (struct hv_listing){0};
}
