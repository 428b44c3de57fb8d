# SPDX-License-Identifier: Apache-2.0
load helpers
load plain

# A container that does not start without an attachment.

setup() {
	plain_setup
	mkdir "$TMP/src"
	echo here >"$TMP/src/who"
	run_daemon
	must Create '{"Name":"hvt_needed","Opts":{"path":"'"$TMP"'/src"}}'
}

teardown() { plain_teardown; }

hostvol() {
	HOSTVOL_SOCKET=$PLAIN/socket "$BUILD/cli/docker-hostvol" "$@"
}

# prepare NAME OPTION...: a container whose program notes each of its starts, and what it sees at /data.
prepare() {
	local name=$1
	shift
	docker create --label "$LABEL" --network none --name "$name" -v "$TMP:/notes" "$@" "$IMAGE" \
		sh -c "cat /data/who >>/notes/ran.$name 2>&1; exec sleep 100000" >/dev/null
	hostvol attach --required hvt_needed "$name:/data"
}

# has_problem NAME TEXT
has_problem() {
	[[ $(hostvol inspect "$1:/data") == *'"pending"'*"$2"* ]]
}

# has_seen NAME TEXT: its program begins a moment after `docker start` has ended.
has_seen() {
	[[ $(cat "$TMP/ran.$1") == "$2" ]]
}

is_running() {
	[[ $(docker inspect -f '{{.State.Running}}' "$1") == true ]]
}

has_daemon_log() {
	grep -q "$1" "$PLAIN/log"
}

@test "what is required is there before the program, or docker start fails and it did not run" {
	prepare hvt_no
	docker start hvt_no
	within 5 has_seen hvt_no here
	[[ $(hostvol inspect hvt_no:/data | jq '.[0].Late') == 0 ]]
	docker stop -t 0 hvt_no
	mv "$TMP/src" "$TMP/away"
	fails_with 1 hvt_no -- docker start hvt_no
	[[ $(wc -l <"$TMP/ran.hvt_no") -eq 1 ]]
	within 5 has_problem hvt_no "the start of container 'hvt_no' was refused, because this is required: the directory $TMP/src"
	fails_with 1 "the container's next start would be refused" -- \
		hostvol check --required hvt_needed hvt_no:/data
	has_daemon_log "its start was refused"
	# Without a restart policy it is left alone, when that was decided.
	within 5 has_daemon_log "it is left so"
	mv "$TMP/away" "$TMP/src"
	hostvol check --required hvt_needed hvt_no:/data
	run ! is_running hvt_no
	docker start hvt_no
	within 5 has_seen hvt_no $'here\nhere'
}

@test "a container with a restart policy is started again once what it requires is back, also by a later hostvold" {
	prepare hvt_again --restart always
	prepare hvt_stays --restart always
	mv "$TMP/src" "$TMP/away"
	fails_with 1 -- docker start hvt_again
	fails_with 1 -- docker start hvt_stays
	within 5 has_problem hvt_again "is started again as soon as it can be attached"
	within 5 has_problem hvt_stays "is started again as soon as it can be attached"
	docker update --restart no hvt_stays
	stop_daemon
	run_daemon
	mv "$TMP/away" "$TMP/src"
	within 5 is_running hvt_again
	within 5 has_seen hvt_again here
	within 5 has_daemon_log "'hvt_stays': its start was refused, and it is left so"
	run ! is_running hvt_stays
	[[ $(hostvol inspect hvt_again:/data | jq -r '.[0].State') == attached ]]
}

@test "a container that crashes and cannot have what it requires is not started by Docker, but by hostvold" {
	prepare hvt_crash --restart always
	docker start hvt_crash
	mv "$TMP/src" "$TMP/away"
	kill -9 "$(pid_of hvt_crash)"
	within 10 has_problem hvt_crash "was refused"
	run ! is_running hvt_crash
	mv "$TMP/away" "$TMP/src"
	within 5 is_running hvt_crash
	within 5 has_seen hvt_crash $'here\nhere'
}
