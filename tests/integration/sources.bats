# SPDX-License-Identifier: Apache-2.0
load helpers

# What becomes of a volume whose directory changes on the host: the table of docs/sources.md, a test
# for each row. With the managed plugin: of a driver with a socket of its own Docker would ask for as long as
# dockerd lives, and wait 15 seconds for it at each `docker volume ls`.

DRIVER=hostvol
BUILD=$BATS_TEST_DIRNAME/../../build/release
LABEL=hostvol.test.sources=1 # what other files remove is not ours

setup_file() {
	local dir
	dir=$(mktemp -d -p /srv hvt.XXXXXX)
	gcc -static -O2 -o "$dir/server" "$BATS_TEST_DIRNAME/server.c"
	SOCKET=$(daemon_socket)
	export FILE_DIR=$dir SOCKET
}

teardown_file() {
	unmount_below "$FILE_DIR"
	rm -rf "$FILE_DIR"
}

setup() {
	TMP=$(mktemp -d -p /srv hvt.XXXXXX)
	V=hvt_src$BATS_TEST_NUMBER
	D=$TMP/dir
	AT=/file  # what is read of the volume
	OPTIONS=() # of attach
	DETACH=()  # of detach
	PRESENT=v2 # what the path leads to after the change
	FORMER=v1
	SERVER=''
	mkdir "$D"
	echo v1 >"$D/file"
}

teardown() {
	[[ -z $SERVER ]] || kill -9 "$SERVER" || true
	docker rm -f hvt_srcweb hvt_srcuser >/dev/null 2>&1
	docker volume rm -f "$V" >/dev/null || true
	unmount_below "$TMP"
	rm -rf "$TMP"
}

hv() {
	HOSTVOL_SOCKET=$SOCKET "$BUILD/cli/docker-hostvol" "$@"
}

mount_disk() {
	mount -t tmpfs disk "$D"
	echo "$1" >"$D/file"
}

serve() {
	"$FILE_DIR/server" "$D" "$1"$'\n' 3>&- &
	SERVER=$!
	within 5 test -e "$D/file"
}

kill_server() {
	kill -9 "$SERVER"
	wait "$SERVER" || true
	SERVER=''
}

# sees CONTAINER TARGET TEXT: from inside.
sees() {
	[[ $(cat "/proc/$(pid_of "$1")/root$2$AT") == "$3" ]]
}

# attachment TARGET FIELD
attachment() {
	hv ls --container hvt_srcweb --format json | python3 -c '
import json, sys
for one in json.load(sys.stdin):
    if one["Target"] == sys.argv[1]: print(one.get(sys.argv[2]) or "")' "$@"
}

attach() {
	hv attach "${OPTIONS[@]}" "$@"
}

# A volume in use: in hvt_srcweb three times by attach, in hvt_srcuser by Docker.
use_volume() {
	docker volume create -d "$DRIVER" -o path="$D" "$V" >/dev/null
	start hvt_srcweb >/dev/null &
	start hvt_srcuser -v "$V:/v" >/dev/null
	wait $!
	for target in /a /b /c; do attach "$V" hvt_srcweb:$target; done
	sees hvt_srcweb /a v1
	[[ -z $(attachment /a Problem) ]]
	attach "$V" hvt_srcweb:/a # again: it is there
}

# What is the same in all rows: what runs keeps what it has, ls tells, nobody thinks that all is well.
# changed PROBLEM WORD: the beginning of the problem, and a word of every refusal.
changed() {
	local problem=$1 word=$2
	[[ $(attachment /a State) == attached ]]
	[[ $(attachment /a Problem) == "$problem: "*"$word"* ]]
	fails_with 1 "$word" -- attach "$V" hvt_srcweb:/a
	run -1 hv check "${OPTIONS[@]}" "$V" hvt_srcweb:/a
	[[ $output == *"$word"* && $output != *"nothing is to be done"* ]]
	[[ $(attachment /a Problem) == "$problem: "* ]]
}

# The path leads to something else that can be used.
usable() {
	changed source-replaced "$1"
	sees hvt_srcweb /a "$FORMER"
	attach "$V" hvt_srcweb:/d
	sees hvt_srcweb /d "$PRESENT"
	run -0 hv check --replace "${OPTIONS[@]}" "$V" hvt_srcweb:/a
	attach --replace "$V" hvt_srcweb:/a
	sees hvt_srcweb /a "$PRESENT"
	[[ $(attachment /a State) == attached && -z $(attachment /a Problem) ]]
	attach "$V" hvt_srcweb:/a # now it is the present one
	hv detach "${DETACH[@]}" hvt_srcweb:/b
	[[ $(run_in -v "$V:/v" "$IMAGE" cat "/v${RUN_AT:-$AT}") == "$PRESENT" ]]
	docker restart -t 0 hvt_srcuser hvt_srcweb >/dev/null
	AT=${RUN_AT:-$AT} sees hvt_srcuser /v "$PRESENT"
	within 10 sees hvt_srcweb /c "$PRESENT"
	within 10 sees hvt_srcweb /a "$PRESENT"
	[[ -z $(attachment /c Problem) && -z $(attachment /b State) ]]
}

# The path leads nowhere, or to a server that ended.
unusable() {
	changed "$1" "$2"
	fails_with 1 "$2" -- attach "$V" hvt_srcweb:/d
	fails_with 1 "$2" -- attach --replace "$V" hvt_srcweb:/a
	[[ $(attachment /a State) == attached && -z $(attachment /d State) ]]
	hv detach hvt_srcweb:/b
	fails_with 125 "$2" -- run_in -v "$V:/v" "$IMAGE" true
	[[ $output != *"container 'hostvol'"* && $output != *"'?'"* ]]
	fails_with 1 "$2" -- docker restart -t 0 hvt_srcuser
	docker restart -t 0 hvt_srcweb >/dev/null
	within 10 is_pending_with "$2"
}

is_pending_with() {
	[[ $(attachment /c State) == pending && $(attachment /c Problem) == *"$1"* ]]
}

@test "deleted and made again: told, and who starts or replaces has the new one" {
	FORMER='' # its directory, which is empty now
	use_volume
	rm -r "$D"
	mkdir "$D"
	echo v2 >"$D/file"
	usable "has been replaced"
}

@test "renamed away: told, and refused until it is back" {
	use_volume
	mv "$D" "$D.old"
	unusable source-replaced "is not there"
	mv "$D.old" "$D"
	hv attach "$V" hvt_srcweb:/c # at once, not when it is tried again
	sees hvt_srcweb /c v1
	docker start hvt_srcuser >/dev/null
	sees hvt_srcuser /v v1
}

@test "renamed, another in its place: told, and -v and attach give the same" {
	use_volume
	mv "$D" "$D.old"
	mkdir "$D"
	echo v2 >"$D/file"
	usable "has been replaced"
}

@test "disk unmounted: told, and what is below is what the path leads to" {
	echo below >"$D/file"
	PRESENT=below
	mount_disk v1
	use_volume
	umount "$D"
	usable "has been replaced"
}

@test "another disk mounted: told, and who starts or replaces has that" {
	mount_disk v1
	use_volume
	umount "$D"
	mount_disk v2
	usable "has been replaced"
}

@test "a file system mounted below: told, and in what is attached from then on" {
	AT=/sub/file
	mkdir "$D/sub"
	echo v1 >"$D/sub/file"
	use_volume
	mount -t tmpfs disk "$D/sub"
	echo v2 >"$D/sub/file"
	usable "have changed since"
}

@test "a file system below unmounted: told, and in nothing that is attached from then on" {
	AT=/sub/file
	PRESENT=below
	DETACH=(--lazy) # what is mounted below it is not known to be the source's any more
	mkdir "$D/sub"
	echo below >"$D/sub/file"
	mount -t tmpfs disk "$D/sub"
	echo v1 >"$D/sub/file"
	use_volume
	umount "$D/sub"
	usable "have changed since"
}

@test "a file replaced: told, and who starts or replaces has the new one" {
	AT=''
	RUN_AT=/file # of the directory
	OPTIONS=(--subpath file)
	use_volume
	echo v2 >"$D/new"
	mv "$D/new" "$D/file" # as sed -i does
	usable "file has been replaced"
}

@test "the server of a FUSE file system ended: told, and attached nowhere until it is back" {
	serve v1
	use_volume
	kill_server
	unusable source-dead "does not answer: Transport endpoint is not connected"
	fails_with 1 "does not answer" -- docker volume create -d "$DRIVER" -o path="$D" "$V"2
	umount -l "$D"
	serve v2
	hv attach "$V" hvt_srcweb:/c
	sees hvt_srcweb /c v2
	docker start hvt_srcuser >/dev/null
	sees hvt_srcuser /v v2
}

@test "the server ended and mounted again: told, and who starts or replaces has that" {
	serve v1
	FORMER=''
	use_volume
	kill_server
	umount -l "$D"
	serve v2
	usable "has been replaced"
}
