# SPDX-License-Identifier: Apache-2.0
load helpers
load plain

# What is mounted and unmounted in containers is noticed at once, and by whom, where the kernel tells of it (Linux
# 6.15). Nothing here asks for the attachments before: the minute in which they are looked at anyway is longer than
# any wait.

setup() {
	plain_setup
	mkdir "$TMP/src"
}

teardown() { plain_teardown; }

hostvol() {
	HOSTVOL_SOCKET=$PLAIN/socket "$BUILD/cli/docker-hostvol" "$@"
}

# The kernel tells, and the daemon listens.
is_told() {
	send HotInfo '{}'
	[[ $(jq .Drift.Told <<<"$ANSWER") == true ]]
}

need_told() {
	! is_told || return 0
	! printf '6.15\n%s\n' "$(uname -r)" | sort -CV || return 1
	skip "before Linux 6.15 the kernel does not tell of mounts"
}

# attach CONTAINER TARGET: of a container that runs.
attach() {
	hostvol attach "$TMP/src" "$1:$2"
	eventually has_marks "${3:-1}"
}

# inside CONTAINER ACTION PATH
inside() {
	local container=$1
	shift
	python3 "$BATS_TEST_DIRNAME/drift.py" "$(pid_of "$container")" "$@" 0
}

# inside_slowly CONTAINER ACTION PATH: by the process $WHO, which stays for a second.
inside_slowly() {
	python3 "$BATS_TEST_DIRNAME/drift.py" "$(pid_of "$1")" "$2" "$3" 3>&- &
	WHO=$!
}

# are WORDS [OPTION...]: the actions up to now, in a line.
are() {
	local wanted=$1
	shift
	[[ $(hostvol events --since 1h --until 0s --format '{{.Action}}' "$@" | grep -v '^late$' | paste -sd ' ') == "$wanted" ]]
}

detail() {
	hostvol events --since 1h --until 0s -f "action=$1" --format '{{.Detail}}' | tail -n 1
}

# has_marks COUNT: so many mount namespaces are watched.
has_marks() {
	[[ $(cat /proc/"$DAEMON"/fdinfo/* 2>/dev/null | grep -c '^fanotify mnt_ns:') == "$1" ]]
}

@test "an unmount inside is told at once, with its process" {
	run_daemon
	need_told
	start hvt_web
	attach hvt_web /mnt/d
	inside_slowly hvt_web umount /mnt/d
	eventually are 'attach missing'
	wait $WHO
	[[ $(detail missing) == "it was unmounted, or its mountpoint was removed, by process $WHO (python3)" ]]
	run -0 hostvol ls
	[[ $output == *"by process $WHO (python3)"* ]]
	[[ $(hostvol ls --format json | jq -r '.[].State') == missing ]]
	stop_daemon
	run_daemon # which has not seen it
	run -0 hostvol ls
	[[ $output == *"by process $WHO (python3)"* ]]
	are 'attach missing'
}

@test "a mount on top and a mount above are told with their processes, and when they are gone" {
	local path actions=attach
	run_daemon
	need_told
	start hvt_web
	attach hvt_web /mnt/d
	for path in /mnt/d /mnt; do
		inside_slowly hvt_web cover "$path"
		eventually are "$actions covered"
		wait $WHO
		[[ $(detail covered) == "covered by a mount at $path (tmpfs), by process $WHO (python3)" ]]
		[[ $(hostvol inspect hvt_web:/mnt/d) == *"by process $WHO (python3)"* ]]
		inside hvt_web umount "$path"
		actions+=" covered uncovered"
		eventually are "$actions"
	done
}

@test "each attachment of a container is told" {
	local target
	run_daemon
	need_told
	start hvt_web
	attach hvt_web /mnt/a
	attach hvt_web /mnt/b
	attach hvt_web /srv/c
	inside hvt_web cover /mnt
	for target in /mnt/a /mnt/b; do
		eventually are 'attach covered' -f target=$target
	done
	inside hvt_web umount /mnt
	inside hvt_web umount /mnt/b
	eventually are 'attach covered uncovered' -f target=/mnt/a
	eventually are 'attach covered uncovered missing' -f target=/mnt/b
	are attach -f target=/srv/c
}

@test "what hostvol does itself is no drift" {
	run_daemon
	need_told
	mkdir "$TMP/other"
	start hvt_web
	attach hvt_web /mnt/d
	for _ in 1 2 3; do
		hostvol attach --replace "$TMP/other" hvt_web:/mnt/d
		hostvol attach --replace "$TMP/src" hvt_web:/mnt/d
	done
	hostvol attach "$TMP/other" hvt_web:/mnt/e
	hostvol detach hvt_web:/mnt/e
	hostvol detach hvt_web:/mnt/d
	eventually has_marks 0
	docker restart -t 0 hvt_web
	attach hvt_web /mnt/d
	docker restart -t 0 hvt_web
	is_back() { [[ $(hostvol ls --format json | jq -r '.[].State') == attached ]]; }
	eventually is_back
	run hostvol events --since 1h --until 0s
	[[ $output != *missing* && $output != *covered* ]]
}

@test "after more events than the kernel keeps all states are right, also those of other containers" {
	run_daemon
	need_told
	start hvt_web
	start hvt_other
	attach hvt_web /mnt/d
	attach hvt_other /mnt/d 2
	docker exec hvt_web mkdir /storm
	inside hvt_web storm /storm
	inside hvt_web umount /mnt/d
	eventually are 'attach missing' -f container=hvt_web
	are attach -f container=hvt_other
	inside_slowly hvt_other umount /mnt/d
	eventually are 'attach missing' -f container=hvt_other
	wait $WHO
	[[ $(hostvol events --since 1h --until 0s -f container=hvt_other -f action=missing) == *"by process $WHO (python3))" ]]
	is_told
}

@test "marks come back with the daemon, and end with the attachments and the containers" {
	run_daemon
	need_told
	start hvt_web
	start hvt_other
	has_marks 0
	attach hvt_web /mnt/d
	hostvol attach "$TMP/src" hvt_web:/mnt/e
	attach hvt_other /mnt/d 2
	kill -9 "$DAEMON"
	wait "$DAEMON" || true
	run_daemon
	eventually has_marks 2
	inside hvt_web umount /mnt/e
	eventually are 'attach missing' -f target=/mnt/e
	hostvol detach hvt_web:/mnt/d
	has_marks 2
	hostvol detach hvt_web:/mnt/e
	eventually has_marks 1
	docker rm -f hvt_other
	eventually has_marks 0
}

@test "a daemon at rest does not wake up, but to look at the health of volumes" {
	run_daemon
	start hvt_web
	hostvol attach "$TMP/src" hvt_web:/mnt/d
	wakeups() {
		awk '/^Pid/ { pid = $2 } /^voluntary_ctxt_switches/ { print pid, $2 }' /proc/"$DAEMON"/task/*/status
	}
	rests() {
		local before
		before=$(wakeups)
		sleep 3
		[[ $(diff <(echo "$before") <(wakeups) | grep -c '^>') -le 1 ]]
	}
	eventually rests # what it does each minute may fall into one
}

@test "where the kernel does not tell, doctor says so, and a look notices it" {
	run_daemon "$BUILD/tests/support/deny_syscall" fanotify_init ENOSYS --
	run ! is_told
	start hvt_web
	hostvol attach "$TMP/src" hvt_web:/mnt/d
	inside hvt_web umount /mnt/d
	run hostvol doctor
	[[ $output == *"note  drift: unmounts in containers are noticed within a minute (the kernel does not tell"* ]]
	eventually are 'attach missing' # doctor lists the attachments
	[[ $(detail missing) == "it was unmounted, or its mountpoint was removed" ]]
}

@test "the plugin in Docker is told too" {
	run_daemon
	need_told
	local since
	since=$(date +%s.%N)
	docker hostvol doctor | grep '^ok    drift: '
	docker volume create -d hostvol -o path="$TMP/src" hvt_data
	start hvt_web
	docker hostvol attach hvt_data hvt_web:/mnt/d
	inside_slowly hvt_web umount /mnt/d
	is_missing() { docker hostvol events --since "$since" --until 0s -f volume=hvt_data -f action=missing | grep "by process $WHO (python3)"; }
	eventually is_missing
	wait $WHO
}
