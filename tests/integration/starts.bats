# SPDX-License-Identifier: Apache-2.0
load helpers
load engine
load plain
load first

# Attachments are in place before a container's first instruction. HOSTVOL_START_ROUNDS: how often a container
# is restarted.

ROUNDS=${HOSTVOL_START_ROUNDS:-10}

setup() {
	common_setup
}

teardown() {
	[[ -z ${DAEMON:-} ]] || kill -CONT "$DAEMON" 2>/dev/null || true
	[[ -z ${SERVER:-} ]] || kill -KILL "$SERVER" 2>/dev/null || true
	umount -l "$TMP/fuse" 2>/dev/null || true
	stop_daemon
	[[ -z ${ENGINE:-} ]] || engine_teardown
	common_teardown
	docker image rm -f hvt-first hvt-linked >/dev/null 2>&1 || true
}

begin_plain() {
	PLAIN=$TMP/plain
	mkdir "$PLAIN" "$TMP/src"
	run_daemon
	within 10 holds_starts
	must Create '{"Name":"hvt_data","Opts":{"path":"'"$TMP/src"'"}}'
	make_first
}

holds_starts() {
	send HotInfo '{}'
	[[ $ANSWER == *'"Held":true'* ]]
}

# want NAME [FIELD]: a container that was never started, with an attachment.
want() {
	docker create --label "$LABEL" --network none --name "$1" hvt-first /first /a >/dev/null
	must HotAttach '{"Volume":"hvt_data","Container":"'"$1"'","Target":"/a","Mkdir":true,"Persist":true'"${2:-}"'}'
}

late() {
	must HotList '{"Container":"'"$1"'"}'
	[[ $ANSWER == *'"Late":'"$2"'}'* ]]
}

gate() {
	pgrep -P "$DAEMON" -x hostvol-gate
}

@test "a first start and each restart are in time" {
	local found
	begin_plain
	want hvt_first
	docker start hvt_first
	restart_often hvt_first "$ROUNDS"
	found=$(said hvt_first $((ROUNDS + 1)))
	echo "starts and attachments that were there: $found"
	[[ $found == "$((ROUNDS + 1)) 1" ]] || { grep -v 'attached before its program began' "$PLAIN/log" && false; }
	late hvt_first 0
	grep -q "attached before its program began" "$PLAIN/log"
}

# in_attachment NAME OPTION... -- COMMAND...: with the volume at /a, to which /link leads.
in_attachment() {
	local name=$1 options=()
	shift
	while [[ $1 != -- ]]; do options+=("$1") && shift; done
	docker create --label "$LABEL" --network none --name "$name" "${options[@]}" hvt-linked "${@:2}" >/dev/null
	must HotAttach '{"Volume":"hvt_data","Container":"'"$name"'","Target":"/a","Mkdir":true,"Persist":true}'
}

@test "a program begins in an attachment, and may lie in one" {
	begin_plain
	echo here >"$TMP/src/who"
	cp "$TMP/image/first" "$TMP/src"
	mkdir "$TMP/src/below"
	docker create --label "$LABEL" --name hvt_link "$IMAGE" >/dev/null
	ln -s a "$TMP/link"
	tar -C "$TMP" -c link | docker cp - hvt_link:/
	docker commit hvt_link hvt-linked >/dev/null
	in_attachment hvt_works -w /a -- sh -c 'cat who; pwd; exec sleep 1000'
	in_attachment hvt_links -w /link/below -- sh -c 'cat ../who; exec sleep 1000'
	in_attachment hvt_lies -- /a/first /a
	if [[ $(docker info -f '{{.DefaultRuntime}}') == crun ]]; then
		enters_before # this is known, and told
		return
	fi
	docker start hvt_works hvt_links hvt_lies
	for i in 1 2 3; do
		[[ $(said hvt_works $((2 * i))) == "$i /a $i here" ]]
		[[ $(said hvt_links "$i") == "$i here" && $(said hvt_lies "$i") == "$i 1" ]]
		docker restart -t 0 hvt_works hvt_links hvt_lies
	done
}

# crun does both before its start can be held.
enters_before() {
	docker start hvt_works
	within 5 grep -q "over the directory that its program begins in" "$PLAIN/log"
	run ! docker start hvt_lies
}

@test "a first start is in time in a read-only root, without capabilities, and with CAP_SYS_ADMIN" {
	begin_plain
	for options in --read-only "--read-only --cap-drop ALL" "--cap-add SYS_ADMIN"; do
		# shellcheck disable=SC2086
		docker create --label "$LABEL" --network none --name hvt_first $options hvt-first /first /a/b /c >/dev/null
		for target in /a/b /c; do
			must HotAttach '{"Volume":"hvt_data","Container":"hvt_first","Target":"'$target'","Mkdir":true,"Persist":true}'
		done
		docker start hvt_first
		[[ $(said hvt_first 1) == "1 2" ]]
		docker restart -t 0 hvt_first
		[[ $(said hvt_first 2) == "2 2" ]]
		docker rm -f hvt_first
	done
}

@test "many that are started at once are in time" {
	begin_plain
	for i in $(seq 10); do want "hvt_$i"; done
	seq 10 | xargs -P 10 -I '{}' docker start 'hvt_{}' >/dev/null
	for i in $(seq 10); do [[ $(said "hvt_$i" 1) == "1 1" ]]; done
}

@test "a container that has none is started as ever, and so is one when the daemon or its gate is gone or stopped" {
	begin_plain
	docker run -d --label "$LABEL" --network none --name hvt_other hvt-first /first /a
	[[ $(said hvt_other 1) == "1 0" ]]
	want hvt_first
	docker start hvt_first
	kill -KILL "$(gate)"
	docker restart -t 0 hvt_first
	within 10 holds_starts
	within 10 gate
	kill -STOP "$DAEMON"
	docker restart -t 0 hvt_first
	kill -KILL "$DAEMON"
	docker restart -t 0 hvt_first
	within 5 has_said hvt_first 4
	run_daemon
	within 10 holds_starts
	docker restart -t 0 hvt_first
	within 5 has_said hvt_first 5
	[[ $(docker logs hvt_first | tail -1) == 1 ]]
}

@test "a start that cannot have what it requires fails before the program runs" {
	begin_plain
	want hvt_first ',"Required":true'
	mv "$TMP/src" "$TMP/gone"
	fails_with 1 "" -- docker start hvt_first
	[[ -z $(docker logs hvt_first) ]]
	must HotList '{"Container":"hvt_first"}'
	[[ $ANSWER == *"was refused, because this is required"* ]]
	mv "$TMP/gone" "$TMP/src"
	docker start hvt_first
	[[ $(said hvt_first 1) == "1 1" ]]
}

# A volume on a server that does not answer: a start that needs it is held until the deadline.
make_silent() {
	mkdir "$TMP/fuse"
	"$BUILD/tests/support/fuse_server" "$TMP/fuse" >/dev/null 2>&1 3>&- &
	SERVER=$!
	within 5 grep -q " $TMP/fuse " /proc/self/mountinfo
	must Create '{"Name":"hvt_silent","Opts":{"path":"'"$TMP/fuse"'"}}'
	for name in hvt_first hvt_required; do
		want "$name"
		must HotDetach '{"Container":"'"$name"'","Target":"/a"}'
	done
	must HotAttach '{"Volume":"hvt_silent","Container":"hvt_first","Target":"/a","Mkdir":true,"Persist":true}'
	must HotAttach '{"Volume":"hvt_silent","Container":"hvt_required","Target":"/a","Mkdir":true,"Persist":true,"Required":true}'
	kill -USR1 "$SERVER"
}

@test "behind a server that does not answer a start goes on without, a required one fails, others are in time" {
	HOSTVOL_HOLD_MS=1000 begin_plain
	make_silent
	want hvt_other
	docker start hvt_first &
	local starts=$!
	docker start hvt_other
	[[ $(said hvt_other 1) == "1 1" ]]
	late hvt_other 0
	wait "$starts"
	[[ $(said hvt_first 1) == "1 0" ]]
	for _ in 1 2; do # the second is no other: nothing is left of the first
		run docker start hvt_required
		[[ $status -ne 0 && $output != *exists* && -z $(docker logs hvt_required) ]]
		within 20 is_refused hvt_required
		within 20 has_no_process hvt_required
	done
	docker rm -f hvt_first hvt_required
}

has_no_process() {
	! grep -l "$(docker inspect -f '{{.Id}}' "$1")" /proc/[0-9]*/cgroup
}

is_refused() {
	send HotList '{"Container":"'"$1"'"}'
	[[ $ANSWER == *"was refused, because this is required"* ]]
}

@test "a gate that is stopped in a hold, and its daemon as well, keeps nobody" {
	HOSTVOL_HOLD_MS=5000 begin_plain # long enough to be met in it
	make_silent
	docker start hvt_first &
	local starts=$!
	within 5 is_held hvt_first
	kill -STOP "$(gate)" "$DAEMON"
	wait "$starts"
	kill -CONT "$DAEMON"
	within 10 holds_starts
	want hvt_other
	docker start hvt_other
	[[ $(said hvt_other 1) == "1 1" ]]
}

# The runtime is in a start that has not come to its end.
is_held() {
	pgrep -f "^(runc|crun) .* (create|start) .*$(docker ps -aq --no-trunc --filter "name=^$1\$")\$"
}

# killed_in_start N: restart it, with the daemon killed at its Nth call from then on; false if it made fewer.
killed_in_start() {
	run_daemon "$BUILD/tests/support/kill_at" "$1" --
	within 10 holds_starts
	kill -USR1 "$DAEMON"
	timeout 60 docker restart -t 0 hvt_first
	STARTS=$((STARTS + 1))
	within 5 has_said hvt_first "$STARTS"
	for _ in $(seq 20); do # what it does behind the start is over soon
		[[ -d /proc/$DAEMON ]] || { wait "$DAEMON" && DAEMON='' && return 0; }
		sleep 0.02
	done
	pkill -KILL -P "$DAEMON" hostvold
	wait "$DAEMON" || true
	DAEMON=''
	return 1
}

is_attached_once() {
	local pid
	send HotList '{"Container":"hvt_first"}'
	pid=$(pid_of hvt_first)
	[[ $ANSWER == *'"State":"attached"'* && $(grep -c ' /a ' "/proc/$pid/mountinfo") == 1 ]] &&
		! grep -q '^State:.[Tt]' "/proc/$pid/status"
}

@test "a daemon that is killed at any call of a start lets it go on, and attaches in the end" {
	local n=1 step=1 count=0 STARTS=1
	[[ ${HOSTVOL_ROUNDS:-0} -ge 1000 ]] || step=5 n=$((RANDOM % 5 + 1))
	begin_plain
	want hvt_first
	docker start hvt_first
	stop_daemon
	while killed_in_start "$n"; do
		run_daemon
		within 5 is_attached_once || { echo "killed at call $n: $ANSWER" && return 1; }
		stop_daemon
		count=$((count + 1)) n=$((n + step))
	done
	echo "# killed $count times" >&3
	[[ $count -gt 2 ]]
}

# fill DIR: until nothing can be written that is longer than before.
fill() {
	local count=0
	dd if=/dev/zero of="$1/ballast" bs=4k 2>/dev/null || true
	while send Create '{"Name":"hvt_more'"$count"'","Opts":{"path":"'"$TMP/src"'"}}' && is_done; do
		count=$((count + 1))
	done
	[[ $ANSWER == *"is full"* ]]
}

@test "with its state on a disk that is full a start goes on, and is attached at the latest when there is room" {
	mkdir "$TMP/disk"
	mount -t tmpfs -o size=2m tmpfs "$TMP/disk"
	STATE=$TMP/disk/state begin_plain
	want hvt_first
	docker start hvt_first
	fill "$TMP/disk"
	timeout 60 docker restart -t 0 hvt_first
	within 5 has_said hvt_first 2
	rm "$TMP/disk/ballast"
	must Create '{"Name":"hvt_new"}' # as it is tried again in time, and by whom may be
	within 60 is_attached_once
}

@test "with a directory of its own for containers, and dockerd killed: the managed plugin, remapped users" {
	engine_remap_users
	engine_setup --userns-remap=default
	engine_plugin
	make_first
	docker volume create -d hostvol hvt_data
	for i in 1 2 3 4 5; do
		docker create --network none --restart always --name "hvt_$i" hvt-first /first /a /b
		engine_hostvol attach hvt_data "hvt_$i:/a"
		engine_hostvol attach hvt_data "hvt_$i:/b"
	done
	docker start hvt_1 # tells where the runtime keeps its containers
	within 10 grep -q "are held from now on" "$ENGINE/log"
	docker start hvt_2 hvt_3 hvt_4 hvt_5
	docker restart -t 0 hvt_1
	for i in 2 3 4 5; do [[ $(said "hvt_$i" 1) == "1 2" ]]; done
	engine_stop KILL
	engine_kill_all "$(cat "$ENGINE/holder")"
	engine_start
	for i in 2 3 4 5; do [[ $(said "hvt_$i" 2) == "2 2" ]]; done
	within 5 has_said hvt_1 3
	[[ $(docker logs hvt_1 | tail -n 2 | xargs) == "2 2" ]]
	disable_in_hold
}

# The managed plugin, which would hold for longer than this waits.
disable_in_hold() {
	mkdir "$TMP/fuse"
	in_engine "$BUILD/tests/support/fuse_server" "$TMP/fuse" >/dev/null 2>&1 3>&- &
	within 5 in_engine grep -q " $TMP/fuse " /proc/self/mountinfo
	SERVER=$(pgrep -f "fuse_server $TMP/fuse\$")
	docker plugin disable -f hostvol
	docker plugin set hostvol HOSTVOL_HOLD_MS=60000
	docker plugin enable hostvol
	docker volume create -d hostvol -o path="$TMP/fuse" hvt_silent
	docker create --network none --name hvt_silent hvt-first /first /a
	engine_hostvol attach hvt_silent hvt_silent:/a
	kill -USR1 "$SERVER"
	timeout 30 docker start hvt_silent &
	local starts=$!
	within 5 is_held hvt_silent
	docker plugin disable -f hostvol
	wait "$starts"
	[[ $(said hvt_silent 1) == "1 0" ]]
}
