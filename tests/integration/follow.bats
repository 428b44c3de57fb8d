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
	[[ -z $(grep -v -e '^[0-9]' -e '^reads ' ${between:+-e "^$between"} "$TMP/read") ]]
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

# --- what is kept ---------------------------------------------------------------------------------

@test "a path that leads nowhere: the one before stays, and the new one comes when it is there" {
	link_release 1
	attach "$TMP/current" /data
	rm "$TMP/current"
	[[ $(shown /data Problem) == "source-replaced: $TMP/current is not there any more"* ]]
	is_inside /data/file 1
	link_release 2
	within 5 is_inside /data/file 2
	[[ -z $(shown /data Problem) ]]
	rm "$TMP/current"
	rmdir "$TMP/empty"
	ln -s empty "$TMP/current" # to nothing
	mkdir "$TMP/empty"         # there it is
	within 5 test ! -e "/proc/$PID/root/data/file"
	[[ $(shown /data State) == attached && -z $(shown /data Problem) ]]
}

@test "a symlink over another in a directory that is replaced, and an absolute one" {
	mkdir -p "$TMP/a/1" "$TMP/b"
	link_release 1
	ln -s ../../current "$TMP/a/1/link"
	ln -s "$TMP/a/1" "$TMP/b/one"
	attach "$TMP/b/one/link" /data
	is_inside /data/file 1
	link_release 2 # the last one
	within 5 is_inside /data/file 2
	mkdir "$TMP/a/2"
	cp -P "$TMP/a/1/link" "$TMP/a/2/link"
	mkdir "$TMP/a/2/x"
	echo x >"$TMP/a/2/x/file"
	ln -sfn x "$TMP/a/2/link"
	ln -sfn "$TMP/a/2" "$TMP/b/one" # the first one
	within 5 is_inside /data/file x
	mv "$TMP/a" "$TMP/a.old" # a directory on the way
	[[ $(shown /data Problem) == *"is not there any more"* ]]
	mkdir -p "$TMP/a/2/link"
	echo y >"$TMP/a/2/link/file"
	within 5 is_inside /data/file y
}

@test "ro, as, nosuid, the made target, the lease and the attachments below are kept" {
	local before
	mkdir "$D/sub" "$TMP/inner"
	echo inner >"$TMP/inner/file"
	chown 4711:4711 "$D"
	chown 4711:4711 "$D/file"
	attach "$D" /new/data '"ReadOnly":true' '"As":"33:33"' '"NoExec":true' '"For":3600'
	must HotAttach "{\"Source\":{\"Path\":\"$TMP/inner\"},\"Container\":\"hvt_web\",\"Target\":\"/new/data/sub\"}"
	[[ $(stat -c %u:%g "/proc/$PID/root/new/data") == 33:33 ]]
	before=$(send HotList '{}' && jq -c '.Attachments[0]' <<<"$ANSWER")
	mkdir -p "$TMP/new/sub"
	echo 1 >"$TMP/new/file"
	chown -R 5000:5000 "$TMP/new"
	mv "$D" "$TMP/old"
	mv "$TMP/new" "$D"
	within 5 is_inside /new/data/file 1
	within 5 is_inside /new/data/sub/file inner
	[[ $(stat -c %u:%g "/proc/$PID/root/new/data") == 33:33 ]]
	[[ $before == "$(send HotList '{}' && jq -c '.Attachments[0]' <<<"$ANSWER")" ]]
	awk '$5 == "/new/data"' "/proc/$PID/mountinfo" | grep -q ' ro,.*noexec'
	[[ $(mounts_at /new/data) -eq 1 && $(mounts_at /new/data/sub) -eq 1 ]]
	must HotDetach '{"Container":"hvt_web","Target":"/new/data/sub"}'
	must HotDetach '{"Container":"hvt_web","Target":"/new/data"}'
	[[ ! -e /proc/$PID/root/new ]]
}

@test "a process that has the one before open keeps it" {
	attach "$D" /data
	docker exec -w /data hvt_web sh -c 'exec 4<file; echo ready; until [ -e /go ]; do sleep 0.1; done
		read -r line <&4; echo "open $line"; cat file; cat /data/file' >"$TMP/out" 3>&- &
	within 5 grep -q ready "$TMP/out"
	make_again 1
	within 5 is_inside /data/file 1
	docker exec hvt_web touch /go
	wait $!  || true # of its working directory nothing is left
	grep -qx "open 0" "$TMP/out"
	[[ $(tail -n 1 "$TMP/out") == 1 ]]
}

@test "a start of the container has the present one, whatever came while it was stopped" {
	link_release 1
	attach "$TMP/current" /data
	docker stop -t 0 hvt_web
	within 5 eval '[[ $(shown /data State) == pending ]]'
	link_release 2
	docker start hvt_web
	PID=$(pid_of hvt_web)
	within 5 is_inside /data/file 2
	link_release 3
	within 5 is_inside /data/file 3
	docker stop -t 0 hvt_web
	rm "$TMP/current"
	docker start hvt_web
	PID=$(pid_of hvt_web)
	within 5 eval '[[ $(shown /data Problem) == *"not there any more"* ]]'
	link_release 4
	within 20 is_inside /data/file 4
}

@test "a volume that says follow=true, a rule, and subpath with the rest of a volume" {
	must Create "{\"Name\":\"hvt_v\",\"Opts\":{\"path\":\"$D\",\"follow\":\"true\"}}"
	must HotAttach '{"Volume":"hvt_v","Container":"hvt_web","Target":"/file","Subpath":"file"}'
	[[ $(jq .Attachment.Follow <<<"$ANSWER") == true ]]
	must Create '{"Name":"hvt_m"}'
	mkdir "$PLAIN/state/volumes/hvt_m/_data/sub"
	docker rm -f hvt_other >/dev/null 2>&1 || true
	start hvt_other --label "hvt=$BATS_TEST_NUMBER" >/dev/null
	must HotAttach "{\"Volume\":\"hvt_m\",\"Selector\":\"label:hvt=$BATS_TEST_NUMBER\",\"Target\":\"/m\",\"Subpath\":\"sub\",\"Follow\":true}"
	edit 1
	within 5 is_inside /file 1
	mkdir "$TMP/x"
	echo m >"$TMP/x/file"
	rmdir "$PLAIN/state/volumes/hvt_m/_data/sub"
	mv "$TMP/x" "$PLAIN/state/volumes/hvt_m/_data/sub"
	PID=$(pid_of hvt_other) within 5 is_inside /m/file m
	must HotRules '{}'
	[[ $(jq '.Rules[0].Follow' <<<"$ANSWER") == true ]]
	send HotCheck '{"Volume":"hvt_m","Container":"hvt_web","Target":"/c","Follow":true}'
	[[ $ANSWER == *follow* ]]
	must HotEvents '{}'
	[[ $(jq -r '[.Events[].Action] | join(" ")' <<<"$ANSWER") == *follow* ]]
}

@test "require-mount: a disk that is not there is not followed to the directory below" {
	mount_again 1
	must Create "{\"Name\":\"hvt_v\",\"Opts\":{\"path\":\"$D\",\"require-mount\":\"true\"}}"
	attach hvt_v /data
	umount "$D"
	within 5 eval '[[ $(shown /data Problem) == *hvt_v* ]]'
	is_inside /data/file 1
	mount_again 2
	within 5 is_inside /data/file 2
	[[ -z $(shown /data Problem) ]]
	mkdir "$D/below"
	mount -t tmpfs below "$D/below" # what is mounted in it comes along
	echo below >"$D/below/file"
	within 5 is_inside /data/below/file below
}

# point PATH: have the symlink lead there, without a look at either: ln(1) asks the server.
point() {
	python3 -c 'import os, sys
os.symlink(sys.argv[1], sys.argv[2] + ".new")
os.rename(sys.argv[2] + ".new", sys.argv[2])' "$1" "$TMP/remote"
}

# --- what goes wrong ------------------------------------------------------------------------------

@test "hostvold is killed at each call that changes something while it follows" {
	local n step=1 count=0
	[[ $ROUNDS -ge 200 ]] || step=3
	link_release 0
	attach "$TMP/current" /data
	for (( n = 1 + RANDOM % step; ; n += step)); do
		stop_daemon
		run_daemon "$BUILD/tests/support/kill_at" "$n" --
		within 5 eval '[[ $(shown /data State) == attached ]]' # and watched soon
		within 5 eval '[[ $(cat /proc/$(pgrep -P $DAEMON)/fdinfo/* 2>/dev/null | grep -c ^inotify) -ge 3 ]]'
		kill -USR1 "$DAEMON"
		link_release "$n"
		within 5 eval "is_inside /data/file $n || [[ ! -d /proc/$DAEMON ]]"
		sleep 0.1 # what comes behind the replacement
		if kill "$(pgrep -P "$DAEMON")" 2>/dev/null; then
			wait "$DAEMON" || true
			run_daemon
			break
		fi
		wait "$DAEMON" || true
		count=$((count + 1))
		run_daemon
		within 5 is_inside /data/file "$n"
		within 5 eval '[[ $(shown /data State) == attached && -z $(shown /data Problem) ]]'
		within 5 eval '[[ $(mounts_at /data) -eq 1 ]]'
		[[ $(shown /data ID) == "$ID" ]]
	done
	echo "# killed $count times" >&3
	[[ $count -gt 1 && $(mounts_at /data) -eq 1 ]]
}

@test "kill -9 of hostvold while much is replaced" {
	local n
	link_release 0
	attach "$TMP/current" /data
	read_in /data/file
	for n in $(seq "$ROUNDS"); do
		link_release "$n"
		[[ $((n % 4)) -ne 0 ]] || { kill -9 "$DAEMON" && wait "$DAEMON" || true; run_daemon; }
	done
	within 10 is_inside /data/file "$ROUNDS"
	within 5 grep -q "^$ROUNDS " "$TMP/read"
	stop_reader
	grep '^[0-9]' "$TMP/read" | sort -n -c
	[[ -z $(grep -v -e '^[0-9]' -e '^reads ' "$TMP/read") ]]
	within 5 eval '[[ $(mounts_at /data) -eq 1 && $(shown /data State) == attached ]]'
}

@test "a server that does not answer holds up only those that follow its files" {
	mkdir "$TMP/fuse"
	"$BUILD/tests/support/fuse_server" "$TMP/fuse" >/dev/null 2>&1 3>&- &
	SERVER=$!
	within 5 grep -q " $TMP/fuse " /proc/self/mountinfo
	link_release 0
	ln -s "$TMP/fuse" "$TMP/remote"
	attach "$TMP/remote" /remote
	attach "$TMP/current" /data
	kill -USR1 "$SERVER"
	point "$TMP/fuse/dir" # a name that only the server knows
	for n in 1 2 3; do
		link_release "$n"
		within 5 is_inside /data/file "$n" # a wait for the server would take ten seconds
	done
	[[ $(shown /data State) == attached && -z $(shown /data Problem) ]]
	point "$D" # and that one is not lost
	# Not by a look inside, which would hang: the mount is another one.
	within 30 eval '! grep " /remote " "/proc/$PID/mountinfo" | grep -q fuse'
	is_inside /remote/file 0
	kill -KILL "$SERVER"
	SERVER=''
}

@test "without watches the problem says so" {
	stop_daemon
	run_daemon "$BUILD/tests/support/deny_syscall" inotify_add_watch ENOSPC --
	attach "$D" /data
	within 5 eval '[[ $(shown /data Problem) == *"fs.inotify.max_user_watches"* ]]'
	stop_daemon
	run_daemon
	within 5 eval '[[ -z $(shown /data Problem) ]]'
	make_again 1
	within 5 is_inside /data/file 1
}

@test "watches end with their attachments, and other names cost no replacement" {
	local before cpu
	before=$(watches)
	for n in 1 2 3; do
		mkdir "$TMP/many.$n"
		attach "$TMP/many.$n" "/many/$n"
	done
	attach "$D" /data
	within 5 eval '[[ $(watches) -ge 3 ]]'
	make_again 1
	within 5 is_inside /data/file 1
	must HotEvents '{}'
	[[ $(jq '[.Events[] | select(.Action == "follow")] | length' <<<"$ANSWER") -eq 1 ]]
	for n in $(seq 5000); do : >"$TMP/noise.$((n % 10))"; done
	rm "$TMP"/noise.*
	must HotEvents '{}'
	[[ $(jq '[.Events[] | select(.Action == "follow")] | length' <<<"$ANSWER") -eq 1 ]]
	for n in 1 2 3; do must HotDetach "{\"Container\":\"hvt_web\",\"Target\":\"/many/$n\"}"; done
	docker rm -f hvt_web
	within 10 has_watches "$before"
}

@test "a burst is one replacement, or few" {
	local n
	link_release 0
	attach "$TMP/current" /data
	for n in $(seq 300); do ln -sfn "release.0" "$TMP/current.new" && mv -T "$TMP/current.new" "$TMP/current"; done
	link_release 1
	within 5 is_inside /data/file 1
	[[ $(mounts_at /data) -eq 1 ]]
}

@test "a type that does not fit is told, and a file again is followed again" {
	attach "$D" /file '"Subpath":"file"'
	rm "$D/file"
	mkdir "$D/file"
	within 5 eval '[[ $(shown /file Problem) == *directory* ]]'
	is_inside /file 0
	rmdir "$D/file"
	echo 1 >"$D/file"
	within 5 is_inside /file 1
	within 5 eval '[[ -z $(shown /file Problem) ]]'
}

@test "the managed plugin follows: its own mount namespace is not the host's" {
	stop_daemon
	link_release 1
	docker hostvol attach --follow --ro "$TMP/current" hvt_web:/data
	docker hostvol attach --follow --subpath file "$D" hvt_web:/file
	docker hostvol ls --container hvt_web | grep -q ro,follow
	link_release 2
	edit 2
	within 5 is_inside /data/file 2
	within 5 is_inside /file 2
	kill -9 "$(daemon_pid)" # Docker starts it again
	link_release 3
	within 20 is_inside /data/file 3
	mount_again 4
	within 5 is_inside /file 4
	[[ $(docker hostvol inspect -f '{{.Follow}} {{.State}}' hvt_web:/data) == "true attached" ]]
}
