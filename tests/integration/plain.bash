# SPDX-License-Identifier: Apache-2.0
# A daemon that is not Docker's: what it has is below $PLAIN, its state in $STATE or there. It sees the
# containers of the Engine and is asked over its socket.

BUILD=$BATS_TEST_DIRNAME/../../build/release

plain_setup() {
	common_setup
	PLAIN=$TMP/plain
	mkdir "$PLAIN"
}

plain_teardown() {
	stop_daemon
	common_teardown
}

# run_daemon [WRAPPER...]
run_daemon() {
	rm -f "$PLAIN/socket"
	"$@" "${HOSTVOLD:-$BUILD/driver/daemon/hostvold}" --socket "$PLAIN/socket" --state "${STATE:-$PLAIN/state}" \
		--mount-root "$PLAIN/mounts" >>"$PLAIN/log" 2>&1 3>&- &
	DAEMON=$!
	for _ in $(seq 400); do
		[[ ! -S $PLAIN/socket ]] || return 0
		[[ -d /proc/$DAEMON ]] || return 1
		sleep 0.01
	done
}

stop_daemon() {
	[[ -n ${DAEMON:-} ]] || return 0
	kill "$DAEMON" 2>/dev/null || true
	wait "$DAEMON" 2>/dev/null || true
	DAEMON=''
}

# send CALL BODY: the answer in $ANSWER, its status in $STATUS: 000 if there was none.
send() {
	local endpoint=/$1 out
	[[ $1 == Hot* ]] || endpoint=/VolumeDriver.$1
	out=$(curl -s --max-time 30 --unix-socket "$PLAIN/socket" -w '\n%{http_code}' --data-binary "$2" \
		"http://hostvol$endpoint") || true
	STATUS=${out##*$'\n'} ANSWER=${out%$'\n'*}
}

is_done() {
	[[ $STATUS == 200 && $ANSWER == *'"Err":""'* ]]
}

must() {
	send "$@"
	is_done || { echo "$1 $2: $STATUS $ANSWER" && return 1; }
}
