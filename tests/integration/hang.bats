# SPDX-License-Identifier: Apache-2.0
load helpers
load plain

# One file system whose server does not answer, used by some containers: nobody else waits for it.

setup() {
	plain_setup
	mkdir "$TMP/fuse" "$TMP/data"
	start_server
}

teardown() {
	[[ -z ${SERVER:-} ]] || kill -KILL "$SERVER" 2>/dev/null || true
	umount -l "$TMP/fuse" 2>/dev/null || true
	plain_teardown
}

start_server() {
	"$BUILD/tests/support/fuse_server" "$TMP/fuse" >/dev/null 2>&1 3>&- &
	SERVER=$!
	within 5 grep -q " $TMP/fuse " /proc/self/mountinfo
}

# attach VOLUME CONTAINER TARGET
attach() {
	send HotAttach "{\"Volume\":\"$1\",\"Container\":\"$2\",\"Target\":\"$3\"}"
}

has_state() {
	send HotList "{\"Container\":\"$1\"}"
	[[ $ANSWER == *"\"Target\":\"$2\""*"\"State\":\"$3\""* ]]
}

# Each of these within five seconds, where one that waited for the server would take ten.
others_work() {
	timeout 5 docker restart -t 0 hvt_web
	within 5 has_state hvt_web /data attached
	must Create "{\"Name\":\"hvt_$1\"}"
	must Mount "{\"Name\":\"hvt_$1\",\"ID\":\"x\"}"
	must Unmount "{\"Name\":\"hvt_$1\",\"ID\":\"x\"}"
	must Remove "{\"Name\":\"hvt_$1\"}"
	for container in hvt_web hvt_user; do # one has the silent mount as well
		attach hvt_data "$container" "/mnt/$1"
		is_done
		docker exec "$container" test -e "/mnt/$1/file"
		must HotDetach "{\"Container\":\"$container\",\"Target\":\"/mnt/$1\"}"
	done
}

@test "a server that does not answer holds up its own users only, and heals without a restart" {
	touch "$TMP/data/file"
	start hvt_web --init
	for name in hvt_user hvt_hung1 hvt_hung2; do start "$name" --init; done
	run_daemon
	must Create "{\"Name\":\"hvt_fuse\",\"Opts\":{\"path\":\"$TMP/fuse\"}}"
	must Create "{\"Name\":\"hvt_data\",\"Opts\":{\"path\":\"$TMP/data\"}}"
	attach hvt_fuse hvt_user /remote
	is_done
	docker exec hvt_user cat /remote/file
	attach hvt_data hvt_web /data
	is_done
	kill -USR1 "$SERVER"
	for i in 1 2; do
		(
			attach hvt_fuse "hvt_hung$i" /remote
			echo "$ANSWER" >"$TMP/answer.$i"
		) 3>&- &
		tries[i]=$!
	done
	others_work meanwhile
	wait "${tries[@]}"
	cat "$TMP"/answer.*
	grep -q '"Code":"timeout"' "$TMP/answer.1"
	grep -q '"Code":"timeout"' "$TMP/answer.2"
	# Both wait still, and no signal ends them; a third one does not begin to.
	attach hvt_fuse hvt_web /remote
	[[ $ANSWER == *'earlier tries still wait'*'"Code":"timeout"'* ]]
	others_work afterwards
	kill -KILL "$SERVER"
	wait "$SERVER" || true
	umount -l "$TMP/fuse"
	start_server
	attach hvt_fuse hvt_web /remote
	is_done
	[[ $(docker exec hvt_web cat /remote/file) == data ]]
	must HotDetach '{"Container":"hvt_user","Target":"/remote","Lazy":true}'
	must HotDetach '{"Container":"hvt_web","Target":"/remote"}'
}
