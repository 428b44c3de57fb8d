# SPDX-License-Identifier: Apache-2.0
load helpers
load plain

# The plain daemon of a real Engine's containers, killed at every call that changes something, while
# it works on a request: afterwards the request is wholly done or wholly not, nothing else has
# changed, and it can be made again. Once in a while it is killed a second time while it recovers.

setup() {
	plain_setup
	DATA=$TMP/data OTHER=$TMP/other ON_KERNEL=()
	mkdir "$DATA" "$OTHER"
	start hvt_web --tmpfs /ram
	docker create --label "$LABEL" --network none --name hvt_idle "$IMAGE" true
	PID=$(pid_of hvt_web)
	run_daemon
	must Create '{"Name":"hvt_data","Opts":{"path":"'"$DATA"'"}}'
	must Create '{"Name":"hvt_other","Opts":{"path":"'"$OTHER"'"}}'
	must HotAttach '{"Volume":"hvt_data","Container":"hvt_web","Target":"/kept","ReadOnly":true}'
}

teardown() { plain_teardown; }

# All that a request may change, without what differs from one time to the other.
world() {
	curl -s --max-time 30 --unix-socket "$PLAIN/socket" --data-binary '{}' \
		http://hostvol/VolumeDriver.List http://hostvol/HotList |
		jq -c '(.Volumes // [])[] | .Name, .Status.source,
			(.Status.attachments | map(.container, .target, .mode)), .Status.problem' 2>&1
	curl -s --max-time 30 --unix-socket "$PLAIN/socket" --data-binary '{}' http://hostvol/HotList |
		jq -c '.Attachments[] | [.Volume, .ContainerName, .Target, .ReadOnly, .State,
			(.Problem // "" | sub(", by process .*"; ""))]' # it is another one in each round
	cut -d ' ' -f 4-6 "/proc/$PID/mountinfo" | sort
	grep -F " $TMP/" /proc/self/mountinfo | cut -d ' ' -f 4-6 | sort
	find "$PLAIN/state/volumes" "$PLAIN/state/trash" "$PLAIN/mounts" -mindepth 1 2>/dev/null | sort
	find "$TMP/made" "/proc/$PID/root/new" -xdev 2>/dev/null | sort
}

trash_is_empty() {
	[[ -z $(ls -A "$PLAIN/state/trash" 2>/dev/null) ]]
}

# settles: what is there is WANTED (a variable's name) or the other, within ten seconds.
becomes() {
	local wanted
	for _ in $(seq 100); do
		NOW=$(world)
		for wanted in "$@"; do
			[[ $NOW != "${!wanted}" ]] || return 0
		done
		sleep 0.1
	done
	for wanted in "$@"; do
		echo "--- not $wanted:"
		diff <(echo "${!wanted}") <(echo "$NOW") || true
	done
	tail -n 20 "$PLAIN/log"
	return 1
}

# killed_at N CALL BODY: the daemon at its Nth call of this request. False if it made fewer.
killed_at() {
	run_daemon "${ON_KERNEL[@]}" "$BUILD/tests/support/kill_at" "$1" --
	must List '{}'
	kill -USR1 "$DAEMON"
	send "$2" "$3"
	if is_done; then # what it does after the answer is over soon
		for _ in 1 2 3 4 5; do
			[[ ! -d /proc/$DAEMON ]] || sleep 0.02
		done
	fi
	ACKNOWLEDGED=no
	! is_done || ACKNOWLEDGED=yes
	if [[ $STATUS != 000 ]] && kill -KILL "$(pgrep -P "$DAEMON")" 2>/dev/null; then
		wait "$DAEMON" || true
		is_done || { echo "it is refused: $STATUS $ANSWER" && return 1; }
		IS_KILLED=no
	else
		wait "$DAEMON"
		IS_KILLED=yes
	fi
}

# crash_at N CALL BODY
crash_at() {
	local n=$1 call=$2 body=$3
	killed_at "$n" "$call" "$body" || return 1
	if ((n % 2 == 0)); then # once more, while it recovers
		run_daemon "${ON_KERNEL[@]}" "$BUILD/tests/support/kill_at" "-$((n / 2))" -- || true
		sleep 0.05
		stop_daemon
	fi
	run_daemon "${ON_KERNEL[@]}"
	if [[ $ACKNOWLEDGED == yes ]]; then
		becomes AFTER || return 1
	else
		becomes BEFORE AFTER || return 1
	fi
	send "$call" "$body"
	is_done || [[ $NOW == "$AFTER" && $ANSWER == *'"Code":"no-such-'* ]] ||
		{ echo "made again: $STATUS $ANSWER" && return 1; }
	becomes AFTER
}

# campaign CALL BODY UNDO: every N of it, or some of them with few rounds. UNDO brings back what was
# there before.
campaign() {
	local call=$1 body=$2 undo=$3 n=1 step=1 count=0
	[[ ${HOSTVOL_ROUNDS:-0} -ge 1000 ]] || step=4 n=$((RANDOM % 4 + 1))
	BEFORE=$(world)
	must "$call" "$body"
	within 10 trash_is_empty # which is done after the answer
	AFTER=$(world)
	[[ $BEFORE != "$AFTER" ]]
	"$undo"
	becomes BEFORE
	stop_daemon
	for (( ; ; n += step)); do
		crash_at "$n" "$call" "$body" || { echo "killed at call $n" && return 1; }
		"$undo"
		becomes BEFORE
		stop_daemon
		[[ $IS_KILLED == yes ]] || break
		count=$((count + 1))
	done
	echo "# killed $count times" >&3
	[[ $count -gt 1 ]]
}

ATTACH='{"Volume":"hvt_data","Container":"hvt_web","Target":"/new/deep"}'
REPLACE='{"Volume":"hvt_other","Container":"hvt_web","Target":"/new/deep","Replace":true}'
REPLACE_BACK=${REPLACE/other/data}
DETACH='{"Container":"hvt_web","Target":"/new/deep"}'
NEW='{"Name":"hvt_new"}'

attach() { must HotAttach "$ATTACH"; }
detach() { must HotDetach "$DETACH"; }
replace_back() { must HotAttach "$REPLACE_BACK"; }
create() { must Create "$NEW" && create_files; }
create_files() {
	mkdir -p "$PLAIN/state/volumes/hvt_new/_data/a/b"
	touch "$PLAIN/state/volumes/hvt_new/_data/"{1,2,a/3,a/b/4}
}
remove() { must Remove "$NEW"; }
remove_made() { must Remove "$NEW" && rm -rf "$TMP/made"; }

@test "attach" {
	campaign HotAttach "$ATTACH" detach
}

@test "detach" {
	attach
	campaign HotDetach "$DETACH" attach
}

@test "replace" {
	attach
	campaign HotAttach "$REPLACE" replace_back
}

@test "replace without MOVE_MOUNT_BENEATH" {
	ON_KERNEL=("$BUILD/tests/support/deny_syscall" move_mount_beneath EINVAL --)
	stop_daemon
	run_daemon "${ON_KERNEL[@]}"
	attach
	REPLACE=${REPLACE/true/'"nonatomic"'} REPLACE_BACK=${REPLACE_BACK/true/'"nonatomic"'}
	campaign HotAttach "$REPLACE" replace_back
}

@test "attach where a program unmounted another" {
	lose() {
		attach
		nsenter -t "$PID" -m umount /new/deep
	}
	attach_other='{"Volume":"hvt_other","Container":"hvt_web","Target":"/new/deep"}'
	lose
	undo() { detach && lose; }
	campaign HotAttach "$attach_other" undo
}

# Both are detached afterwards: what was made for the inner one is gone then.
OUTER='{"Volume":"hvt_other","Container":"hvt_web","Target":"/new"}'
detach_outer() { must HotDetach '{"Container":"hvt_web","Target":"/new"}'; }
nothing_is_left() { [[ ! -e /proc/$PID/root/new ]] || { ls -lR "/proc/$PID/root/new" && return 1; }; }

@test "attach over another, which goes on top" {
	attach
	undo() { detach && detach_outer && nothing_is_left && attach; }
	campaign HotAttach "$OUTER" undo
}

@test "detach of an outer one, with what was made below it" {
	attach_outer() { attach && must HotAttach "$OUTER" && detach; }
	attach_outer
	campaign HotDetach '{"Container":"hvt_web","Target":"/new"}' attach_outer
	run_daemon
	detach_outer
	nothing_is_left
}

@test "attach to a container that does not run, and detach" {
	ATTACH=${ATTACH/web/idle} DETACH=${DETACH/web/idle}
	campaign HotAttach "$ATTACH" detach
	run_daemon
	attach
	campaign HotDetach "$DETACH" attach
}

@test "create" {
	campaign Create "$NEW" remove
}

@test "create with directories that are missing" {
	campaign Create '{"Name":"hvt_new","Opts":{"path":"'"$TMP/made/deep"'","mkdir":"true"}}' \
		remove_made
}

@test "create that attaches, and remove that detaches" {
	ATTACHED='{"Name":"hvt_new","Opts":{"from":"hvt_data","attach":"hvt_web:/new/deep"}}'
	create_attached() { must Create "$ATTACHED"; }
	campaign Create "$ATTACHED" remove
	run_daemon
	create_attached
	campaign Remove "$NEW" create_attached
}

@test "remove" {
	create
	campaign Remove "$NEW" create
}

@test "remove that deletes the user's directory" {
	create_purged() {
		must Create '{"Name":"hvt_new","Opts":{"path":"'"$TMP/made/deep"'","mkdir":"true","on-remove":"purge"}}'
		mkdir -p "$TMP/made/deep/a/b"
		touch "$TMP/made/deep/"{1,2,a/3,a/b/4}
	}
	create_purged
	campaign Remove "$NEW" create_purged
}

@test "mount and unmount" {
	local id='{"Name":"hvt_data","ID":"1"}'
	mount_it() { must Mount "$id"; }
	unmount_it() { must Unmount "$id" && must Unmount "$id"; } # each Mount counts
	campaign Mount "$id" unmount_it
	run_daemon
	mount_it
	campaign Unmount "$id" mount_it
}
