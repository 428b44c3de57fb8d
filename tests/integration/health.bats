# SPDX-License-Identifier: Apache-2.0
load helpers
load plain

# The health of volumes: each fault is found without any call, and its end.

setup() {
	plain_setup
	SEEN=0
	mkdir "$TMP/data" "$TMP/disk" "$TMP/fuse"
}

teardown() {
	[[ -z ${SERVER:-} ]] || kill -KILL "$SERVER" 2>/dev/null || true
	umount -l "$TMP/fuse" 2>/dev/null || true
	plain_teardown
}

# metric SERIES: of the plain daemon.
metric() {
	curl -sf --max-time 5 --unix-socket "$PLAIN/socket" http://hostvol/metrics |
		awk -v name="$1 " 'index($0, name) == 1 { print $NF }'
}

# volume NAME [OPTS]: create it, and have it looked at: so many looks are two rounds.
volume() {
	must Create "{\"Name\":\"hvt_$1\",\"Opts\":{${2:-}}}"
	looked
}

looks() {
	metric hostvol_volume_looks_total
}

# at_least NUMBER COMMAND...
at_least() {
	local number=$1
	shift
	[[ $("$@") -ge $number ]]
}

looked() {
	within 10 at_least $(($(looks) + 2 * $(metric hostvol_volumes))) looks
}

# new_lines: of the log, behind those that were waited for.
new_lines() {
	tail -n "+$((SEEN + 1))" "$PLAIN/log"
}

has_line() {
	new_lines | grep -q -- "$1"
}

# logged WORDS: a line has them, with no call in between, within the five seconds that are promised.
logged() {
	within 5 has_line "$1"
	SEEN=$((SEEN + $(new_lines | grep -n -m1 -- "$1" | cut -d: -f1)))
}

problem() {
	send Get "{\"Name\":\"hvt_$1\"}"
	jq -r '.Volume.Status.problem // "none"' <<<"$ANSWER"
}

# ill NAME KIND WORDS: a look finds it, and the next Get has it.
ill() {
	logged "$3"
	[[ $(problem "$1") == *"$3"* ]]
	[[ $(metric "hostvol_volume_problems{problem=\"$2\"}") == 1 ]]
}

# well NAME KIND: and none any more.
well() {
	logged "volume 'hvt_$1' is well again"
	[[ $(problem "$1") == none ]]
	[[ $(metric "hostvol_volume_problems{problem=\"$2\"}") == 0 ]]
}

path() {
	echo "\"path\":\"$TMP/$1\""
}

# make_disk [OPTION...]: ext4 from an image at $TMP/disk.
make_disk() {
	truncate -s 16M "$TMP/disk.img"
	mkfs.ext4 -qF "$@" "$TMP/disk.img"
	mount -o loop "$TMP/disk.img" "$TMP/disk"
}

start_server() {
	"$BUILD/tests/support/fuse_server" "$TMP/fuse" >/dev/null 2>&1 3>&- &
	SERVER=$!
	within 5 grep -q " $TMP/fuse " /proc/self/mountinfo
}

stop_server() {
	kill -KILL "$SERVER"
	wait "$SERVER" || true
}

attach() {
	must HotAttach "{\"Volume\":\"hvt_$1\",\"Container\":\"$2\",\"Target\":\"$3\"}"
}

source_of() {
	send Get "{\"Name\":\"hvt_$1\"}"
	jq -r .Volume.Status.source <<<"$ANSWER"
}

@test "path: removed, replaced, made a file; by alias and subpath too" {
	run_daemon
	mkdir "$TMP/data/sub"
	volume p "$(path data)"
	mv "$TMP/data" "$TMP/away"
	ill p missing "the directory $TMP/data of volume 'hvt_p' is not there"
	mv "$TMP/away" "$TMP/data"
	well p missing
	mv "$TMP/data" "$TMP/away"
	mkdir "$TMP/data"
	ill p replaced "the directory $TMP/data of volume 'hvt_p' was replaced by another one"
	rmdir "$TMP/data"
	mv "$TMP/away" "$TMP/data"
	well p replaced
	mv "$TMP/data" "$TMP/away"
	touch "$TMP/data"
	ill p refused "is not a directory"
	rm "$TMP/data"
	mv "$TMP/away" "$TMP/data"
	well p refused
	volume part "$(path data),\"subpath\":\"sub\""
	volume alias '"from":"hvt_p","subpath":"sub"'
	mv "$TMP/data/sub" "$TMP/away"
	within 5 has_line "volume 'hvt_part' is not there"
	within 5 has_line "volume 'hvt_alias' is not there"
	[[ $(metric 'hostvol_volume_problems{problem="missing"}') == 2 ]]
	mv "$TMP/away" "$TMP/data/sub"
	within 5 has_line "volume 'hvt_part' is well again"
	within 5 has_line "volume 'hvt_alias' is well again"
	[[ $(problem part) == none && $(problem alias) == none ]]
}

@test "a directory that was replaced is well again when a container has the new one" {
	run_daemon
	start hvt_web --init
	volume p "$(path data)"
	attach p hvt_web /old
	mv "$TMP/data" "$TMP/away"
	mkdir "$TMP/data"
	ill p replaced "was replaced by another one"
	attach p hvt_web /new
	well p replaced
}

@test "managed: removed and replaced; and a removed volume is no problem" {
	run_daemon
	volume m
	dir=$(source_of m)
	mv "$dir" "$TMP/away"
	ill m missing "the directory $dir of volume 'hvt_m' is not there"
	mkdir "$dir"
	ill m replaced "was replaced by another one"
	rmdir "$dir"
	mv "$TMP/away" "$dir"
	well m replaced
	volume gone
	must Remove '{"Name":"hvt_gone"}'
	looked
	run ! grep hvt_gone "$PLAIN/log"
	for _ in 1 2 3 4 5; do # another directory each time
		must Create '{"Name":"hvt_m2"}'
		must Remove '{"Name":"hvt_m2"}'
	done
	must Create '{"Name":"hvt_m2"}'
	looked
	run ! grep hvt_m2 "$PLAIN/log"
}

@test "a disk: unmounted below a volume and at its path, full, read-only" {
	make_disk
	mkdir "$TMP/disk/sub"
	run_daemon
	volume p "$(path disk/sub)"
	umount "$TMP/disk"
	ill p unmounted "the disk of volume 'hvt_p' is not mounted: nothing is at $TMP/disk"
	mount -o loop "$TMP/disk.img" "$TMP/disk"
	well p unmounted
	fallocate -l 20M "$TMP/disk/file" || true
	ill p nearly-full "volume 'hvt_p' is nearly full"
	rm "$TMP/disk/file"
	well p nearly-full
	mount -o remount,ro "$TMP/disk"
	ill p read-only "has become read-only"
	mount -o remount,rw "$TMP/disk"
	well p read-only
	must Remove '{"Name":"hvt_p"}'
	volume top "$(path disk)"
	umount "$TMP/disk" # an empty directory is left
	ill top unmounted "the disk of volume 'hvt_top' is not mounted: nothing is at $TMP/disk"
	mount -o loop "$TMP/disk.img" "$TMP/disk"
	well top unmounted
}

@test "a disk: its inodes are used up" {
	make_disk -N 64
	run_daemon
	volume p "$(path disk)"
	for i in $(seq 60); do touch "$TMP/disk/$i" || break; done
	ill p nearly-full "% of the inodes of $TMP/disk are in use"
	rm "$TMP"/disk/[0-9]*
	well p nearly-full
}

@test "a disk that is required is missed by a daemon that starts without it" {
	make_disk
	run_daemon
	volume p "$(path disk),\"require-mount\":\"true\""
	stop_daemon
	umount "$TMP/disk"
	[[ $(findmnt -no TARGET -T "$TMP/disk") == / ]] || skip "the files of tests are on a mount of their own"
	run_daemon
	ill p unmounted "the disk of volume 'hvt_p' is not mounted"
	mount -o loop "$TMP/disk.img" "$TMP/disk"
	well p unmounted
}

@test "filesystem: an image, gone while it is not used and while it is; unmounted, full, read-only" {
	truncate -s 16M "$TMP/fs.img"
	mkfs.ext4 -qF "$TMP/fs.img"
	run_daemon
	start hvt_web --init
	volume fs "\"type\":\"ext4\",\"device\":\"$TMP/fs.img\""
	mv "$TMP/fs.img" "$TMP/away"
	ill fs missing "$TMP/fs.img, which the file system of volume 'hvt_fs' is mounted from, is not there"
	mv "$TMP/away" "$TMP/fs.img"
	well fs missing
	dir=$(source_of fs)
	attach fs hvt_web /fs
	looked
	mv "$TMP/fs.img" "$TMP/away"
	ill fs missing "is mounted from, is not there"
	mv "$TMP/away" "$TMP/fs.img"
	well fs missing
	docker exec hvt_web dd if=/dev/zero of=/fs/file bs=1M count=20 || true
	ill fs nearly-full "volume 'hvt_fs' is nearly full"
	docker exec hvt_web rm /fs/file
	well fs nearly-full
	mount -o remount,ro "$dir"
	ill fs read-only "has become read-only"
	mount -o remount,rw "$dir"
	well fs read-only
	umount -l "$dir"
	ill fs unmounted "the file system of volume 'hvt_fs' was unmounted from $dir"
	attach fs hvt_web /again # which mounts it
	well fs unmounted
}

@test "filesystem: tmpfs, full while it is used" {
	run_daemon
	start hvt_web --init
	volume t '"type":"tmpfs","device":"tmpfs","o":"size=1m"'
	attach t hvt_web /t
	docker exec hvt_web dd if=/dev/zero of=/t/file bs=1M count=2 || true
	ill t nearly-full "100 % of the space"
	must HotDetach '{"Container":"hvt_web","Target":"/t"}' # with it the file system goes
	well t nearly-full
}

@test "a server: dead and back" {
	start_server
	run_daemon
	volume f "$(path fuse)"
	stop_server
	ill f dead "the directory $TMP/fuse of volume 'hvt_f' does not answer"
	umount -l "$TMP/fuse"
	start_server
	well f dead
}

@test "a server: silent and back, with one process that waits for it; others are looked at meanwhile" {
	start_server
	run_daemon
	volume f "$(path fuse)"
	volume p "$(path data)"
	kill -USR1 "$SERVER"
	ill f silent "the file system of $TMP/fuse, of volume 'hvt_f', does not answer"
	mv "$TMP/data" "$TMP/away"
	logged "volume 'hvt_p' is not there"
	mv "$TMP/away" "$TMP/data"
	well p missing
	looked
	looked
	[[ $(metric hostvol_stuck_helpers) == 1 ]]
	[[ $(problem f) == *"does not answer"* ]]
	stop_server # whose processes waited, and are let go
	ill f dead "does not answer: "
	umount -l "$TMP/fuse"
	start_server
	well f dead
	[[ $(metric hostvol_stuck_helpers) == 0 ]]
}

@test "a server: stopped, and it goes on" {
	start_server
	run_daemon
	volume f "$(path fuse)"
	kill -STOP "$SERVER"
	ill f silent "does not answer"
	kill -CONT "$SERVER"
	well f silent
	[[ $(metric hostvol_stuck_helpers) == 0 ]]
}

@test "a daemon that ends does not wait for a server" {
	start_server
	run_daemon
	volume f "$(path fuse)"
	kill -USR1 "$SERVER"
	ill f silent "does not answer"
	kill "$DAEMON"
	within 5 is_over "$DAEMON"
	run_daemon
	ill f silent "does not answer" # which was told before: the log alone has it again
	[[ $(events) == "volume-problem" ]]
	kill -USR2 "$SERVER"
}

is_over() {
	! kill -0 "$1" 2>/dev/null
}

events() {
	send HotEvents '{}'
	jq -r '.Events[].Action' <<<"$ANSWER" | paste -sd ' '
}

@test "events tell a problem and its end once, over a restart of the daemon" {
	run_daemon
	volume p "$(path data)"
	mv "$TMP/data" "$TMP/away"
	ill p missing "is not there"
	[[ $(events) == "volume-problem" ]]
	stop_daemon
	run_daemon
	looked
	[[ $(problem p) == *"is not there"* ]]
	[[ $(events) == "volume-problem" ]]
	stop_daemon
	mv "$TMP/away" "$TMP/data"
	run_daemon
	well p missing
	[[ $(events) == "volume-problem volume-ok" ]]
	send HotEvents '{}'
	jq -e '.Events[0] | .Volume == "hvt_p" and .ContainerID == "" and (.Detail | test("is not there"))' <<<"$ANSWER"
}

@test "the plugin: docker volume inspect, docker hostvol doctor and events" {
	since=$(date +%s.%N)
	docker volume create -d hostvol -o path="$TMP/data" hvt_data
	[[ $(docker volume inspect -f '{{.Status.problem}}' hvt_data) == '<no value>' ]]
	mv "$TMP/data" "$TMP/away"
	within 5 inspected "the directory $TMP/data of volume 'hvt_data' is not there; create it again"
	fails_with 1 "FAIL  volume: the directory $TMP/data of volume 'hvt_data' is not there (create it again" -- \
		docker hostvol doctor
	mv "$TMP/away" "$TMP/data"
	within 5 inspected '<no value>'
	run docker hostvol doctor
	[[ $output != *hvt_data* ]]
	run docker hostvol events --since "$since" --until 0s -f volume=hvt_data
	[[ ${lines[0]} == *" volume-problem hvt_data (the directory $TMP/data of volume 'hvt_data' is not there)" ]]
	[[ ${lines[1]} == *" volume-ok hvt_data" ]]
}

inspected() {
	[[ $(docker volume inspect -f '{{.Status.problem}}' hvt_data) == *"$1"* ]]
}
