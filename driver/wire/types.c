/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/types.h"

#include <stdlib.h>
#include <string.h>

#define FIELD(structure, member, name, type, flags)                                                \
	{                                                                                          \
		name, type, flags, offsetof(struct structure, member)                              \
	}
#define END                                                                                        \
	{                                                                                          \
		NULL, HV_TYPE_STRING, 0, 0                                                         \
	}

const struct hv_field hv_attachment_fields[] = {
	FIELD(hv_attachment, id, "ID", HV_TYPE_STRING, 0),
	FIELD(hv_attachment, volume, "Volume", HV_TYPE_STRING, 0),
	FIELD(hv_attachment, driver, "Driver", HV_TYPE_STRING, HV_FIELD_OPTIONAL),
	FIELD(hv_attachment, source, "Source", HV_TYPE_STRING, 0),
	FIELD(hv_attachment, subpath, "Subpath", HV_TYPE_STRING, HV_FIELD_OPTIONAL),
	FIELD(hv_attachment, container_id, "ContainerID", HV_TYPE_STRING, 0),
	FIELD(hv_attachment, container_name, "ContainerName", HV_TYPE_STRING, 0),
	FIELD(hv_attachment, target, "Target", HV_TYPE_STRING, 0),
	FIELD(hv_attachment, read_only, "ReadOnly", HV_TYPE_BOOL, 0),
	FIELD(hv_attachment, no_suid, "NoSuid", HV_TYPE_BOOL, 0),
	FIELD(hv_attachment, no_dev, "NoDev", HV_TYPE_BOOL, 0),
	FIELD(hv_attachment, no_exec, "NoExec", HV_TYPE_BOOL, 0),
	FIELD(hv_attachment, persist, "Persist", HV_TYPE_BOOL, 0),
	FIELD(hv_attachment, required, "Required", HV_TYPE_BOOL, 0),
	FIELD(hv_attachment, follow, "Follow", HV_TYPE_BOOL, 0),
	FIELD(hv_attachment, is_slave, "Propagation", HV_TYPE_PROPAGATION, 0),
	FIELD(hv_attachment, is_mapped, "IDMapped", HV_TYPE_BOOL, 0),
	FIELD(hv_attachment, as, "As", HV_TYPE_STRING, HV_FIELD_OPTIONAL),
	FIELD(hv_attachment, rule, "Rule", HV_TYPE_STRING, HV_FIELD_OPTIONAL),
	FIELD(hv_attachment, state, "State", HV_TYPE_STATE, 0),
	FIELD(hv_attachment, since, "Since", HV_TYPE_STRING, 0),
	FIELD(hv_attachment, until, "Until", HV_TYPE_STRING, HV_FIELD_OPTIONAL),
	FIELD(hv_attachment, grace_seconds, "Grace", HV_TYPE_INT, HV_FIELD_UNKNOWN),
	FIELD(hv_attachment, late_ms, "Late", HV_TYPE_INT, HV_FIELD_UNKNOWN),
	FIELD(hv_attachment, problem, "Problem", HV_TYPE_STRING, HV_FIELD_OPTIONAL),
	FIELD(hv_attachment, warnings, "Warnings", HV_TYPE_TEXTS, HV_FIELD_OPTIONAL),
	END,
};

const struct hv_field hv_attach_request_fields[] = {
	FIELD(hv_attach_request, volume, "Volume", HV_TYPE_STRING, HV_FIELD_OPTIONAL),
	FIELD(hv_attach_request, source, "Source", HV_TYPE_OPTS, HV_FIELD_OPTIONAL),
	FIELD(hv_attach_request, make_source, "MakeSource", HV_TYPE_BOOL, HV_FIELD_OPTIONAL),
	FIELD(hv_attach_request, container, "Container", HV_TYPE_STRING, HV_FIELD_OPTIONAL),
	FIELD(hv_attach_request, selector, "Selector", HV_TYPE_STRING, HV_FIELD_OPTIONAL),
	FIELD(hv_attach_request, id, "ID", HV_TYPE_STRING, HV_FIELD_OPTIONAL),
	FIELD(hv_attach_request, volume_opts, "VolumeOpts", HV_TYPE_OPTS, HV_FIELD_OPTIONAL),
	FIELD(hv_attach_request, target, "Target", HV_TYPE_STRING, HV_FIELD_REQUIRED),
	FIELD(hv_attach_request, subpath, "Subpath", HV_TYPE_STRING, HV_FIELD_OPTIONAL),
	FIELD(hv_attach_request, read_only, "ReadOnly", HV_TYPE_BOOL, HV_FIELD_OPTIONAL),
	FIELD(hv_attach_request, no_suid, "NoSuid", HV_TYPE_TRISTATE, 0),
	FIELD(hv_attach_request, no_dev, "NoDev", HV_TYPE_BOOL, HV_FIELD_OPTIONAL),
	FIELD(hv_attach_request, no_exec, "NoExec", HV_TYPE_BOOL, HV_FIELD_OPTIONAL),
	FIELD(hv_attach_request, id_map, "IDMap", HV_TYPE_STRING, HV_FIELD_OPTIONAL),
	FIELD(hv_attach_request, as, "As", HV_TYPE_STRING, HV_FIELD_OPTIONAL),
	FIELD(hv_attach_request, propagation, "Propagation", HV_TYPE_STRING, HV_FIELD_OPTIONAL),
	FIELD(hv_attach_request, replace, "Replace", HV_TYPE_STRING,
		HV_FIELD_OPTIONAL | HV_FIELD_OR_BOOL),
	FIELD(hv_attach_request, mkdir, "Mkdir", HV_TYPE_BOOL, 0),
	FIELD(hv_attach_request, persist, "Persist", HV_TYPE_BOOL, 0),
	FIELD(hv_attach_request, required, "Required", HV_TYPE_BOOL, HV_FIELD_OPTIONAL),
	FIELD(hv_attach_request, follow, "Follow", HV_TYPE_BOOL, HV_FIELD_OPTIONAL),
	FIELD(hv_attach_request, lease_seconds, "For", HV_TYPE_INT, HV_FIELD_OPTIONAL),
	FIELD(hv_attach_request, grace_seconds, "Grace", HV_TYPE_INT, HV_FIELD_UNKNOWN),
	FIELD(hv_attach_request, each, "Each", HV_TYPE_BOOL, HV_FIELD_OPTIONAL),
	END,
};

const struct hv_field hv_rule_fields[] = {
	FIELD(hv_rule, id, "ID", HV_TYPE_STRING, 0),
	FIELD(hv_rule, volume, "Volume", HV_TYPE_STRING, 0),
	FIELD(hv_rule, selector, "Selector", HV_TYPE_STRING, 0),
	FIELD(hv_rule, target, "Target", HV_TYPE_STRING, 0),
	FIELD(hv_rule, subpath, "Subpath", HV_TYPE_STRING, HV_FIELD_OPTIONAL),
	FIELD(hv_rule, read_only, "ReadOnly", HV_TYPE_BOOL, HV_FIELD_OPTIONAL),
	FIELD(hv_rule, no_suid, "NoSuid", HV_TYPE_TRISTATE, 0),
	FIELD(hv_rule, no_dev, "NoDev", HV_TYPE_BOOL, HV_FIELD_OPTIONAL),
	FIELD(hv_rule, no_exec, "NoExec", HV_TYPE_BOOL, HV_FIELD_OPTIONAL),
	FIELD(hv_rule, required, "Required", HV_TYPE_BOOL, HV_FIELD_OPTIONAL),
	FIELD(hv_rule, follow, "Follow", HV_TYPE_BOOL, HV_FIELD_OPTIONAL),
	FIELD(hv_rule, as, "As", HV_TYPE_STRING, HV_FIELD_OPTIONAL),
	FIELD(hv_rule, propagation, "Propagation", HV_TYPE_STRING, HV_FIELD_OPTIONAL),
	FIELD(hv_rule, since, "Since", HV_TYPE_STRING, 0),
	FIELD(hv_rule, attached, "Attached", HV_TYPE_INT, 0),
	FIELD(hv_rule, pending, "Pending", HV_TYPE_INT, 0),
	FIELD(hv_rule, failed, "Failed", HV_TYPE_INT, 0),
	FIELD(hv_rule, skipped, "Skipped", HV_TYPE_INT, 0),
	FIELD(hv_rule, problem, "Problem", HV_TYPE_STRING, HV_FIELD_OPTIONAL),
	END,
};

const struct hv_field hv_check_fields[] = {
	FIELD(hv_check, name, "Name", HV_TYPE_STRING, 0),
	FIELD(hv_check, ok, "OK", HV_TYPE_BOOL, 0),
	FIELD(hv_check, detail, "Detail", HV_TYPE_STRING, 0),
	END,
};

const struct hv_field hv_detach_request_fields[] = {
	FIELD(hv_detach_request, id, "ID", HV_TYPE_STRING, HV_FIELD_OPTIONAL),
	FIELD(hv_detach_request, container, "Container", HV_TYPE_STRING, HV_FIELD_OPTIONAL),
	FIELD(hv_detach_request, selector, "Selector", HV_TYPE_STRING, HV_FIELD_OPTIONAL),
	FIELD(hv_detach_request, target, "Target", HV_TYPE_STRING, HV_FIELD_OPTIONAL),
	FIELD(hv_detach_request, wait_seconds, "WaitSeconds", HV_TYPE_INT, HV_FIELD_OPTIONAL),
	FIELD(hv_detach_request, lazy, "Lazy", HV_TYPE_BOOL, HV_FIELD_OPTIONAL),
	END,
};

const struct hv_field hv_list_request_fields[] = {
	FIELD(hv_list_request, volume, "Volume", HV_TYPE_STRING, HV_FIELD_OPTIONAL),
	FIELD(hv_list_request, container, "Container", HV_TYPE_STRING, HV_FIELD_OPTIONAL),
	END,
};

const struct hv_field hv_attachment_event_fields[] = {
	FIELD(hv_attachment_event, seq, "Seq", HV_TYPE_INT, 0),
	FIELD(hv_attachment_event, time, "Time", HV_TYPE_STRING, 0),
	FIELD(hv_attachment_event, action, "Action", HV_TYPE_STRING, 0),
	FIELD(hv_attachment_event, volume, "Volume", HV_TYPE_STRING, 0),
	FIELD(hv_attachment_event, container_id, "ContainerID", HV_TYPE_STRING, 0),
	FIELD(hv_attachment_event, container_name, "ContainerName", HV_TYPE_STRING, 0),
	FIELD(hv_attachment_event, target, "Target", HV_TYPE_STRING, 0),
	FIELD(hv_attachment_event, id, "ID", HV_TYPE_STRING, 0),
	FIELD(hv_attachment_event, detail, "Detail", HV_TYPE_STRING, HV_FIELD_OPTIONAL),
	END,
};

const struct hv_field hv_events_request_fields[] = {
	FIELD(hv_events_request, since, "Since", HV_TYPE_STRING, HV_FIELD_OPTIONAL),
	FIELD(hv_events_request, until, "Until", HV_TYPE_STRING, HV_FIELD_OPTIONAL),
	FIELD(hv_events_request, after, "After", HV_TYPE_INT, HV_FIELD_OPTIONAL),
	FIELD(hv_events_request, limit, "Limit", HV_TYPE_INT, HV_FIELD_OPTIONAL),
	FIELD(hv_events_request, wait_seconds, "WaitSeconds", HV_TYPE_INT, HV_FIELD_OPTIONAL),
	END,
};

const struct hv_field hv_set_request_fields[] = {
	FIELD(hv_set_request, volume, "Volume", HV_TYPE_STRING, HV_FIELD_REQUIRED),
	FIELD(hv_set_request, opts, "Opts", HV_TYPE_OPTS, 0),
	END,
};

const struct hv_field hv_driver_request_fields[] = {
	FIELD(hv_driver_request, name, "Name", HV_TYPE_STRING, HV_FIELD_REQUIRED),
	FIELD(hv_driver_request, id, "ID", HV_TYPE_STRING, HV_FIELD_OPTIONAL),
	FIELD(hv_driver_request, opts, "Opts", HV_TYPE_OPTS, HV_FIELD_OPTIONAL),
	END,
};

static enum hv_code read_source(struct hv_attach_request *ret, struct hv_error *err)
{
	const struct hv_opt *only = ret->source.items;

	if (ret->source.count != 1 ||
		(strcmp(only->key, "Volume") != 0 && strcmp(only->key, "Path") != 0))
		return hv_fail(err, HV_BAD_REQUEST,
			"\"Source\" must have \"Volume\" or \"Path\", and nothing else");
	if (!*only->value)
		return hv_fail(err, HV_BAD_REQUEST, "\"%s\" is empty", only->key);
	if (only->key[0] == 'P') {
		ret->path = only->value;
		return HV_OK;
	}
	ret->volume = strdup(only->value);
	return ret->volume ? HV_OK : hv_oom(err);
}

enum hv_code hv_attach_request_read(
	const char *bytes, size_t size, struct hv_attach_request *ret, struct hv_error *err)
{
	if (hv_fields_read(bytes, size, hv_attach_request_fields, HV_UNKNOWN_REFUSE, ret, err) !=
		HV_OK)
		return err->code;
	if (ret->volume && !*ret->volume)
		return hv_fail(err, HV_BAD_REQUEST, "\"Volume\" is empty");
	if (ret->volume && ret->source.count > 0)
		return hv_fail(err, HV_BAD_REQUEST, "\"Volume\" goes without \"Source\"");
	if (ret->source.count > 0)
		return read_source(ret, err);
	return ret->volume ? HV_OK : hv_fail(err, HV_BAD_REQUEST, "\"Volume\" is missing");
}

void hv_volume_done(struct hv_volume *volume)
{
	free(volume->name);
	free(volume->kind);
	free(volume->source);
	free(volume->created_at);
	hv_opts_done(&volume->opts);
	*volume = (struct hv_volume){0};
}

void hv_events_done(struct hv_events *events)
{
	for (size_t i = 0; i < events->count; i++)
		hv_fields_done(hv_attachment_event_fields, &events->items[i]);
	free(events->items);
	*events = (struct hv_events){0};
}

void hv_rule_done(struct hv_rule *rule)
{
	hv_fields_done(hv_rule_fields, rule);
}

void hv_attachment_done(struct hv_attachment *attachment)
{
	hv_fields_done(hv_attachment_fields, attachment);
}
