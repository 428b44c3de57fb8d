# SPDX-License-Identifier: Apache-2.0
load helpers
load engine

# Attachments that last: whatever restarts, dies or is upgraded, each kind of attachment is
# afterwards what the documentation says, seen in the container, in `docker hostvol ls` and in
# `docker volume inspect`.

# The kinds: name, options, the file's content, and what is left of it when the container's process
# has ended, and when another one was started.
KINDS='
rw       -                    top   pending  attached
ro       --ro                 top   pending  attached
subpath  --subpath=sub/deep   deep  pending  attached
pending  -                    top   pending  attached
once     --once               top   gone     gone
'

# In an Engine that remaps users, where all of them are id-mapped.
MAPPED_KINDS='
idmapped --idmap=always       top   pending  attached
pending  -                    top   pending  attached
'

# What owners mapped differ in is made anew by these.
MAPPED_EVENTS='
restart          started
plugin_upgrade   same
hostvold_kill    same
dockerd_start    started
'

# The events, and what has become of the container's process: it is the same, it has ended, another
# one was started.
EVENTS='
restart          started
stop             ended
stop_start       started
kill             ended
kill_start       started
oom              ended
policy           started
pause            same
unpause          same
rename           same
plugin_cycle     same
plugin_upgrade   same
hostvold_kill    same
hostvold_asleep  started
dockerd_restart  ended
dockerd_kill     ended
dockerd_start    started
everything       started
'

# With live-restore the container outlives its dockerd.
LIVE_EVENTS='
dockerd_restart  same
dockerd_kill     same
restart          started
'

setup() {
	TMP=$(mktemp -d -p /srv hvt.XXXXXX)
	mkdir -p "$TMP/sub/deep"
	echo top >"$TMP/f"
	echo deep >"$TMP/sub/deep/f"
}

teardown() {
	engine_teardown
	rm -rf "$TMP"
}

up() {
	engine_setup "$@"
	engine_registry
	engine_plugin
	docker volume create -d hostvol -o path="$TMP" hvt_data
}

# each TABLE FUNCTION [ARGUMENT...]: call it with the arguments and the fields of each line. Not in a
# condition, where errexit is off in all that it calls.
each() {
	local table=$1 fields
	shift
	while read -ra fields; do
		[[ ${#fields[@]} -gt 0 ]] || continue
		"$@" "${fields[@]}" </dev/null
	done <<<"$table"
}

# A container with an attachment of each kind, "pending" made before it was started the first time.
# When it finds /eat, it eats memory.
furnish() {
	NAME=hvt_web
	docker create --name $NAME --network none --memory 32m "$IMAGE" sh -c \
		'until test -e /eat; do sleep 0.1; done; rm /eat; exec tail /dev/zero'
	engine_hostvol attach hvt_data $NAME:/mnt/pending
	[[ $(state_in_ls pending) == pending && $(state_in_inspect pending) == pending ]]
	docker start $NAME
	each "$KINDS" furnish_one
}

furnish_one() {
	local options=()
	[[ $2 == - ]] || options=("$2")
	[[ $1 == pending ]] || engine_hostvol attach "${options[@]}" hvt_data "$NAME:/mnt/$1"
}

state_in_ls() {
	engine_hostvol ls | awk -v container="$NAME" -v target="/mnt/$1" \
		'$3 == container && $4 == target { print $6 }'
}

state_in_inspect() {
	docker volume inspect -f '{{range .Status.attachments}}{{println .container .target .state}}{{end}}' \
		hvt_data | awk -v container="$NAME" -v target="/mnt/$1" \
		'$1 == container && $2 == target { print $3 }'
}

# What the container's process sees: how often it is mounted, the file, whether it can be written.
view() {
	local pid flags
	pid=$(pid_of "$NAME")
	[[ $pid -gt 0 ]] || return 0
	grep " /mnt/$1 " "/proc/$pid/mountinfo" | wc -l
	cat "/proc/$pid/root/mnt/$1/f" 2>/dev/null
	flags=$(awk -v target="/mnt/$1" '$5 == target { print $6 }' "/proc/$pid/mountinfo")
	echo "${flags%%,*}"
}

# is STATE KIND CONTENT: in every respect.
is() {
	local mode=rw listed=$1
	[[ $2 != ro ]] || mode=ro
	[[ $1 != gone ]] || listed=
	[[ $(state_in_ls "$2") == "$listed" ]] || return 1
	[[ $(state_in_inspect "$2") == "$listed" ]] || return 1
	[[ $2 != idmapped || $1 != attached ]] || is_idmapped "$2" || return 1
	case $1 in
	attached) [[ $(view "$2") == "1"$'\n'"$3"$'\n'"$mode" ]] ;;
	gone) [[ $(pid_of "$NAME") == 0 || $(view "$2") == 0* ]] ;;
	pending) [[ $(pid_of "$NAME") == 0 ]] ;;
	esac
}

is_idmapped() {
	grep " /mnt/$1 " "/proc/$(pid_of "$NAME")/mountinfo" | grep -q idmapped
}

# becomes same|ended|started KIND OPTIONS CONTENT STATE-WHEN-ENDED STATE-WHEN-STARTED
becomes() {
	local state=attached
	[[ $1 != ended ]] || state=$5
	[[ $1 != started ]] || state=$6
	within 20 is "$state" "$2" "$4" || {
		echo "$2 is not $state: ls $(state_in_ls "$2"), inspect $(state_in_inspect "$2")," \
			"inside $(view "$2" | tr '\n' ' ')"
		return 1
	}
}

# goes_through EVENT OUTCOME
goes_through() {
	local before
	furnish >/dev/null
	each "$KINDS" becomes same
	before=$(pid_of "$NAME")
	echo "--- $1"
	"event_$1" >/dev/null
	each "$KINDS" becomes "$2"
	case $2 in
	same) [[ $(pid_of "$NAME") == "$before" ]] ;;
	ended) [[ $(pid_of "$NAME") == 0 ]] ;;
	started) [[ $(pid_of "$NAME") != "$before" && $(pid_of "$NAME") != 0 ]] ;;
	esac
	docker rm -f "$NAME" >/dev/null
	within 10 nothing_listed
}

nothing_listed() {
	[[ $(engine_hostvol ls --format json | tr -d ' \n') == '[]' ]]
}

event_restart() { docker restart -t 0 "$NAME"; }
event_stop() { docker stop -t 0 "$NAME"; }
event_stop_start() { docker stop -t 0 "$NAME" && docker start "$NAME"; }
event_kill() { docker kill "$NAME"; }
event_kill_start() { docker kill "$NAME" && docker start "$NAME"; }
event_pause() { docker pause "$NAME"; }
event_unpause() { docker pause "$NAME" && docker unpause "$NAME"; }

event_oom() {
	docker exec "$NAME" touch /eat
	within 30 has_ended
	[[ $(docker inspect -f '{{.State.OOMKilled}}' "$NAME") == true ]]
}

has_ended() {
	[[ $(pid_of "$NAME") == 0 ]]
}

event_policy() {
	local pid
	pid=$(pid_of "$NAME")
	docker update --restart always "$NAME"
	kill -KILL "$pid"
	within 30 runs_other_than "$pid"
}

runs_other_than() {
	[[ $(pid_of "$NAME") -gt 0 && $(pid_of "$NAME") != "$1" ]]
}

event_rename() {
	docker rename "$NAME" hvt_other
	NAME=hvt_other
}

event_plugin_cycle() { docker plugin disable -f hostvol && enable_plugin; }

# The same program in another plugin: as a newer version would come.
event_plugin_upgrade() {
	engine_push newer
	docker plugin disable -f hostvol
	docker plugin upgrade --grant-all-permissions --skip-remote-check hostvol "$REGISTRY/hostvol:newer"
	enable_plugin
	[[ $(published) == newer ]]
}

event_hostvold_kill() {
	kill -KILL "$(daemon_pid)"
	within 10 engine_hostvol ls
}

# The events of a restart are told to a daemon that does not read them, and read later.
event_hostvold_asleep() {
	local pid
	pid=$(daemon_pid)
	kill -STOP "$pid"
	docker restart -t 0 "$NAME"
	kill -CONT "$pid"
}

event_dockerd_restart() { engine_stop TERM && engine_start; }
event_dockerd_kill() { engine_stop KILL && engine_start; }
event_dockerd_start() { event_dockerd_restart && docker start "$NAME"; }

event_everything() {
	local container
	container=$(pid_of "$NAME")
	engine_kill_all "$(cat "$ENGINE/holder")"
	kill -KILL "$container"
	engine_start
	docker start "$NAME"
}

@test "every kind of attachment goes through every event" {
	up
	each "$EVENTS" goes_through
}

@test "with users remapped, where owners are mapped, through every event too" {
	KINDS=$MAPPED_KINDS
	[[ ${HOSTVOL_ROUNDS:-0} -ge 1000 ]] || EVENTS=$MAPPED_EVENTS # all of them with --all
	engine_remap_users
	chmod 755 "$TMP"
	up --userns-remap=default
	each "$EVENTS" goes_through
}

@test "with live-restore the container and its attachments outlive dockerd" {
	up --live-restore
	each "$LIVE_EVENTS" goes_through
}

@test "what was made for an attachment is removed by a detach after restarts" {
	up
	NAME=hvt_web
	docker run -d --name $NAME --network none "$IMAGE" sleep 100000
	engine_hostvol attach hvt_data $NAME:/made/for/it
	docker restart -t 0 $NAME
	docker restart -t 0 $NAME
	within 10 test -e "/proc/$(pid_of $NAME)/root/made/for/it/f"
	engine_hostvol detach $NAME:/made/for/it
	run -0 docker diff $NAME
	[[ -z $output ]]
}

@test "what is unmounted inside is missing, is left alone, and is back after the next start" {
	up
	NAME=hvt_web
	docker run -d --name $NAME --network none --cap-add SYS_ADMIN \
		--security-opt apparmor=unconfined "$IMAGE" sleep 100000
	engine_hostvol attach hvt_data $NAME:/mnt/rw
	docker exec $NAME umount /mnt/rw
	[[ $(state_in_ls rw) == missing ]]
	within 5 test "$(state_in_inspect rw)" = missing
	kill -KILL "$(daemon_pid)" # who starts and looks at everything does not fight it either
	within 10 engine_hostvol ls
	sleep 1
	[[ $(state_in_ls rw) == missing && $(view rw) == 0* ]]
	docker restart -t 0 $NAME
	within 10 is attached rw top
}

@test "detach from a stopped container removes the record, and so does removing the container" {
	up
	NAME=hvt_web
	docker create --name $NAME --network none "$IMAGE" sleep 100000
	run -0 engine_hostvol check hvt_data $NAME:/mnt/rw
	[[ $output == *"attached when it starts"* ]]
	run -0 engine_hostvol attach hvt_data $NAME:/mnt/rw
	[[ $output == $NAME:/mnt/rw ]]
	run -0 engine_hostvol attach hvt_data $NAME:/mnt/rw
	[[ $(engine_hostvol ls | grep -c $NAME) == 1 ]]
	fails_with 1 "already, when that starts" "--replace" -- \
		engine_hostvol attach --ro hvt_data $NAME:/mnt/rw
	fails_with 1 "attached to container 'hvt_web' at /mnt/rw" -- docker volume rm hvt_data
	engine_hostvol detach $NAME:/mnt/rw
	docker start $NAME
	[[ $(view rw) == 0* ]]
	docker stop -t 0 $NAME
	engine_hostvol attach hvt_data $NAME:/mnt/rw
	docker rm $NAME
	docker volume rm hvt_data
	nothing_listed
}

@test "a start that cannot have its attachment says why, and gets it when it can" {
	up
	NAME=hvt_web
	docker run -d --name $NAME --network none "$IMAGE" sleep 100000
	engine_hostvol attach hvt_data $NAME:/mnt/rw
	docker stop -t 0 $NAME
	mv "$TMP" "$TMP.away"
	docker start $NAME
	within 5 is_waiting_for_source
	mv "$TMP.away" "$TMP"
	within 20 is attached rw top
}

is_waiting_for_source() {
	docker volume inspect -f '{{json .Status.attachments}}' hvt_data | grep "$TMP.*pending\|pending.*$TMP"
}
