# SPDX-License-Identifier: Apache-2.0
load helpers
load plain

# Attachments that follow their paths, with a daemon of their own: whatever replaces a file or a
# directory on the host, a reader inside the container sees the one before or the present one.
# HOSTVOL_FOLLOW_ROUNDS: how often each of them is replaced.

ROUNDS=${HOSTVOL_FOLLOW_ROUNDS:-40}

setup() {
	plain_setup
	D=$TMP/dir
	mkdir "$D" "$TMP/empty"
	echo 0 >"$D/file"
	start hvt_web -v "$(reader):/reader:ro"
	PID=$(pid_of hvt_web)
	run_daemon
}

teardown() {
	[[ -z ${SERVER:-} ]] || kill -KILL "$SERVER" 2>/dev/null || true
	plain_teardown
}

# The program that reads, compiled once.
reader() {
	local program=$BATS_FILE_TMPDIR/follower
	[[ -x $program ]] || gcc -static -O2 -o "$program" "$BATS_TEST_DIRNAME/follower.c"
	echo "$program"
}

# attach SOURCE TARGET [FIELD...]: SOURCE is a path or a volume, FIELD as '"ReadOnly":true'.
attach() {
	local source="\"Path\":\"$1\"" target=$2 field more=''
	[[ $1 == /* ]] || source="\"Volume\":\"$1\""
	shift 2
	for field in '"Follow":true' "$@"; do more+=",$field"; done
	must HotAttach "{\"Source\":{$source},\"Container\":\"hvt_web\",\"Target\":\"$target\"$more}"
	ID=$(jq -r .Attachment.ID <<<"$ANSWER")
}

# shown TARGET FIELD
shown() {
	send HotList '{"Container":"hvt_web"}'
	jq -r --arg target "$1" --arg field "$2" \
		'.Attachments[] | select(.Target == $target) | .[$field] // ""' <<<"$ANSWER"
}

inside() {
	cat "/proc/$PID/root$1"
}

is_inside() {
	[[ $(inside "$1" 2>/dev/null) == "$2" ]]
}

mounts_at() {
	awk -v target="$1" '$5 == target' "/proc/$PID/mountinfo" | wc -l
}

# How many watches the daemon has.
watches() {
	cat "/proc/$DAEMON/fdinfo"/* 2>/dev/null | grep -c '^inotify' || true
}

has_watches() {
	[[ $(watches) -eq $1 ]]
}

# read_in TARGET: a reader inside the container, until it is stopped.
read_in() {
	docker exec hvt_web rm -f /end
	docker exec hvt_web /reader "$1" /end >"$TMP/read" 2>&1 3>&- &
	READER=$!
	within 5 test -s "$TMP/read"
}

# Let it say what it saw: one line for each change, and at last how often it read.
stop_reader() {
	docker exec hvt_web touch /end
	wait "$READER"
	tail -n 3 "$TMP/read"
}

# rounds TARGET CHANGE [BETWEEN]: CHANGE N replaces the source by one whose file says N. The reader sees
# numbers, each higher than the one before; with BETWEEN also that text, while the host has it.
rounds() {
	local target=$1 change=$2 between=${3:-} n
	read_in "$target"
	for n in $(seq "$ROUNDS"); do
		"$change" "$n"
		within 5 grep -q "^$n " "$TMP/read"
	done
	stop_reader
	[[ $(grep -c '^[0-9]' "$TMP/read") -eq $((ROUNDS + 1)) ]] # all of them were seen
	grep '^[0-9]' "$TMP/read" | sort -n -c
	! grep -v -e '^[0-9]' -e '^reads ' ${between:+-e "^$between"} "$TMP/read"
}

# --- the ways to replace --------------------------------------------------------------------------

edit() { sed -i "s/.*/$1/" "$D/file"; }

move_file() {
	echo "$1" >"$D/new"
	mv "$D/new" "$D/file"
}

move_directory() {
	mkdir "$TMP/new"
	echo "$1" >"$TMP/new/file"
	mv "$D" "$TMP/old"
	mv "$TMP/new" "$D"
	rm -r "$TMP/old"
}

link_release() {
	mkdir "$TMP/release.$1"
	echo "$1" >"$TMP/release.$1/file"
	ln -sfn "release.$1" "$TMP/current"
}

make_again() {
	rm -r "$D"
	mkdir "$D"
	echo "$1" >"$D/file"
}

mount_again() {
	umount "$D" 2>/dev/null || true
	mount -t tmpfs disk "$D"
	echo "$1" >"$D/file"
}

@test "sed -i of a single file: the reader sees the one before or the present one" {
	attach "$D" /file '"Subpath":"file"' '"ReadOnly":true'
	rounds /file edit
	fails_with 1 "Read-only" -- docker exec hvt_web sh -c 'echo x >/file'
	[[ $(mounts_at /file) -eq 1 ]]
}

@test "mv of a file over a file" {
	attach "$D" /file '"Subpath":"file"'
	rounds /file move_file
	[[ $(mounts_at /file) -eq 1 ]]
}

@test "mv of a directory to the place of another" {
	attach "$D" /data
	rounds /data/file move_directory "missing" # until it is replaced, rm empties the one before
	[[ $(mounts_at /data) -eq 1 ]]
}

@test "ln -sfn of a symlink" {
	link_release 0
	attach "$TMP/current" /data
	rounds /data/file link_release
	[[ $(mounts_at /data) -eq 1 ]]
	[[ $(shown /data Source) == "$TMP/release.$ROUNDS" && $(shown /data Volume) == "$TMP/current" ]]
	[[ $(shown /data ID) == "$ID" && $(shown /data State) == attached && -z $(shown /data Problem) ]]
}

@test "a directory that is deleted and made again" {
	attach "$D" /data
	# The file is made after its directory, and seen in this order.
	rounds /data/file make_again "missing"
	[[ $(mounts_at /data) -eq 1 ]]
}

@test "a disk that is unmounted and mounted again" {
	echo empty >"$D/file"
	mount_again 0
	attach "$D" /data
	# As on the host: the directory below for a moment, then an empty disk.
	rounds /data/file mount_again "\(missing\|empty\)"
	[[ $(mounts_at /data) -eq 1 ]]
}
