/* SPDX-License-Identifier: Apache-2.0 */
/* The structs that travel between the command, the daemon's layers and the store. */
#ifndef WIRE_TYPES_H
#define WIRE_TYPES_H

#include <stdbool.h>
#include <stddef.h>

#include "wire/attachment_state.h"
#include "wire/json.h"
#include "wire/opts.h"

/* How far the making or the removing of a volume has come; the numbers are in the store. */
enum hv_phase {
	HV_VOLUME_READY,
	HV_REMOVING,        /* it does not exist any more; its data goes */
	HV_VOLUME_CREATING, /* it does not exist yet; its directories are made */
	HV_ATTACHING,       /* it exists, but only if the attachment that it comes with is made */
	HV_DAMAGED = -1,    /* only in a list of the store: its record has another number */
};

/* A defined volume.  Strings are owned. */
struct hv_volume {
	char *name;
	char *kind;       /* the word of wire/kind.h, or of a newer version */
	char *source;     /* the backing directory's absolute path on the host, no symlink in it */
	char *created_at; /* RFC 3339, UTC */
	bool read_only;   /* every use is read-only */
	enum hv_phase phase;
	unsigned missing; /* how many directories at the end of source were to be made for it */
	unsigned long long made_dev; /* of the last of those, once it is made; makedev() */
	unsigned long long made_ino; /* 0: it was not */
	struct hv_opts opts;         /* as given at create, and changed since */
};

enum { HV_LATE_UNKNOWN = -1 };

/* Of leases. */
enum {
	HV_GRACE_UNSAID = -1,
	HV_GRACE_SECONDS = 10 * 60, /* unless it is said */
	HV_LEASE_MAX_SECONDS = 10 * 365 * 24 * 60 * 60,
};

/* An attachment: a volume in a running container, as the API shows it. */
struct hv_attachment {
	char *id;     /* 12 hex digits */
	char *volume; /* its name, or the path of a directory of the host */
	char *source;
	char *subpath;
	char *container_id;
	char *container_name;
	char *driver; /* of a volume that is not hostvol's; NULL: it is, or is a directory */
	char *target; /* as asked for, cleaned */
	bool read_only;
	bool no_suid;
	bool no_dev;
	bool no_exec;
	bool persist;
	bool required;  /* the container does not start without it */
	bool follow;    /* it becomes what its path leads to later */
	bool is_slave;  /* mounts that the host makes below its source later appear in it */
	bool is_mapped; /* owners are those of the container's user namespace */
	char *as;       /* the owner that the volume's directory appears to have (wire/as.h); NULL:
			 * its own */
	char *rule;     /* the ID of the rule that it is of; NULL: of none */
	enum hv_attachment_state state;
	char *since;             /* RFC 3339, UTC */
	char *until;             /* the end of its lease, RFC 3339, UTC; NULL: it has none */
	long long grace_seconds; /* how long it may be used after that; HV_GRACE_UNSAID: no lease */
	char *problem;           /* a sentence, or NULL */
	/* How many milliseconds after its container's program began, at the last start, it was
	 * attached; 0: before that; HV_LATE_UNKNOWN: attached by hand since, or not yet. */
	long long late_ms;
	struct hv_texts warnings; /* in the answer to an attach: all that it hides or moves */
};

struct hv_attach_request {
	char *volume;          /* NULL: a path of the host */
	struct hv_opts source; /* {"Volume": NAME} or {"Path": PATH}, in place of `volume` */
	const char *path;      /* no field: borrowed from `source`; NULL: a volume */
	bool make_source;      /* make the missing parts of the path, or of the subpath */
	char *container;
	char *selector;             /* instead: a rule (wire/selector.h) */
	char *id;                   /* of the rule: 12 hex digits; absent: a new one */
	struct hv_opts volume_opts; /* define the volume with these if it does not exist */
	char *target;
	char *subpath;
	bool read_only;
	enum hv_tristate no_suid;
	bool no_dev;
	bool no_exec;
	char *id_map;      /* "auto", "always", "never" */
	char *as;          /* UID[:GID]; absent: as the volume says */
	char *propagation; /* "private" (also "" or absent), "slave" */
	char *replace;     /* "" or absent: no; "true": atomically; "nonatomic" */
	bool mkdir;
	bool persist;
	bool required;
	bool follow;
	long long lease_seconds; /* 0: it lasts */
	long long grace_seconds; /* HV_GRACE_UNSAID: HV_GRACE_SECONDS, if there is a lease */
	bool each;               /* with a selector: also if a container refuses */
	/* No fields. */
	bool from_volume_option;  /* of the volume's own option attach, and ends with the volume */
	const char *rule;         /* the ID of the rule that it is made for; NULL: for none */
	const char *created_name; /* of the container, given by its ID, that was just created and
				   * does not run: the Engine is not asked; NULL: it is */
};

/* The defaults of a request. */
#define HV_ATTACH_REQUEST_INIT                                                                     \
	((struct hv_attach_request){.no_suid = HV_UNSET,                                           \
		.mkdir = true,                                                                     \
		.persist = true,                                                                   \
		.grace_seconds = HV_GRACE_UNSAID})

/* A rule: an attachment that is wanted in all containers which a selector selects, as the API shows
 * it, with the options of its request. */
struct hv_rule {
	char *id; /* 12 hex digits */
	char *volume;
	char *selector; /* wire/selector.h */
	char *target;
	char *subpath;
	bool read_only;
	enum hv_tristate no_suid;
	bool no_dev;
	bool no_exec;
	bool required;
	bool follow;
	char *as;
	char *propagation; /* as in the request */
	char *since;       /* RFC 3339, UTC */
	/* How many containers. */
	long long attached;
	long long pending;
	long long failed;
	long long skipped; /* something else is wanted at the target there */
	char *problem;     /* it attaches to nothing new, and why it has not ended */
};

/* One thing that /HotCheck looked at. */
struct hv_check {
	char *name;
	bool ok;
	char *detail;
};

struct hv_detach_request {
	char *id;
	char *container;
	char *target;
	char *selector; /* instead of the container: a rule */
	long long wait_seconds;
	bool lazy;
	const char *of_rule; /* no field: the rule of this ID ends; borrowed */
};

struct hv_list_request {
	char *volume;
	char *container;
};

/* A change of an attachment, with its names then.  Strings are owned. */
struct hv_attachment_event {
	long long seq; /* 1 and up; each later one has a higher number */
	char *time;    /* RFC 3339, UTC, nanoseconds */
	char *action;  /* the word of wire/action.h, or of a newer version */
	char *volume;
	char *container_id;
	char *container_name;
	char *target;
	char *id;     /* the attachment's */
	char *detail; /* a sentence, or "" */
};

/* Oldest first. */
struct hv_events {
	struct hv_attachment_event *items;
	size_t count;
	long long last; /* the number of the newest event there is, listed or not; 0: none */
};

struct hv_events_request {
	char *since; /* RFC 3339; NULL: from the first that is kept */
	char *until;
	long long after; /* those with a higher number; negative: from now on */
	long long limit; /* 0: as many as are kept */
	long long wait_seconds;
};

struct hv_set_request {
	char *volume;
	struct hv_opts opts; /* an empty value takes the option away */
};

/* Any VolumeDriver request. */
struct hv_driver_request {
	char *name;
	char *id;
	struct hv_opts opts;
};

extern const struct hv_field hv_attachment_fields[];
extern const struct hv_field hv_attach_request_fields[];
extern const struct hv_field hv_rule_fields[];
extern const struct hv_field hv_check_fields[];
extern const struct hv_field hv_detach_request_fields[];
extern const struct hv_field hv_list_request_fields[];
extern const struct hv_field hv_attachment_event_fields[];
extern const struct hv_field hv_events_request_fields[];
extern const struct hv_field hv_set_request_fields[];
extern const struct hv_field hv_driver_request_fields[];

/* Read a request to attach, and which source it names: then either `volume` or `path` is set. `ret`
 * has its defaults; the caller frees it with hv_attach_request_done() whatever is returned.
 * Returns HV_OK or HV_BAD_REQUEST. */
enum hv_code hv_attach_request_read(const char *bytes, size_t size, struct hv_attach_request *ret,
	struct hv_error *err) __attribute__((nonnull(3, 4), warn_unused_result));

/* Free what was read into a request; the strings of one that was written may be borrowed. */
#define HV_REQUEST_DONE(type)                                                                      \
	static inline void type##_done(struct type *request)                                       \
	{                                                                                          \
		hv_fields_done(type##_fields, request);                                            \
	}
HV_REQUEST_DONE(hv_attach_request)
HV_REQUEST_DONE(hv_detach_request)
HV_REQUEST_DONE(hv_list_request)
HV_REQUEST_DONE(hv_events_request)
HV_REQUEST_DONE(hv_set_request)
HV_REQUEST_DONE(hv_driver_request)
#undef HV_REQUEST_DONE
#define hv_auto_attach_request HV_AUTO(hv_attach_request_done)
#define hv_auto_events_request HV_AUTO(hv_events_request_done)
#define hv_auto_detach_request HV_AUTO(hv_detach_request_done)
#define hv_auto_list_request HV_AUTO(hv_list_request_done)
#define hv_auto_set_request HV_AUTO(hv_set_request_done)
#define hv_auto_driver_request HV_AUTO(hv_driver_request_done)

/* Free what the struct owns and make it empty. */
void hv_volume_done(struct hv_volume *volume) __attribute__((nonnull));
#define hv_auto_volume HV_AUTO(hv_volume_done)
void hv_attachment_done(struct hv_attachment *attachment) __attribute__((nonnull));
#define hv_auto_attachment HV_AUTO(hv_attachment_done)
void hv_events_done(struct hv_events *events) __attribute__((nonnull));
#define hv_auto_events HV_AUTO(hv_events_done)
void hv_rule_done(struct hv_rule *rule) __attribute__((nonnull));
#define hv_auto_rule HV_AUTO(hv_rule_done)

#endif
