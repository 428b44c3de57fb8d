# SPDX-License-Identifier: Apache-2.0
load helpers
load plain

# The daemon as a service of the system, and not as a managed plugin.

setup() {
	plain_setup
	OPTIONS=(--state "$PLAIN/state" --mount-root "$PLAIN/mounts")
}

teardown() { plain_teardown; }

@test "systemd finds no fault with the units" {
	DESTDIR=$TMP/root cmake --install "$BUILD" >/dev/null
	mkdir -p "$TMP/root/usr/lib/systemd"
	cp -a /lib/systemd/system "$TMP/root/usr/lib/systemd/" # what they refer to
	units=$(dirname "$(find "$TMP/root" -name hostvold.socket)")
	run -0 systemd-analyze verify --man=no --root="$TMP/root" "$units/hostvold.service" \
		"$units/hostvold.socket"
	[[ $output != *hostvold* ]]
	run -0 grep ^ExecStart= "$units/hostvold.service"
	[[ -x $TMP/root${output#ExecStart=} ]]
}

@test "the socket that systemd passes is the one that is answered" {
	systemd-socket-activate -l "$PLAIN/socket" "$BUILD/driver/daemon/hostvold" \
		--socket "$PLAIN/unused" "${OPTIONS[@]}" >"$PLAIN/log" 2>&1 3>&- &
	DAEMON=$!
	within 5 test -S "$PLAIN/socket"
	[[ $(cat "/proc/$DAEMON/comm") != hostvold ]] # not before someone asks
	must Create '{"Name":"hvt_data"}'
	[[ $(cat "/proc/$DAEMON/comm") == hostvold ]]
	[[ ! -e $PLAIN/unused ]]
}

@test "the daemon has as many descriptors as it may have" {
	run_daemon prlimit --nofile=64:4096
	[[ $(awk '/^Max open files/ { print $4, $5 }' "/proc/$DAEMON/limits") == "4096 4096" ]]
}

@test "a request that comes while the daemon restarts waits, and is answered" {
	python3 "$BATS_TEST_DIRNAME/activate.py" "$PLAIN/socket" "$BUILD/driver/daemon/hostvold" \
		"${OPTIONS[@]}" >"$PLAIN/log" 2>&1 3>&- &
	DAEMON=$!
	within 5 test -S "$PLAIN/socket"
	must Create '{"Name":"hvt_data"}'
	for signal in TERM KILL; do
		daemon=$(pgrep -P "$DAEMON")
		kill "-$signal" "$daemon"
		within 5 fails kill -0 "$daemon"
		send List '{}' # there is no daemon now
		is_done
		[[ $ANSWER == *hvt_data* ]]
	done
}

fails() {
	! "$@" 2>/dev/null
}

@test "two daemons do not mount volumes in one directory" {
	run_daemon
	"$BUILD/driver/daemon/hostvold" --socket "$PLAIN/second" --state "$PLAIN/other" \
		--mount-root "$PLAIN/mounts" >>"$PLAIN/log" 2>&1 3>&- &
	second=$!
	within 5 says "another hostvol daemon mounts its volumes in $PLAIN/mounts"
	must List '{}'
	stop_daemon
	within 5 says '"Err":""' # it is its turn
	kill $second
	wait $second
}

says() {
	curl -s --max-time 5 --unix-socket "$PLAIN/second" -d '{"Name":"hvt_second"}' \
		http://h/VolumeDriver.Create | grep -F "$1"
}

# An Engine that answers when there is a file $PLAIN/answers; a line in $PLAIN/asked for each request.
slow_engine() {
	python3 - "$PLAIN/engine" "$PLAIN/answers" "$PLAIN/asked" <<-'END' 3>&- &
		import os, socketserver, sys, time
		class Slow(socketserver.StreamRequestHandler):
		    def handle(self):
		        asked = self.rfile.readline()
		        with open(sys.argv[3], "ab", buffering=0) as file:
		            file.write(asked)
		        while not os.path.exists(sys.argv[2]):
		            time.sleep(0.01)
		        body = b'{"message":"No such container: web"}'
		        self.wfile.write(b"HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s"
		            % (len(body), body))
		class Server(socketserver.ThreadingUnixStreamServer):
		    request_queue_size = 128
		Server(sys.argv[1], Slow).serve_forever()
	END
	ENGINE_PID=$!
	within 5 test -S "$PLAIN/engine"
}

@test "SIGTERM with 50 requests in flight: each of them is answered" {
	slow_engine
	OPTIONS+=(--engine "$PLAIN/engine")
	"$BUILD/driver/daemon/hostvold" --socket "$PLAIN/socket" "${OPTIONS[@]}" >"$PLAIN/log" 2>&1 3>&- &
	DAEMON=$!
	within 5 test -S "$PLAIN/socket"
	must Create '{"Name":"hvt_data"}'
	for i in $(seq 25); do
		ask "$i" /HotAttach '{"Volume":"hvt_data","Container":"web","Target":"/x"}'
		ask "a$i" /VolumeDriver.Create "{\"Name\":\"hvt_$i\",\"Opts\":{\"attach\":\"web:/x\"}}"
	done
	within 8 has_asked 50 # it gives the Engine ten seconds
	kill -TERM "$DAEMON"
	touch "$PLAIN/answers"
	wait "${clients[@]}"
	wait "$DAEMON"
	kill "$ENGINE_PID"
	cat "$PLAIN"/answer.*
	[[ $(cat "$PLAIN"/answer.* | grep -o '"Code":"no-such-container"' | wc -l) == 50 ]]
}

ask() {
	curl -s --max-time 20 --unix-socket "$PLAIN/socket" -o "$PLAIN/answer.$1" -d "$3" "http://hostvol$2" 3>&- &
	clients+=($!)
}

# has_asked COUNT: each request asks the Engine once for its container.
has_asked() {
	[[ $(grep -c /containers/web "$PLAIN/asked") -ge $1 ]]
}

@test "SIGTERM again and again under load: what was sent is answered, by this daemon or the next" {
	python3 "$BATS_TEST_DIRNAME/activate.py" "$PLAIN/socket" "$BUILD/driver/daemon/hostvold" \
		"${OPTIONS[@]}" >"$PLAIN/log" 2>&1 3>&- &
	DAEMON=$!
	within 5 test -S "$PLAIN/socket"
	python3 "$BATS_TEST_DIRNAME/load.py" "$PLAIN/socket" 16 8 hvt_ >"$PLAIN/left" 3>&- &
	client=$!
	for _ in $(seq 5); do
		sleep 1
		daemon=$(pgrep -P "$DAEMON")
		kill -TERM "$daemon"
		within 10 fails kill -0 "$daemon"
		within 10 pgrep -P "$DAEMON"
	done
	wait "$client"
	[[ $(wc -l <"$PLAIN/left") -gt 5 ]]
	send List '{}'
	while read -r name; do
		[[ $ANSWER == *"\"$name\""* ]] || { echo "$name is lost" && return 1; }
	done <"$PLAIN/left"
}

@test "a daemon that has a socket of its own takes it away when it ends" {
	run_daemon
	kill -TERM "$DAEMON"
	wait "$DAEMON"
	[[ ! -e $PLAIN/socket ]]
}
