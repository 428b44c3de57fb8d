# SPDX-License-Identifier: Apache-2.0
load helpers
load plain

# The disk that holds the state fills up, fails, becomes read-only: what was acknowledged stays, the
# refusal says what is wrong, and when the disk works again so does the daemon, without a restart.

setup() {
	plain_setup
	DATA=$TMP/data DISK=$TMP/disk BACKING=$TMP/backing
	STATE=$DISK/state
	mkdir "$DATA" "$DISK" "$BACKING"
	start hvt_web
	PID=$(pid_of hvt_web)
}

teardown() { plain_teardown; }

# make_disk TYPE BYTES MOUNT-OPTIONS: a small disk with the state on it, and things acknowledged.
make_disk() {
	truncate -s "$2" "$BACKING/image"
	"mkfs.$1" -q -b 1024 -N 64 "$BACKING/image"
	mount -o "loop,$3" "$BACKING/image" "$DISK"
	run_daemon
	must Create '{"Name":"hvt_data","Opts":{"path":"'"$DATA"'"}}'
	must HotAttach '{"Volume":"hvt_data","Container":"hvt_web","Target":"/kept"}'
	must HotAttach '{"Volume":"hvt_data","Container":"hvt_web","Target":"/gone","ReadOnly":true}'
	must HotDetach '{"Container":"hvt_web","Target":"/gone"}'
	COUNT=0
}

# create_until_refused: as many volumes as there is room for.
create_until_refused() {
	local limit=$((COUNT + 3000))
	while [[ $COUNT -lt $limit ]]; do
		send Create '{"Name":"hvt_more'"$COUNT"'","Opts":{"path":"'"$DATA"'"}}'
		is_done || return 0
		COUNT=$((COUNT + 1))
	done
	echo "no create was refused" && return 1
}

# refused_with WORD...: what was sent last, in a sentence with a hint.
refused_with() {
	local word
	echo "$STATUS $ANSWER"
	for word in "$@" '"Hint":"' '"Code":"state-unreadable"'; do
		[[ $ANSWER == *"$word"* ]] || return 1
	done
	[[ $STATUS == 503 ]]
}

targets_in_container() {
	cut -d ' ' -f 5 "/proc/$PID/mountinfo" | grep -E '^/(kept|gone|new)' | paste -s -d ,
}

# every acknowledged volume, and the attachment; nothing of what was refused.
all_is_there() {
	send List '{}'
	[[ $(jq -r '.Volumes | length' <<<"$ANSWER") == $((COUNT + 1)) ]]
	send HotList '{}'
	[[ $(jq -r '.Attachments[] | .Target + " " + .State' <<<"$ANSWER") == "/kept attached" ]]
	[[ $(targets_in_container) == /kept ]]
	[[ ! -e /proc/$PID/root/new ]]
}

# every request that would have to be remembered is refused, and changes nothing.
refuses_all_with() {
	send HotAttach '{"Volume":"hvt_data","Container":"hvt_web","Target":"/new/deep"}'
	refused_with "$@"
	send HotAttach '{"Volume":"hvt_data","Container":"hvt_web","Target":"/kept","Replace":true,"ReadOnly":true}'
	refused_with "$@"
	send HotDetach '{"Container":"hvt_web","Target":"/kept"}'
	refused_with "$@"
	send Create '{"Name":"hvt_new"}'
	refused_with "$@"
	send Remove '{"Name":"hvt_data"}'
	[[ $STATUS != 200 ]]
	all_is_there
}

# works_again: without a restart, and after one everything is remembered.
works_again() {
	must Create '{"Name":"hvt_new"}'
	must Remove '{"Name":"hvt_new"}'
	must HotAttach '{"Volume":"hvt_data","Container":"hvt_web","Target":"/new/deep"}'
	must HotDetach '{"Container":"hvt_web","Target":"/new/deep"}'
	all_is_there
	kill -KILL "$DAEMON"
	wait "$DAEMON" || true
	run_daemon
	all_is_there
	must HotDetach '{"Container":"hvt_web","Target":"/kept"}'
	[[ -z $(targets_in_container) ]]
}

@test "a full disk" {
	make_disk ext4 8M errors=continue
	dd if=/dev/zero of="$DISK/ballast" bs=1k 2>/dev/null || true
	create_until_refused
	refused_with "the disk that holds hostvol's state is full"
	refuses_all_with "the disk that holds hostvol's state is full"
	rm "$DISK/ballast"
	works_again
}

@test "a disk that cannot be written to" {
	mount -t tmpfs -o size=2500k tmpfs "$BACKING"
	make_disk ext2 8M errors=continue
	dd if=/dev/zero of="$BACKING/ballast" bs=1k 2>/dev/null || true # what is new has no place
	create_until_refused
	refused_with "hostvol's state cannot be read or written"
	refuses_all_with "hostvol's state cannot be read or written"
	rm "$BACKING/ballast"
	works_again
}

@test "a state that is read-only when the daemon starts" {
	make_disk ext4 8M errors=continue
	stop_daemon
	mount -o remount,ro "$DISK"
	run_daemon
	for call in Create HotAttach HotDetach HotList; do
		send "$call" '{"Name":"hvt_new","Volume":"hvt_data","Container":"hvt_web","Target":"/new"}'
		[[ $call != HotList && $call != HotDetach ]] ||
			send "$call" '{"Container":"hvt_web","Target":"/kept"}'
		[[ $call != HotList ]] || send "$call" '{}'
		refused_with "it is on a read-only file system" || return 1
	done
	[[ $(targets_in_container) == /kept ]]
	mount -o remount,rw "$DISK"
	within 10 must List '{}'
	works_again
}

@test "a state whose file system the kernel makes read-only" {
	make_disk ext4 8M errors=remount-ro
	local device
	device=$(findmnt -n -o SOURCE "$DISK")
	echo 1 >"/sys/fs/ext4/${device##*/}/trigger_fs_error"
	refuses_all_with "hostvol's state cannot be read or written"
	stop_daemon
	umount "$DISK"
	fsck.ext4 -fp "$BACKING/image" || [[ $? -eq 1 ]]
	mount -o loop "$BACKING/image" "$DISK"
	run_daemon
	works_again
}
