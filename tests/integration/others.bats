# SPDX-License-Identifier: Apache-2.0
load helpers
load plain
load engine

# Nothing of anyone else's is harmed. The kernel takes a mount out of every other mount namespace when
# the directory or file that it is mounted on is removed, and says nothing; so each way to end an
# attachment is tried where others have mounted on its mountpoint.
#
# With HOSTVOLD=PATH another daemon than this checkout's is tried.

setup() {
	plain_setup
	ONE=$TMP/one TWO=$TMP/two
	mkdir "$ONE" "$TWO" "$PLAIN/state"
	mount -t tmpfs none "$PLAIN/state" # which syncs at once
	echo one | tee "$ONE/mark" >"$ONE/file"
	echo two | tee "$TWO/mark" >"$TWO/file"
}

teardown() {
	[[ -z ${INSIDER:-} ]] || kill "$INSIDER"
	[[ -z ${ENGINE:-} ]] || engine_teardown
	[[ -z ${PID:-} ]] || docker ps -aq --filter "label=$LABEL" | xargs -r docker rm -f >/dev/null 2>&1 || true
	[[ -z ${MERGED:-} ]] || unmount_below "$MERGED" # the container's root
	[[ -z ${VOLUME:-} ]] || docker volume rm -f "$VOLUME" >/dev/null 2>&1 || true
	stop_daemon
	unmount_below "$TMP"
	rm -rf "$TMP"
}

# cells ENDING...: a cell is "WHERE_KIND_GUEST_ENDING".
cells() {
	local ending kind guest
	for ending in "$@"; do
		for kind in dir file existing; do
			[[ $ending-$kind != rm-file ]] || continue # option attach= knows no files
			for guest in none docker host hostvol; do echo "shared_${kind}_${guest}_$ending"; done
			for guest in none host insider; do echo "root_${kind}_${guest}_$ending"; done
			for guest in none insider; do echo "ram_${kind}_${guest}_$ending"; done
		done
	done
}

split() {
	IFS=_ read -r WHERE KIND GUEST ENDING <<<"$1"
	case $WHERE in
	shared) TARGET=/s/$1 ;;
	root) TARGET=/$1 ;;
	ram) TARGET=/ram/$1 ;;
	esac
	SUBPATH=''
	[[ $KIND != file ]] || SUBPATH=,\"Subpath\":\"file\"
}

# attach VOLUME CONTAINER [MORE]: to the cell's target.
attach() {
	must HotAttach '{"Volume":"'"$1"'","Container":"'"$2"'","Target":"'"$TARGET"'"'"$SUBPATH${3:-}"'}'
}

# Whether the other's mount is where it was: `path` is as that other sees it.
has_mark() {
	if [[ $KIND == file ]]; then
		[[ $(cat "$1" 2>/dev/null) == two ]]
	else
		[[ -e $1/mark ]]
	fi
}

make_existing() {
	[[ $KIND == existing ]] || return 0
	mkdir "/proc/$PID/root$TARGET"
	echo kept >"/proc/$PID/root$TARGET/kept"
}

begin_cell() {
	split "$1"
	make_existing
	if [[ $ENDING == rm ]]; then
		must Create '{"Name":"'"hvt_$1"'","Opts":{"path":"'"$ONE"'","attach":"hvt_one:'"$TARGET"'"}}'
	else
		attach hvt_1 hvt_one
	fi
	[[ $ENDING != replace ]] || attach hvt_3 hvt_one ',"Replace":true'
	case $GUEST in
	host) mount_on_host "$1" ;;
	hostvol) attach hvt_2 hvt_two ;;
	insider) echo "$KIND $TARGET" >>"$TMP/insider" ;;
	none) [[ $WHERE == shared ]] || echo "none $TARGET" >>"$TMP/insider" ;;
	docker)
		if [[ $KIND == file ]]; then
			DOCKER+=(-v "$TWO/file:$TARGET")
		else
			DOCKER+=(-v "hvt_of_docker:$TARGET")
		fi
		;;
	esac
}

mount_on_host() {
	local from=$TWO
	[[ $KIND != file ]] || from=$TWO/file
	mount --bind "$from" "$(host_path "$1")"
}

host_path() {
	case $WHERE in
	shared) echo "$TMP/shared/$1" ;;
	root) echo "$MERGED/$1" ;;
	esac
}

# A process of the container with mounts of its own.
move_in() {
	# shellcheck disable=SC2016
	nsenter -t "$PID" -m unshare -m sh -c '
		mount --make-rprivate / 2>/dev/null
		mount -t tmpfs none /opt && echo two >/opt/file || exit
		while read -r kind target; do
			umount -l "$target"
			if [ "$kind" = none ]; then continue; fi
			if [ "$kind" = file ]; then mount --bind /opt/file "$target"
			else mount -t tmpfs none "$target" && touch "$target/mark"; fi || exit
		done
		touch /opt/ready
		exec sleep 100000' <"$TMP/insider" 3>&- &
	INSIDER=$!
	within 10 test -e "/proc/$INSIDER/root/opt/ready"
}

end_cell() {
	split "$1"
	case $ENDING in
	detach | replace) must HotDetach '{"Container":"hvt_one","Target":"'"$TARGET"'"}' ;;
	rm) must Remove '{"Name":"'"hvt_$1"'"}' ;;
	settle) nsenter -t "$PID" -m umount "$TARGET" ;;
	esac
}

# check_cell CELL [ended]: prints what is wrong.
check_cell() {
	local path
	split "$1"
	case $GUEST in
	docker) path=/proc/$(pid_of hvt_three)/root$TARGET ;;
	host) path=$(host_path "$1") ;;
	hostvol) path=/proc/$(pid_of hvt_two)/root$TARGET ;;
	insider) path=/proc/$INSIDER/root$TARGET ;;
	none) path='' ;;
	esac
	[[ -z $path ]] || has_mark "$path" || echo "$1: a mount is gone"
	[[ -n ${2:-} ]] || return 0
	# The container's root follows what the host mounts on it, which covers the file.
	[[ $KIND != existing || $WHERE$GUEST == roothost || -e /proc/$PID/root$TARGET/kept ]] ||
		echo "$1: a file is gone"
	[[ $WHERE$GUEST != rootnone || $KIND == existing || ! -e /proc/$PID/root$TARGET ]] ||
		echo "$1: left behind"
}

in_records() {
	python3 - "$PLAIN/state/hostvol.db" "$1" <<-'END'
		import sqlite3, sys
		with sqlite3.connect(sys.argv[1]) as records:
		    print(*(row[0] for row in records.execute(sys.argv[2])))
	END
}

# The intents are settled one after the other; volumes/ has what the last one needs, not what tells.
is_settled() {
	[[ $(curl -s --unix-socket "$PLAIN/socket" -d '{"Names":true}' http://h/VolumeDriver.List |
		jq '[.Volumes[].Status.attachments[]? | select(.container == "hvt_one")] | length') == 0 ]]
}

make_scene() {
	mkdir "$TMP/shared" "$TMP/hold"
	: >"$TMP/insider"
	start hvt_one -v "$TMP/shared:/s" --tmpfs /ram
	start hvt_two -v "$TMP/shared:/s"
	PID=$(pid_of hvt_one) DOCKER=()
	MERGED=$(docker inspect -f '{{.GraphDriver.Data.MergedDir}}' hvt_one)
	VOLUME=hvt_of_docker
	docker volume create hvt_of_docker
	touch "$(docker volume inspect -f '{{.Mountpoint}}' hvt_of_docker)/mark"
	mkdir "/proc/$PID/root/opt"
	run_daemon "$@"
	must Create '{"Name":"hvt_1","Opts":{"path":"'"$ONE"'"}}'
	must Create '{"Name":"hvt_2","Opts":{"path":"'"$TWO"'"}}'
}

@test "what others have mounted on a mountpoint outlives the attachment" {
	local all cell lost
	make_scene
	must Create '{"Name":"hvt_3","Opts":{"path":"'"$ONE"'"}}'

	mapfile -t all < <(cells detach replace settle rm)
	for cell in "${all[@]}"; do begin_cell "$cell"; done
	move_in
	start hvt_three -v "$TMP/shared:/s" "${DOCKER[@]}"
	lost=$(for cell in "${all[@]}"; do [[ $cell == *_none_* ]] || check_cell "$cell"; done)
	[[ -z $lost ]] || { echo "before: $lost" && return 1; }

	for cell in "${all[@]}"; do end_cell "$cell"; done
	kill -KILL "$DAEMON" # as if in the middle of the attaches that are left
	wait "$DAEMON" || true
	in_records "UPDATE attachment SET is_done = 0 WHERE container_name = 'hvt_one'"
	run_daemon
	within 10 is_settled
	stop_daemon
	[[ $(in_records "SELECT count(*) FROM attachment WHERE container_name = 'hvt_one'") == 0 ]]

	lost=$(for cell in "${all[@]}"; do check_cell "$cell" ended; done)
	echo "${#all[@]} cells"
	[[ -z $lost ]] || { echo "$lost" && return 1; }
}

# Somebody mounts on what was made for an attach, which then fails.
mount_guest() {
	case $GUEST in
	host) mount_on_host "$1" ;;
	hostvol) attach hvt_2 hvt_two ;;
	insider) mount_inside ;;
	docker)
		if [[ $KIND == file ]]; then
			start hvt_three -v "$TMP/shared:/s" -v "$TWO/file:$TARGET"
		else
			start hvt_three -v "$TMP/shared:/s" -v "hvt_of_docker:$TARGET"
		fi
		;;
	esac
}

mount_inside() {
	if [[ $KIND == file ]]; then
		nsenter -t "$INSIDER" -m mount --bind /opt/file "$TARGET"
	else
		nsenter -t "$INSIDER" -m mount -t tmpfs none "$TARGET"
		touch "/proc/$INSIDER/root$TARGET/mark"
	fi
}

# fail_cell CELL: prints what is wrong.
fail_cell() {
	local lost='' try
	split "$1"
	make_existing
	echo hold >"$TMP/hold/control"
	(
		attach hvt_1 hvt_one
	) >"$TMP/answer" 2>&1 3>&- &
	try=$!
	read -r -t 30 <"$TMP/hold/held" || { echo "$1: $(cat "$TMP/answer")" && return 0; }
	mount_guest "$1" >"$TMP/guest" 2>&1 || lost="no guest: $(cat "$TMP/guest")"
	echo fail >"$TMP/hold/control"
	! wait $try || lost="it did not fail"
	[[ -z $lost ]] || echo "$1: $lost"
	check_cell "$1" ended
	[[ $GUEST != docker ]] || docker rm -f hvt_three >/dev/null
}

@test "what others have mounted on a mountpoint outlives an attach that fails" {
	local all cell lost
	make_scene "$BUILD/tests/support/hold_move" "$TMP/hold" --
	move_in
	mapfile -t all < <(cells failed)
	lost=$(for cell in "${all[@]}"; do fail_cell "$cell"; done)
	echo "${#all[@]} cells"
	[[ -z $lost ]] || { echo "$lost" && return 1; }
	stop_daemon
	[[ $(in_records "SELECT count(*) FROM attachment WHERE container_name = 'hvt_one'") == 0 ]]
}

@test "a volume that a container of another Engine has mounted is not removed" {
	local id data=$PLAIN/state/volumes/hvt_shared/_data
	run_daemon
	must Create '{"Name":"hvt_shared"}'
	echo data >"$data/file"
	engine_setup # which this daemon does not ask
	start hvt_one -v "$data:/d"
	id=$(docker inspect -f '{{.Id}}' hvt_one)
	send Remove '{"Name":"hvt_shared"}'
	[[ $ANSWER == *"process $(pid_of hvt_one) (sleep) of container ${id::12} has its data mounted at /d"* ]]
	[[ $(docker exec hvt_one cat /d/file) == data ]]
	docker rm -f hvt_one
	mkdir "$TMP/bound"
	mount --bind "$data" "$TMP/bound"
	send Remove '{"Name":"hvt_shared"}'
	[[ $ANSWER == *"mounted at $TMP/bound"* ]]
	umount "$TMP/bound"
	[[ $(cat "$data/file") == data ]]
	must Remove '{"Name":"hvt_shared"}'
	[[ ! -e $PLAIN/state/volumes/hvt_shared ]]
}

@test "a disk with a directory named trash on it is no state directory" {
	STATE=$TMP/disk
	mkdir -p "$STATE/trash/letters"
	echo dear >"$STATE/trash/letters/a"
	run_daemon
	send Create '{"Name":"hvt_data"}'
	[[ $ANSWER == *"$STATE is not hostvol's"*"named trash"* ]]
	kill -0 "$DAEMON"
	[[ $(cat "$STATE/trash/letters/a") == dear ]]
	[[ $(ls "$STATE") == trash ]]
	rm -r "$STATE/trash" # that was it
	within 10 must Create '{"Name":"hvt_data"}'
}
