# SPDX-License-Identifier: Apache-2.0
load helpers
load plain

# Targets below each other, and targets where Docker has mounted something: what is recorded is what
# comes back with each start, and a detach brings back what was there. docs/targets.md has the table.

setup() {
	plain_setup
	local name
	for name in outer inner app data; do
		mkdir -p "$TMP/$name/data"
		echo "$name" >"$TMP/$name/who"
		echo "$name" >"$TMP/$name/hosts"
	done
	run_daemon
	must Create '{"Name":"hvt_outer","Opts":{"path":"'"$TMP"'/outer"}}'
	must Create '{"Name":"hvt_inner","Opts":{"path":"'"$TMP"'/inner"}}'
}

teardown() { plain_teardown; }

hostvol() {
	HOSTVOL_SOCKET=$PLAIN/socket "$BUILD/cli/docker-hostvol" "$@"
}

# who CONTAINER PATH...: the volume or directory that each path shows; "-" for none of them.
who() {
	local root path all=()
	root=/proc/$(pid_of "$1")/root
	shift
	for path in "$@"; do
		all+=("$(cat "$root$path/who" 2>/dev/null || echo -)")
	done
	echo "${all[*]}"
}

# shows WANTED CONTAINER PATH...
shows() {
	local wanted=$1 is
	shift
	is=$(who "$@")
	[[ $is == "$wanted" ]] || { echo "$*: $is, not $wanted" && return 1; }
}

# states CONTAINER: "TARGET STATE PROBLEM" of each attachment, a line each, sorted.
states() {
	send HotList '{"Container":"'"$1"'"}'
	jq -r '.Attachments[] | [.Target, .State, .Problem // ""] | join(" ")' <<<"$ANSWER" | sort
}

# has_states CONTAINER LINE...
has_states() {
	local name=$1 is
	shift
	is=$(states "$name" | sed "s,\, by process .*,,")
	[[ $is == "$(printf '%s\n' "$@")" ]] || { echo "$name: $is" && return 1; }
}

# ORDER KIND: which is attached first; over which of them Docker has mounted something.
cells() {
	local order kind
	for order in outer inner; do
		for kind in none outer inner both; do
			echo "$order" "$kind"
		done
	done
}

# dockers KIND: what the container shows at /app and /app/data without hostvol.
dockers() {
	case $1 in
	none) echo "- -" ;;
	outer) echo "app -" ;;
	inner) echo "- data" ;;
	both) echo "app data" ;;
	esac
}

# make_cell ORDER KIND
make_cell() {
	local name=hvt_$1_$2 options=() second=outer
	[[ $2 != outer && $2 != both ]] || options+=(-v "$TMP/app:/app")
	[[ $2 != inner && $2 != both ]] || options+=(-v "$TMP/data:/app/data")
	start "$name" "${options[@]}"
	attach_cell "$name" "$1"
	[[ $1 != outer ]] || second=inner
	attach_cell "$name" "$second"
}

attach_cell() {
	local target=/app
	[[ $2 == outer ]] || target=/app/data
	must HotAttach '{"Volume":"hvt_'"$2"'","Container":"'"$1"'","Target":"'"$target"'","Replace":true}'
}

# each COMMAND...: in every cell; its words ORDER and KIND are put behind.
each() {
	local order kind
	while read -r order kind; do
		"$@" "$order" "$kind" </dev/null || { echo "in $order $kind" && return 1; }
	done < <(cells)
}

restart_all() {
	local names
	mapfile -t names < <(cells | sed 's/^/hvt_/; s/ /_/')
	docker restart -t 0 "${names[@]}"
}

both_are_there() {
	within 20 has_states "hvt_$1_$2" "/app attached " "/app/data attached "
	shows "outer inner" "hvt_$1_$2" /app /app/data
}

both_wait() {
	local missing="the directory $TMP/outer of volume 'hvt_outer' is not there"
	within 20 has_states "hvt_$1_$2" "/app pending $missing" \
		"/app/data pending waits for volume 'hvt_outer' at /app"
	shows "$(dockers "$2")" "hvt_$1_$2" /app /app/data
}

leaves_dockers() {
	must HotDetach '{"Container":"hvt_'"$1_$2"'","Target":"/app/data"}'
	shows "outer -" "hvt_$1_$2" /app /app/data
	must HotDetach '{"Container":"hvt_'"$1_$2"'","Target":"/app"}'
	shows "$(dockers "$2")" "hvt_$1_$2" /app /app/data
}

@test "nested and replaced targets over restarts, in both orders, with the outer source away and back" {
	each make_cell
	each both_are_there
	restart_all
	each both_are_there
	mv "$TMP/outer" "$TMP/away"
	restart_all
	each both_wait
	mv "$TMP/away" "$TMP/outer"
	each both_are_there
	stop_daemon
	restart_all # while nobody looks
	run_daemon
	each both_are_there
	each leaves_dockers
}

@test "what Docker mounted is covered at each start, and uncovered by a detach" {
	local name target
	start hvt_v -v "$TMP/app:/t"
	start hvt_tmpfs --tmpfs /t
	start hvt_hosts
	docker create --label "$LABEL" --network none --name hvt_later -v "$TMP/app:/t" "$IMAGE" sleep 100000
	fails_with 1 "something is mounted at /t" "--replace" "covered until" -- \
		hostvol attach hvt_outer hvt_v:/t
	for name in v tmpfs later; do
		[[ $(hostvol attach --replace hvt_outer hvt_$name:/t) == hvt_$name:/t ]]
	done
	hostvol attach --replace --subpath hosts hvt_outer hvt_hosts:/etc/hosts
	for _ in 1 2; do
		docker restart -t 0 hvt_v hvt_tmpfs hvt_hosts hvt_later
		for name in v tmpfs later; do
			within 20 shows outer hvt_$name /t
		done
		within 20 grep -qx outer "/proc/$(pid_of hvt_hosts)/root/etc/hosts"
	done
	hostvol attach --replace hvt_inner hvt_v:/t
	shows inner hvt_v /t
	for name in v tmpfs later; do
		hostvol detach hvt_$name:/t
	done
	hostvol detach hvt_hosts:/etc/hosts
	shows app hvt_v /t
	shows app hvt_later /t
	docker exec hvt_tmpfs grep -c ' /t tmpfs ' /proc/mounts
	docker exec hvt_hosts grep localhost /etc/hosts
	fails_with 1 "no volume is attached at /t" "a docker run -v mount lasts" -- \
		hostvol detach hvt_v:/t
}

@test "what an attach hides is named, and what covers an attachment, with the way out" {
	start hvt_web --cap-add SYS_ADMIN --security-opt apparmor=unconfined -v "$TMP/app:/app/data"
	run -0 hostvol check hvt_outer hvt_web:/app
	[[ $output == *"below: the mount at /app/data ("*") is hidden until volume 'hvt_outer' is detached from /app"* ]]
	run -0 --separate-stderr hostvol attach hvt_outer hvt_web:/app
	[[ $output == hvt_web:/app ]]
	# shellcheck disable=SC2154 # set by run --separate-stderr
	[[ $stderr == "note: the mount at /app/data ("*") is hidden until volume 'hvt_outer' is detached from /app" ]]
	hostvol detach hvt_web:/app
	shows app hvt_web /app/data
	hostvol attach hvt_inner hvt_web:/mnt/o/sub
	docker exec hvt_web mount -t tmpfs own /mnt/o
	has_states hvt_web "/mnt/o/sub covered covered by a mount at /mnt/o (tmpfs)"
	fails_with 1 "'hvt_inner' at /mnt/o/sub in container 'hvt_web' is covered by a mount at /mnt/o (tmpfs)" \
		"hint: unmount that first, in the container" -- hostvol detach hvt_web:/mnt/o/sub
	docker exec hvt_web umount /mnt/o
	hostvol detach hvt_web:/mnt/o/sub
}

@test "what was made for targets is gone when all is detached, in any order" {
	local order
	for order in "in out" "out in"; do
		start hvt_made
		hostvol attach hvt_inner hvt_made:/hvt/x
		hostvol attach hvt_outer hvt_made:/hvt
		hostvol attach hvt_inner hvt_made:/hvt2/a/b
		hostvol attach hvt_outer hvt_made:/hvt2/c
		docker restart -t 0 hvt_made
		within 20 has_states hvt_made "/hvt attached " "/hvt/x attached " "/hvt2/a/b attached " \
			"/hvt2/c attached "
		if [[ $order == "in out" ]]; then
			hostvol detach hvt_made:/hvt/x
			hostvol detach hvt_made:/hvt
			hostvol detach hvt_made:/hvt2/a/b
			hostvol detach hvt_made:/hvt2/c
		else
			hostvol detach --lazy hvt_made:/hvt
			hostvol detach hvt_made:/hvt/x
			hostvol detach hvt_made:/hvt2/c
			hostvol detach hvt_made:/hvt2/a/b
		fi
		[[ -z $(docker diff hvt_made) ]]
		docker rm -f hvt_made
	done
}

@test "an inner target that is missing in a read-only volume: the sentence names that volume" {
	start hvt_web -v "$TMP/app:/docker:ro"
	hostvol attach --ro hvt_outer hvt_web:/app
	fails_with 1 "there is no directory /app/none in container 'hvt_web', and volume 'hvt_outer' is read-only at /app" \
		"hint: create the directory in the volume on the host: mkdir -p $TMP/outer/none" -- \
		hostvol attach hvt_inner hvt_web:/app/none
	fails_with 1 "the mount at /docker (" "is read-only" -- hostvol attach hvt_inner hvt_web:/docker/none
	[[ $(hostvol ls | grep -c hvt_web) == 1 ]]
}
