# SPDX-License-Identifier: Apache-2.0
load helpers

# Containers that work against hostvol at full speed: an attach is where it was asked to be or
# nowhere, nothing outside the container changes, nothing is left, and the daemon answers all the
# time. HOSTVOL_ROUNDS says how many rounds, of which each has a 25th (scripts/test --all sets 10000).

setup() {
	common_setup
	mkdir "$TMP/data" "$TMP/bin"
	echo whole >"$TMP/data/f"
	make_villain "$TMP/bin/villain"
	docker volume create -d hostvol -o path="$TMP/data" hvt_data
	SOCKET=$(daemon_socket)
	DAEMON=$(daemon_pid)
	ROUNDS=$((${HOSTVOL_ROUNDS:-1000} / 25))
}

teardown() {
	[[ -z ${WATCHER:-} ]] || kill "$WATCHER" 2>/dev/null || true
	common_teardown
}

# --- the game -------------------------------------------------------------------------------

# send ENDPOINT BODY: the answer in $answer, and its Code in $code; '' is success.
send() {
	answer=$(curl -s --max-time 30 --unix-socket "$SOCKET" --data-binary @- "http://hostvol$1" <<<"$2")
	[[ $answer == '{"Err":'* ]]
	code=
	[[ ! $answer =~ \"Code\":\"([a-z-]*)\" ]] || code=${BASH_REMATCH[1]}
}

attach() {
	send /HotAttach "{\"Volume\":\"hvt_data\",\"Container\":\"hvt_web\",\"Target\":\"$1\"${2:-}}"
}

# The mounts of the volume's directory, or of what a race may get at instead, in hvt_web.
ours() {
	awk -v top="$TMP" 'index($4, top) == 1 { print $5, $4 }' "/proc/$PID/mountinfo" 2>/dev/null
}

# begin [OPTION...]: the container, what must not change, and somebody who asks the daemon all the time. A start that
# is held has the daemon begin threads that stay.
begin() {
	start hvt_web -v "$TMP/bin:/villain:ro" "$@"
	attach /mnt/warm ',"Persist":true'
	docker restart -t 0 hvt_web
	PID=$(pid_of hvt_web)
	send /HotDetach '{"Container":"hvt_web","Target":"/mnt/warm"}'
	TMP_OURS=$(ours) # the program's
	MOUNTS=$(host_mounts)
	OWN=$(grep -vc /docker/ "/proc/$DAEMON/mountinfo")
	HOLDS=$(daemon_quiet "$DAEMON")
	SUCCESSES=0
	declare -gA CODES=()
	watch_daemon 3>&- &
	WATCHER=$!
}

watch_daemon() {
	while sleep 0.05; do
		curl -sf --max-time 5 --unix-socket "$SOCKET" -d '{}' http://hostvol/VolumeDriver.List >/dev/null &&
			curl -sf --max-time 5 --unix-socket "$SOCKET" -d '{}' http://hostvol/HotInfo >/dev/null ||
			echo "no answer: $?" >>"$TMP/silence"
	done
}

# play TARGET CODE...: attach and detach; refused with one of the codes, or mounted at one place.
play() {
	local target=$1 id
	shift
	attach "$target" "${EXTRA:-}"
	CODES[${code:-success}]=$((${CODES[${code:-success}]:-0} + 1))
	if [[ -n $code ]]; then
		[[ " $* " == *" $code "* ]] || { echo "refused with: $answer" && return 1; }
	else
		[[ $answer =~ \"ID\":\"([0-9a-f]{12})\" ]]
		id=${BASH_REMATCH[1]}
		SUCCESSES=$((SUCCESSES + 1))
		check_place "$target"
		take_out "$id"
	fi
	[[ $(ours) == "$TMP_OURS" ]] || { echo "left standing: $(ours)" && return 1; }
}

# One mount more, of the volume's directory, and at the place that was asked for, by whatever name the
# villain gave it since. VANISHES: it may be gone.
check_place() {
	local now places='(/mnt/d|/mnt/link|/mnt/d.moved|/tmp|/etc|)' asked=${1#/mnt/d}
	now=$(ours | grep -vxF "$TMP_OURS" || true)
	[[ -n $now || -n ${VANISHES:-} ]] || { echo "attached, and not there" && return 1; }
	[[ -z $now || $now =~ ^$places($asked|/other)" $TMP/data"(/in|/link)?$ ]] ||
		{ echo "attached at: $now" && return 1; }
}

take_out() {
	for _ in $(seq 100); do
		send /HotDetach "{\"ID\":\"$1\"}"
		[[ $code == busy || $code == container-changed ]] || break
	done
	[[ -z $code ]] || { echo "not detached: $answer" && return 1; }
}

# What the races have in common at their end. The villain is gone by then.
finish() {
	kill "$WATCHER"
	wait "$WATCHER" 2>/dev/null || true
	WATCHER=
	declare -p CODES
	[[ ! -e $TMP/silence ]] || { cat "$TMP/silence" && return 1; }
	diff <(echo "$MOUNTS") <(host_mounts)
	[[ $(grep -vc /docker/ "/proc/$DAEMON/mountinfo") == "$OWN" ]]
	diff <(echo "$HOLDS") <(daemon_quiet "$DAEMON" "$HOLDS")
	[[ $(daemon_pid) == "$DAEMON" ]]
	[[ $(docker hostvol ls --format json) != *hvt_web* ]]
	[[ $(find "$TMP/data" | sort) == "$TMP/data"$'\n'"$TMP/data/f" ]]
	nowhere_on_the_host
	PID=$(pid_of hvt_web)
	[[ $PID == 0 ]] || {
		attach /mnt/sane
		[[ $(docker exec hvt_web cat /mnt/sane/f) == whole ]]
		docker hostvol detach hvt_web:/mnt/sane
	}
}

nowhere_on_the_host() {
	local dir
	for dir in / /tmp /etc /proc /mnt /srv; do
		[[ ! -e $dir/hvt_race && ! -e $dir/other ]] || { echo "made on the host: $dir" && return 1; }
	done
}

# race TARGET CODE...: plays the rounds, and goes on while all of it was refused: how often an attach
# gets through is luck.
race() {
	local round
	for ((round = 0; round < ROUNDS || (SUCCESSES == 0 && round < ROUNDS * 50); round++)); do
		play "$@"
	done
	declare -p CODES
	[[ $SUCCESSES -gt 0 ]]
}

end_villain() {
	docker exec hvt_web sh -c 'kill -9 $(pidof villain)'
}

# --- the races ------------------------------------------------------------------------------

@test "a component of the target swapped for symlinks to places as on the host" {
	begin
	docker exec -d hvt_web /villain/villain swap /mnt/d /mnt/link /tmp / /etc ../../.. /proc /mnt/d
	until docker exec hvt_web ls -d /mnt/link; do :; done
	race /mnt/d/hvt_race/new container-changed target-refused target-missing type-mismatch
	end_villain
	finish
}

@test "a target that is renamed and removed" {
	begin
	docker exec -d hvt_web /villain/villain rename /mnt/d hvt_race
	race /mnt/d/hvt_race container-changed target-missing target-refused
	end_villain
	finish
}

@test "a target that is mounted over and uncovered" {
	VANISHES=1
	begin --cap-add SYS_ADMIN --security-opt apparmor=unconfined
	docker exec hvt_web mkdir /mnt/d
	docker exec -d hvt_web /villain/villain cover /mnt/d
	race /mnt/d container-changed target-exists
	end_villain
	finish
}

@test "a source and a subpath swapped for symlinks by another container" {
	mkdir "$TMP/data/in"
	echo part >"$TMP/data/in/f"
	begin
	start hvt_evil -v hvt_data:/data -v "$TMP/bin:/villain:ro"
	docker exec -d hvt_evil /villain/villain swap /data/in /data/link /etc / ../../.. /proc/self/root ../data
	EXTRA=',"Subpath":"in"'
	race /mnt/d/hvt_race source-refused source-missing timeout
	EXTRA=',"Subpath":"in/../f"'
	attach /mnt/x "$EXTRA"
	[[ $code == bad-request ]]
	docker rm -f hvt_evil
	rm -rf "$TMP/data/in" "$TMP/data/link"
	EXTRA=''
	finish
}

@test "a source that is swapped on the host" {
	mkdir "$TMP/swap" "$TMP/swap/data"
	docker volume create -d hostvol -o path="$TMP/swap/data" hvt_swap
	begin
	"$TMP/bin/villain" swap "$TMP/swap/data" "$TMP/swap/link" /etc / ../../.. >/dev/null 2>&1 3>&- &
	villain=$!
	EXTRA=',"Volume":"hvt_swap"'
	for _ in $(seq "$ROUNDS"); do
		attach /mnt/d/hvt_race "$EXTRA"
		if [[ -n $code ]]; then
			[[ $code == source-refused || $code == source-missing ]]
		else
			[[ $(ours | grep -vxF "$TMP_OURS") =~ ^/mnt/d/hvt_race" "$TMP/swap/(data|link)$ ]]
			[[ $answer =~ \"ID\":\"([0-9a-f]{12})\" ]]
			take_out "${BASH_REMATCH[1]}"
		fi
		CODES[${code:-success}]=$((${CODES[${code:-success}]:-0} + 1))
		[[ $(ours) == "$TMP_OURS" ]]
	done
	kill "$villain"
	EXTRA=''
	finish
}

@test "a container that is killed, restarted and stopped at any moment of an attach" {
	begin --init
	(
		for i in $(seq $((ROUNDS / 8 + 1))); do
			docker restart -t 0 hvt_web
			docker kill hvt_web
			docker start hvt_web
		done >"$TMP/restarts" 2>&1
		echo done >"$TMP/restarted"
	) 3>&- &
	restarts=$!
	until [[ -e $TMP/restarted ]]; do
		attach /mnt/d/hvt_race
		CODES[${code:-success}]=$((${CODES[${code:-success}]:-0} + 1))
		case $code in
		'' | not-running | container-changed) ;;
		*) echo "refused with: $answer" && false ;;
		esac
	done
	wait "$restarts"
	PID=$(pid_of hvt_web)
	send /HotDetach '{"Container":"hvt_web","Target":"/mnt/d/hvt_race"}'
	[[ -z $code || $code == no-such-attachment ]]
	TMP_OURS=$(ours)
	[[ $TMP_OURS == "/villain $TMP/bin" ]]
	[[ $(docker exec hvt_web grep -c hvt_race /proc/self/mountinfo) == 0 ]]
	finish
}

@test "hundreds of attaches at once to one container that works against them" {
	begin
	docker exec -d hvt_web /villain/villain swap /mnt/d /mnt/link /tmp / /etc
	for i in $(seq 8); do
		(
			for _ in $(seq $((ROUNDS / 8))); do
				attach "/mnt/d/hvt_race$i"
				[[ $code =~ ^(|container-changed|target-refused|target-missing)$ ]] ||
					echo "$answer" >>"$TMP/wrong"
				[[ -n $code ]] || {
					[[ $answer =~ \"ID\":\"([0-9a-f]{12})\" ]]
					take_out "${BASH_REMATCH[1]}" || echo "$answer" >>"$TMP/wrong"
				}
			done
		) 3>&- &
		players+=($!)
	done
	for player in "${players[@]}"; do wait "$player"; done
	end_villain
	[[ ! -e $TMP/wrong ]] || { cat "$TMP/wrong" && return 1; }
	finish
}
