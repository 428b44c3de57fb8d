/* SPDX-License-Identifier: Apache-2.0 */
#include "sql.h"

/* The steps of the schema: step N makes version N + 1 of version N, in one transaction.  A released
 * step never changes: a state directory may be of any version. */
static const char *const steps[] = {
	"CREATE TABLE volume ("
	"  name TEXT PRIMARY KEY, kind TEXT NOT NULL, source TEXT NOT NULL,"
	"  created_at TEXT NOT NULL, read_only INTEGER NOT NULL, removing INTEGER NOT NULL DEFAULT 0"
	") WITHOUT ROWID;"
	"CREATE TABLE opt ("
	"  volume TEXT NOT NULL, position INTEGER NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,"
	"  PRIMARY KEY (volume, position)) WITHOUT ROWID;"
	"CREATE TABLE attachment ("
	"  id TEXT PRIMARY KEY, volume TEXT NOT NULL, source TEXT NOT NULL, subpath TEXT,"
	"  container_id TEXT NOT NULL, container_name TEXT NOT NULL, target TEXT NOT NULL,"
	"  flags INTEGER NOT NULL, since TEXT NOT NULL, is_done INTEGER NOT NULL,"
	"  pid INTEGER NOT NULL, ns_ino INTEGER NOT NULL, path TEXT NOT NULL,"
	"  mount_id INTEGER NOT NULL, mountinfo_id INTEGER NOT NULL, made TEXT NOT NULL);"
	"CREATE INDEX attachment_volume ON attachment (volume);"
	"CREATE INDEX attachment_container ON attachment (container_id);"
	"CREATE TABLE ref ("
	"  volume TEXT NOT NULL, id TEXT NOT NULL, count INTEGER NOT NULL,"
	"  PRIMARY KEY (volume, id)) WITHOUT ROWID;",
	"ALTER TABLE attachment ADD COLUMN replaces TEXT;",
	/* 256: make the target, 512: nosuid was said, 64: may map owners, where they are (32). */
	"ALTER TABLE attachment ADD COLUMN started_at TEXT;"
	"ALTER TABLE attachment ADD COLUMN state TEXT NOT NULL DEFAULT 'attached';"
	"ALTER TABLE attachment ADD COLUMN problem TEXT;"
	"ALTER TABLE attachment ADD COLUMN root_dev INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE attachment ADD COLUMN root_ino INTEGER NOT NULL DEFAULT 0;"
	"CREATE TABLE boot (id TEXT NOT NULL);"
	"UPDATE attachment SET flags = flags | 256 | 512 | (flags & 32) * 2;",
	/* enum hv_phase; 1 was "being removed" all along. */
	("ALTER TABLE volume RENAME COLUMN removing TO phase;"
	 "ALTER TABLE volume ADD COLUMN missing INTEGER NOT NULL DEFAULT 0;"),
	("ALTER TABLE volume ADD COLUMN made_dev INTEGER NOT NULL DEFAULT 0;"
	 "ALTER TABLE volume ADD COLUMN made_ino INTEGER NOT NULL DEFAULT 0;"),
	/* For the look-ups of each create and removal, among thousands. */
	("CREATE INDEX volume_unfinished ON volume (name) WHERE phase;"
	 "CREATE INDEX opt_value ON opt (key, value);"),
	"ALTER TABLE attachment ADD COLUMN engine TEXT;",
	/* Whether a file system is still in use. */
	("CREATE INDEX volume_source ON volume (source);"
	 "CREATE INDEX attachment_source ON attachment (source);"),
	"ALTER TABLE attachment ADD COLUMN late_ms INTEGER NOT NULL DEFAULT -1;",
	/* The roots of the mounts for Docker; of an older version's they are not known. */
	("CREATE TABLE mounted (volume TEXT NOT NULL, dev INTEGER NOT NULL, ino INTEGER NOT NULL);"
	 "CREATE INDEX mounted_volume ON mounted (volume);"
	 "INSERT INTO mounted SELECT name, 0, 0 FROM volume;"),
	"ALTER TABLE attachment ADD COLUMN leftovers TEXT NOT NULL DEFAULT '';",
	"CREATE TABLE root (path TEXT PRIMARY KEY) WITHOUT ROWID;",
	/* An enum hv_problem; until then only one was known, by its words. */
	("ALTER TABLE attachment ADD COLUMN problem_kind INTEGER NOT NULL DEFAULT 0;"
	 "UPDATE attachment SET problem_kind = CASE"
	 " WHEN problem LIKE 'the Docker Engine that answers at %' THEN 8 ELSE 1 END"
	 " WHERE problem IS NOT NULL;"),
	"ALTER TABLE attachment ADD COLUMN as_ids TEXT;",
	/* The lease: its end, as RFC 3339, and then how many seconds. */
	("ALTER TABLE attachment ADD COLUMN until TEXT;"
	 "ALTER TABLE attachment ADD COLUMN grace INTEGER NOT NULL DEFAULT 0;"),
	/* A ring.  The newest row is never deleted, so that its number is higher than each before.
	 */
	("CREATE TABLE event ("
	 "  seq INTEGER PRIMARY KEY, time_ns INTEGER NOT NULL, action TEXT NOT NULL,"
	 "  attachment TEXT NOT NULL, volume TEXT NOT NULL, container_id TEXT NOT NULL,"
	 "  container_name TEXT NOT NULL, target TEXT NOT NULL, detail TEXT NOT NULL);"
	 "CREATE INDEX event_attachment ON event (attachment);"),
	/* Attachments in all containers that are selected; `request` is JSON. */
	("CREATE TABLE rule (id TEXT PRIMARY KEY, selector TEXT NOT NULL, volume TEXT NOT NULL,"
	 " target TEXT NOT NULL, request TEXT NOT NULL, since TEXT NOT NULL,"
	 " is_own INTEGER NOT NULL);"
	 "CREATE INDEX rule_volume ON rule (volume);"
	 "ALTER TABLE attachment ADD COLUMN rule TEXT;"
	 "CREATE INDEX attachment_rule ON attachment (rule);"),
	"ALTER TABLE attachment ADD COLUMN former TEXT;",
};

int hv_schema_version(void)
{
	return sizeof(steps) / sizeof(steps[0]);
}

const char *hv_schema_step(int version)
{
	return steps[version];
}

#define ATTACHMENT_COLUMNS                                                                         \
	"id, volume, source, subpath, container_id, container_name, target, since, path, made,"    \
	" replaces, started_at, state, problem, engine, flags, is_done, pid, ns_ino, mount_id,"    \
	" mountinfo_id, root_dev, root_ino, late_ms, problem_kind, leftovers, as_ids, until,"      \
	" grace, rule, former"

/* With the driver of a volume that is not hostvol's, or NULL. */
#define ATTACHMENTS                                                                                \
	"SELECT " ATTACHMENT_COLUMNS                                                               \
	", (SELECT value FROM opt WHERE opt.volume = attachment.volume AND +opt.key = 'driver')"   \
	" FROM attachment"

#define RULE_COLUMNS "id, selector, volume, target, request, since, is_own"

#define VOLUME_COLUMNS                                                                             \
	"name, kind, source, created_at, read_only, phase, missing, made_dev, made_ino"

/* The volumes that exist for a caller: HV_VOLUME_READY and HV_ATTACHING. */
#define EXISTS "phase IN (0, 3)"
/* The same and the damaged ones: they are refused by name, and nothing may delete their data. */
#define MAY_EXIST "phase NOT IN (1, 2)"

/* The kinds of volumes that exist for attachments only (wire/kind.h). */
/* As is_fickle() in event.c. */
#define FICKLE "action IN ('missing', 'covered', 'uncovered')"
#define HIDDEN "kind IN ('host', 'engine')"
/* The volume of the attachment ?1, if it is one and that is its last. */
#define LENT                                                                                       \
	"name = (SELECT volume FROM attachment WHERE id = ?1) AND phase = 0 AND " HIDDEN           \
	" AND NOT EXISTS (SELECT 1 FROM attachment AS other"                                       \
	" WHERE other.volume = volume.name AND other.id <> ?1)"

/* Move the sources below ?1 to below ?2. */
#define MOVED                                                                                      \
	"?2 || substr(source, length(?1) + 1)"                                                     \
	" WHERE substr(source, 1, length(?1) + 1) = ?1 || '/'"

/* ?3: ",a,b,". */
#define OF_KINDS "instr(?3, ',' || kind || ',')"

static const char *const texts[HV_SQL_COUNT] = {
	[HV_SQL_BEGIN] = "BEGIN IMMEDIATE",
	[HV_SQL_COMMIT] = "COMMIT",
	[HV_SQL_ROLLBACK] = "ROLLBACK",
	[HV_SQL_VOLUME_ADD] = "INSERT INTO volume (" VOLUME_COLUMNS ")"
			      " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
	[HV_SQL_VOLUME_MADE] =
		"UPDATE volume SET phase = ?2, made_dev = ?3, made_ino = ?4 WHERE name = ?1",
	[HV_SQL_VOLUME_SET] = "UPDATE volume SET read_only = ?2 WHERE name = ?1",
	[HV_SQL_OPT_CLEAR] = "DELETE FROM opt WHERE volume = ?1",
	[HV_SQL_VOLUME_GET] =
		"SELECT " VOLUME_COLUMNS " FROM volume WHERE name = ?1 AND " MAY_EXIST,
	[HV_SQL_VOLUME_LIST] =
		"SELECT " VOLUME_COLUMNS " FROM volume WHERE " MAY_EXIST " ORDER BY name",
	[HV_SQL_VOLUME_PHASE] = "UPDATE volume SET phase = ?2 WHERE name = ?1",
	/* ?2: by the attachment of its own option attach. */
	/* A volume of attachments only, if all of them follow (1048576). */
	[HV_SQL_VOLUME_FOLLOW] =
		"UPDATE volume SET source = ?2 WHERE name = ?1 AND source <> ?2 AND " HIDDEN
		" AND NOT EXISTS (SELECT 1 FROM attachment"
		" WHERE volume = ?1 AND flags & 1048576 = 0)",
	[HV_SQL_VOLUME_ATTACHED] = "UPDATE volume SET phase = 0 WHERE name = ?1 AND phase = 3"
				   " AND (?2 OR " HIDDEN ")",
	[HV_SQL_VOLUME_HAS] = "SELECT EXISTS (SELECT 1 FROM volume WHERE name = ?1 AND " EXISTS ")",
	[HV_SQL_OPT_VOLUMES] = "SELECT volume FROM opt WHERE key = ?1",
	/* The options first. */
	[HV_SQL_OPT_RETURN] =
		"DELETE FROM opt WHERE volume = (SELECT name FROM volume WHERE " LENT ")",
	[HV_SQL_VOLUME_RETURN] = "DELETE FROM volume WHERE " LENT,
	/* If nothing keeps it. */
	[HV_SQL_VOLUME_RETIRE] = "UPDATE volume SET phase = 1 WHERE name = ?1 AND " EXISTS
				 " AND NOT EXISTS (SELECT 1 FROM attachment WHERE volume = ?1)"
				 " AND NOT EXISTS (SELECT 1 FROM rule WHERE volume = ?1)"
				 " AND NOT EXISTS (SELECT 1 FROM opt JOIN volume AS other"
				 " ON other.name = opt.volume WHERE opt.key = 'from'"
				 " AND opt.value = ?1 AND other." MAY_EXIST ")",
	[HV_SQL_VOLUME_FORGET] = "DELETE FROM volume WHERE name = ?1 AND phase",
	[HV_SQL_VOLUME_MOVE] = "UPDATE volume SET source = " MOVED " AND " OF_KINDS,
	[HV_SQL_VOLUME_UNFINISHED] =
		"SELECT " VOLUME_COLUMNS " FROM volume WHERE phase ORDER BY name",
	[HV_SQL_OPT_ADD] = "INSERT INTO opt (volume, position, key, value) VALUES (?1, ?2, ?3, ?4)",
	[HV_SQL_OPT_LIST] =
		"SELECT volume, key, value FROM opt WHERE volume = ?1 ORDER BY position",
	[HV_SQL_OPT_FORGET] = "DELETE FROM opt WHERE volume = ?1"
			      " AND volume IN (SELECT name FROM volume WHERE phase)",
	[HV_SQL_OPT_FIND] =
		"SELECT min(volume) FROM opt WHERE key = ?1 AND value = ?2"
		" AND EXISTS (SELECT 1 FROM volume WHERE name = opt.volume AND " MAY_EXIST ")",
	/* With the rowid it has: the order stays. */
	[HV_SQL_ATTACHMENT_PUT] =
		"INSERT OR REPLACE INTO attachment (" ATTACHMENT_COLUMNS ", rowid)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17,"
		" ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31,"
		" (SELECT rowid FROM attachment WHERE id = ?1))",
	/* With the parameters of the one above. */
	[HV_SQL_ATTACHMENT_NOTE] =
		"UPDATE attachment SET container_name = ?6, path = ?9, made = ?10, started_at = ?12,"
		" state = ?13, problem = ?14, engine = ?15, flags = ?16, is_done = ?17, pid = ?18,"
		" ns_ino = ?19, mount_id = ?20, mountinfo_id = ?21, root_dev = ?22, root_ino = ?23,"
		" late_ms = ?24, problem_kind = ?25, until = ?28, grace = ?29, source = ?3,"
		" former = ?31"
		" WHERE id = ?1",
	[HV_SQL_ATTACHMENT_LEAVE] = "UPDATE attachment SET leftovers = ?2 WHERE id = ?1",
	[HV_SQL_ATTACHMENT_DROP] = "DELETE FROM attachment WHERE id = ?1",
	[HV_SQL_ATTACHMENT_MOVE] =
		"UPDATE attachment SET source = " MOVED
		" AND volume NOT IN (SELECT name FROM volume WHERE NOT " OF_KINDS ")",
	/* With one text of parameters; each by the index of what it is called after. */
	[HV_SQL_ATTACHMENT_BY_ID] = ATTACHMENTS " WHERE id = ?1 AND (?2 IS NULL OR volume = ?2)"
						" AND (?3 IS NULL OR container_id = ?3)",
	[HV_SQL_ATTACHMENT_BY_CONTAINER] = ATTACHMENTS
	" WHERE container_id = ?3 AND (?2 IS NULL OR volume = ?2) ORDER BY since, rowid",
	[HV_SQL_ATTACHMENT_BY_RULE] = ATTACHMENTS " WHERE rule = ?4 ORDER BY since, rowid",
	[HV_SQL_ATTACHMENT_BY_VOLUME] = ATTACHMENTS " WHERE volume = ?2 ORDER BY since, rowid",
	[HV_SQL_ATTACHMENT_LIST] = ATTACHMENTS " ORDER BY since, rowid",
	[HV_SQL_ATTACHMENT_CONTAINERS] =
		"SELECT container_id, min(pid) > 0 FROM attachment GROUP BY container_id"
		" ORDER BY container_id",
	[HV_SQL_BOOT_HAS] = "SELECT count(*), coalesce(sum(id = ?1), 0) FROM boot",
	[HV_SQL_BOOT_FORGET] = "DELETE FROM boot",
	[HV_SQL_BOOT_SET] = "INSERT INTO boot (id) VALUES (?1)",
	[HV_SQL_BOOT_UNMOUNT] =
		"UPDATE attachment SET pid = 0, ns_ino = 0, mount_id = 0, mountinfo_id = 0,"
		" state = 'pending', problem = NULL, problem_kind = 0, former = NULL",
	[HV_SQL_REF_ADD] = "INSERT INTO ref (volume, id, count) VALUES (?1, ?2, ?3)"
			   " ON CONFLICT (volume, id) DO UPDATE SET count = count + ?3",
	[HV_SQL_REF_PRUNE] = "DELETE FROM ref WHERE volume = ?1 AND count <= 0",
	[HV_SQL_REF_TOTAL] = "SELECT coalesce(sum(count), 0) FROM ref WHERE volume = ?1",
	[HV_SQL_REF_CLEAR] = "DELETE FROM ref WHERE volume = ?1",
	[HV_SQL_ROOT_ADD] = "INSERT OR IGNORE INTO root (path) VALUES (?1)",
	[HV_SQL_ROOT_LIST] = "SELECT path FROM root ORDER BY path",
	[HV_SQL_RULE_ADD] =
		"INSERT INTO rule (" RULE_COLUMNS ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
	[HV_SQL_RULE_DROP] = "DELETE FROM rule WHERE id = ?1",
	[HV_SQL_RULE_KEEP] = "UPDATE rule SET since = since WHERE id = ?1",
	[HV_SQL_RULE_LIST] = "SELECT " RULE_COLUMNS " FROM rule ORDER BY since, rowid",
	[HV_SQL_RULE_BY_VOLUME] =
		"SELECT " RULE_COLUMNS " FROM rule WHERE volume = ?1 ORDER BY since, rowid",
	[HV_SQL_RULE_RELEASE] = "UPDATE attachment SET rule = NULL WHERE id = ?1",
	[HV_SQL_SOURCE_IS_USED] =
		"SELECT EXISTS (SELECT 1 FROM attachment WHERE source = ?1)"
		" OR EXISTS (SELECT 1 FROM ref JOIN volume ON volume.name = ref.volume"
		" WHERE volume.source = ?1)",
	[HV_SQL_MOUNTED_ADD] = "INSERT INTO mounted (volume, dev, ino) VALUES (?1, ?2, ?3)",
	[HV_SQL_MOUNTED_LIST] =
		"SELECT volume, dev, ino FROM mounted WHERE volume = ?1 ORDER BY rowid LIMIT ?2",
	[HV_SQL_MOUNTED_CLEAR] = "DELETE FROM mounted WHERE volume = ?1",
	[HV_SQL_REF_FORGET] = "DELETE FROM ref WHERE volume = ?1"
			      " AND volume IN (SELECT name FROM volume WHERE phase)",
	/* The volumes have no state. */
	[HV_SQL_COUNTS] =
		"SELECT state, count(*) FROM attachment WHERE is_done GROUP BY state"
		" UNION ALL SELECT NULL, count(*) FROM volume WHERE " EXISTS " AND NOT " HIDDEN,
	/* The event before the last of an attachment: of the last one's kind. */
	[HV_SQL_EVENT_MERGE] =
		"DELETE FROM event WHERE action = ?2 AND seq ="
		" (SELECT seq FROM event WHERE attachment = ?1 ORDER BY seq DESC LIMIT 1 OFFSET 1)",
	[HV_SQL_EVENT_STATE] = "SELECT state FROM attachment WHERE id = ?1 AND is_done",
	[HV_SQL_EVENT_LAST] =
		"SELECT action, detail FROM event WHERE attachment = ?1 ORDER BY seq DESC LIMIT 1",
	/* Of one that was acknowledged, with its names of now. */
	[HV_SQL_EVENT_ADD] =
		"INSERT INTO event (time_ns, action, attachment, volume, container_id,"
		" container_name, target, detail) SELECT ?2, ?3, id, volume, container_id,"
		" container_name, target, ?4 FROM attachment WHERE id = ?1 AND is_done",
	[HV_SQL_EVENT_ADD_VOLUME] =
		"INSERT INTO event (time_ns, action, attachment, volume, container_id,"
		" container_name, target, detail) VALUES (?2, ?3, '', ?1, '', '', '', ?4)",
	/* Counted: merged and thinned ones leave gaps. */
	[HV_SQL_EVENT_TRIM] =
		"DELETE FROM event WHERE seq <="
		" (SELECT seq FROM event WHERE seq > 0 ORDER BY seq DESC LIMIT 1 OFFSET ?1)",
	[HV_SQL_EVENT_THIN] = "DELETE FROM event WHERE attachment = ?1 AND " FICKLE
			      " AND seq <= (SELECT seq FROM event WHERE attachment = ?1 AND " FICKLE
			      " ORDER BY seq DESC LIMIT 1 OFFSET ?2)",
	[HV_SQL_EVENT_NEWEST] = "SELECT coalesce(max(seq), 0) FROM event",
	[HV_SQL_EVENT_LIST] =
		"SELECT seq, time_ns, action, volume, container_id, container_name, target,"
		" attachment, detail FROM event WHERE seq > ?1 AND time_ns >= ?2 AND time_ns <= ?3"
		" ORDER BY seq LIMIT ?4",
};

const char *hv_sql_string(enum hv_sql sql)
{
	return texts[sql];
}
