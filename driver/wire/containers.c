/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/containers.h"

#include <stdio.h>
#include <string.h>

enum { IN_ARRAY = 1, IN_CONTAINER = 2 };

/* A string of the container itself has ended. */
static void take_string(struct hv_containers *list)
{
	if (!list->is_value)
		snprintf(list->key, sizeof(list->key), "%.15s", list->text);
	else if (strcmp(list->key, "Id") == 0)
		memcpy(list->id, list->text, sizeof(list->id));
	else if (strcmp(list->key, "State") == 0)
		snprintf(list->state, sizeof(list->state), "%.15s", list->text);
}

static void read_string(struct hv_containers *list, char byte)
{
	bool is_end = byte == '"' && !list->is_escaped;

	list->is_escaped = byte == '\\' && !list->is_escaped;
	if (is_end) {
		list->is_string = false;
		if (list->depth == IN_CONTAINER)
			take_string(list);
	} else if (list->size < sizeof(list->text) - 1) {
		list->text[list->size++] = byte;
		list->text[list->size] = '\0';
	}
}

/* A paused container runs. */
static bool is_running(const struct hv_containers *list)
{
	return strcmp(list->state, "running") == 0 || strcmp(list->state, "paused") == 0;
}

static void end_one(struct hv_containers *list)
{
	if (list->depth == 0) {
		list->is_garbage = true;
		return;
	}
	list->depth--;
	list->is_over = list->depth == 0;
	if (list->depth != IN_ARRAY)
		return;
	if (list->id[0])
		list->fn(list->context, list->id, is_running(list));
	list->id[0] = list->state[0] = list->key[0] = '\0';
}

static void read_byte(struct hv_containers *list, char byte)
{
	switch (byte) {
	case '"':
		list->is_string = true;
		list->size = 0;
		list->text[0] = '\0';
		break;
	case '[':
	case '{':
		list->is_garbage |= list->depth == 0 && (byte != '[' || list->is_over);
		list->depth++;
		list->is_value = false;
		break;
	case ']':
	case '}':
		end_one(list);
		break;
	case ':':
		list->is_value = list->depth == IN_CONTAINER;
		break;
	case ',':
		list->is_value = false;
		break;
	default:
		break;
	}
}

void hv_containers_feed(struct hv_containers *list, const char *bytes, size_t size)
{
	for (size_t i = 0; i < size && !list->is_garbage; i++) {
		if (list->is_string)
			read_string(list, bytes[i]);
		else
			read_byte(list, bytes[i]);
	}
}

bool hv_containers_are_whole(const struct hv_containers *list)
{
	return list->is_over && !list->is_garbage;
}
