# SPDX-License-Identifier: Apache-2.0
load helpers
load plain

# What local-persist promises, and users of it rely on, holds; its known faults do not.

setup() { plain_setup; }
teardown() { plain_teardown; }

@test "promise: any directory of the host is a volume's, made if it is not there" {
	docker volume create -d hostvol -o path="$TMP/far/away" -o mkdir=true hvt_p
	run_in -v hvt_p:/d "$IMAGE" sh -c 'echo one >/d/f'
	[[ $(cat "$TMP/far/away/f") == one ]]
	[[ $(docker volume inspect -f '{{.Mountpoint}}' hvt_p) == "$TMP/far/away" ]]
}

@test "promise: the data is kept after docker volume rm, and found again by the next volume of that directory" {
	for round in one two three; do
		docker volume create -d hostvol -o path="$TMP/kept" -o mkdir=true hvt_p
		run_in -v hvt_p:/d "$IMAGE" sh -c "echo $round >>/d/f"
		docker volume rm hvt_p
	done
	docker volume create -d hostvol -o path="$TMP/kept" hvt_other
	[[ $(run_in -v hvt_other:/d "$IMAGE" cat /d/f) == $'one\ntwo\nthree' ]]
}

@test "promise: the volume is there after the driver was restarted" { # after Docker was: restart.bats
	docker volume create -d hostvol -o path="$TMP/x" -o mkdir=true hvt_p
	docker plugin disable -f hostvol
	enable_plugin
	[[ $(docker volume inspect -f '{{.Status.source}}' hvt_p) == "$TMP/x" ]]
}

@test "fault: a relative path is refused, and nothing is made" {
	fails_with 1 "path=data/x" "absolute" "/srv/data" -- \
		docker volume create -d hostvol -o path=data/x -o mkdir=true hvt_p
	fails_with 1 absolute -- docker volume create -d hostvol -o path=./x -o mkdir=true hvt_p
	fails_with 1 absolute -- docker volume create -d hostvol -o path= hvt_p
	[[ -z $(docker volume ls -q -f name=hvt_p) ]]
	root=/proc/$(daemon_pid)/root
	[[ ! -e $root/data && ! -e $root/x ]]
}

@test "fault: an unknown option, mountpoint too, is not ignored" {
	fails_with 1 "unknown option 'mountpoint'" "use option path for a directory of the host" -- \
		docker volume create -d hostvol -o mountpoint="$TMP/x" hvt_p
	[[ ! -e $TMP/x ]]
}

# What of the state file is left, and what takes its place.
damage() {
	case $1 in
	truncated) truncate -s 100 "$2" ;;
	empty_object) echo '{}' >"$2" ;;
	zeroed) dd if=/dev/zero of="$2" bs=4096 count=2 conv=notrunc status=none ;;
	esac
}

@test "fault: with a state that was cut short no volume is forgotten, and none taken for unknown" {
	for way in truncated empty_object zeroed; do
		rm -rf "$PLAIN/state"
		run_daemon
		must Create "{\"Name\":\"hvt_p\",\"Opts\":{\"path\":\"$TMP/$way\",\"mkdir\":\"true\"}}"
		stop_daemon
		cp -a "$PLAIN/state/hostvol.db" "$PLAIN/good"
		rm -f "$PLAIN"/state/hostvol.db-*
		damage "$way" "$PLAIN/state/hostvol.db"
		cp "$PLAIN/state/hostvol.db" "$PLAIN/damaged"
		run_daemon
		for call in Get List Path Mount Unmount; do
			send "$call" '{"Name":"hvt_p","ID":"1"}'
			echo "$way: $call: $STATUS $ANSWER"
			[[ $STATUS == 000 ]] # no answer: Docker keeps what it knows
		done
		send Create '{"Name":"hvt_other"}'
		echo "$way: $STATUS $ANSWER"
		[[ $STATUS != 200 && $ANSWER == *state* ]]
		stop_daemon
		cmp "$PLAIN/state/hostvol.db" "$PLAIN/damaged" # for who can save something
		cp -a "$PLAIN/good" "$PLAIN/state/hostvol.db"
		run_daemon
		must Get '{"Name":"hvt_p"}'
		[[ $ANSWER == *"$TMP/$way"* ]]
		stop_daemon
	done
}

@test "fault: concurrent calls neither crash the daemon nor lose a volume" {
	run_daemon
	python3 "$BATS_TEST_DIRNAME/load.py" "$PLAIN/socket" 6 5 hvt_ >"$PLAIN/left"
	[[ -s $PLAIN/left ]]
	kill -KILL "$DAEMON"
	wait "$DAEMON" || true
	run_daemon
	while read -r name; do must Get "{\"Name\":\"$name\"}"; done <"$PLAIN/left"
}
