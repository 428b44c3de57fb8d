# SPDX-License-Identifier: Apache-2.0
load helpers
load engine

# The plain daemon on a kernel that lacks calls: a seccomp filter answers them with ENOSYS.

BUILD=$BATS_TEST_DIRNAME/../../build/release

setup_file() {
	engine_setup
	truncate -s 32M "$ENGINE/image"
	mkfs.ext4 -q "$ENGINE/image"
	mkdir "$ENGINE/disk"
	in_engine mount -o loop "$ENGINE/image" "$ENGINE/disk"
	in_engine mkdir "$ENGINE/disk/source"
	in_engine sh -c "echo content >'$ENGINE/disk/source/file'"
}

teardown_file() {
	in_engine umount "$ENGINE/disk"
	engine_teardown
}

# Each test has a daemon of its own on the Engine.
setup() {
	OWN=$ENGINE/$BATS_TEST_NUMBER
	mkdir "$OWN"
}

teardown() {
	engine_clear
	if [[ -n ${DAEMON:-} ]]; then
		kill "$DAEMON"
		wait "$DAEMON" || true
	fi
	in_engine rm -f /run/docker/plugins/hostvol.sock
	in_engine rm -f "$ENGINE/disk/source/written"
}

# daemon_without CALL... [-- OPTION...]
daemon_without() {
	local command=()
	while [[ $# -gt 0 && $1 != -- ]]; do
		command+=("$BUILD/tests/support/deny_syscall" "$1" ENOSYS --)
		shift
	done
	nsenter -t "$(cat "$ENGINE/holder")" -m -n "${command[@]}" "$BUILD/driver/daemon/hostvold" --state "$OWN/state" \
		--engine "$ENGINE/docker.sock" --mount-root "$OWN/mounts" "${@:2}" \
		>"$ENGINE/hostvold.log" 2>&1 3>&- &
	DAEMON=$!
	for _ in $(seq 100); do
		in_engine test -S /run/docker/plugins/hostvol.sock && break
		sleep 0.05
	done
	docker volume create -d hostvol -o path="$ENGINE/disk/source" hvt_disk
	docker run -d --network none --name hvt_web -v hvt_disk:/from-start "$IMAGE" sleep 100000
}

attaches_by() {
	local before
	before=$(docker exec hvt_web cat /proc/self/mountinfo)
	run -0 engine_hostvol version
	[[ $output == *"Mounts by:   $1"* ]]
	[[ $(docker exec hvt_web cat /from-start/file) == content ]]
	run -0 engine_hostvol attach hvt_disk hvt_web:/new/data
	[[ $(docker exec hvt_web cat /new/data/file) == content ]]
	docker exec hvt_web touch /new/data/written
	in_engine test -e "$ENGINE/disk/source/written"
	run -0 engine_hostvol attach --ro hvt_disk hvt_web:/read
	run ! docker exec hvt_web touch /read/no
	run -0 engine_hostvol ls
	[[ $(grep -c attached <<<"$output") == 2 ]]
	run -0 engine_hostvol detach hvt_web:/new/data
	run -0 engine_hostvol detach hvt_web:/read
	[[ $(docker exec hvt_web cat /proc/self/mountinfo) == "$before" ]]
	run ! docker exec hvt_web ls /new
	docker rm -f hvt_web
	docker volume rm hvt_disk
}

@test "as on 5.10: attributes are set in a staging namespace" {
	daemon_without mount_setattr statmount
	attaches_by mount-api-compat
}

@test "as on 5.4: paths are walked in single steps too" {
	daemon_without mount_setattr statmount openat2 close_range
	attaches_by mount-api-compat
}

@test "as on 4.18, with HOSTVOL_LEGACY=1: by the block device, which nobody in the container sees" {
	daemon_without mount_setattr statmount openat2 close_range open_tree move_mount pidfd_open \
		pidfd_send_signal -- --legacy 1
	attaches_by block-device
	[[ -z $(in_engine find "$OWN/mounts" -mindepth 1) ]]
}

@test "as on 4.18, without: volumes work, and an attach says what is missing" {
	daemon_without mount_setattr statmount openat2 close_range open_tree move_mount pidfd_open \
		pidfd_send_signal
	[[ $(docker exec hvt_web cat /from-start/file) == content ]]
	run -1 --separate-stderr engine_hostvol attach hvt_disk hvt_web:/new
	[[ $stderr == *"lacks a system call"*"hint: "*"HOSTVOL_LEGACY=1"* ]]
	run ! docker exec hvt_web ls /new
}

@test "as on 4.18: what is not on a disk is refused, and why" {
	daemon_without open_tree move_mount mount_setattr -- --legacy 1
	in_engine mount -t tmpfs tmpfs "$ENGINE/disk/source"
	run -1 --separate-stderr engine_hostvol attach hvt_disk hvt_web:/new
	[[ $stderr == *"'hvt_disk'"*"'hvt_web'"*"hint: "*"nothing mounted inside"* ]]
	run ! docker exec hvt_web ls /new
	in_engine umount "$ENGINE/disk/source"
}
