# SPDX-License-Identifier: Apache-2.0
load helpers
load plain

# attach --propagation slave: later mounts of the host below a volume's directory.

setup() {
	plain_setup
	S=$TMP/share
	mkdir "$S"
	mount -t tmpfs hvt "$S"
	mount --make-shared "$S" # as systemd makes the whole tree
	mkdir -p "$S/data/disk"
	echo v1 >"$S/data/file"
	docker volume create -d hostvol -o path="$S/data" hvt_data
	start hvt_web
}

teardown() {
	plain_teardown
}

attach() {
	docker hostvol attach "$@"
}

# mount_disk DIRECTORY TEXT: a file system of the host's, with a file in it.
mount_disk() {
	mount -t tmpfs hvtdisk "$1"
	echo "$2" >"$1/new"
}

inside() {
	docker exec hvt_web cat "$1"
}

is_inside() {
	[[ $(inside "$1" 2>/dev/null) == "$2" ]]
}

# mounts_in CONTAINER DIRECTORY: there and below.
mounts_in() {
	awk -v top="$2" '$5 == top || index($5, top "/") == 1' "/proc/$(pid_of "$1")/mountinfo" | wc -l
}

shown() {
	docker hostvol inspect --format "{{.$2}}" "hvt_web:$1"
}

# The process in the container that has a file open.
holder() {
	pgrep -f '^sleep 10730421$'
}

# left_nothing TARGET: no mount and no directory.
left_nothing() {
	[[ $(mounts_in hvt_web "$1") -eq 0 ]]
	fails_with 1 -- docker exec hvt_web ls -d "$1"
	[[ -z $(our_attachments) ]]
}

@test "a mount below the volume's directory appears, and goes when the host unmounts it" {
	attach --propagation slave hvt_data hvt_web:/mnt/s
	attach hvt_data hvt_web:/mnt/p
	attach --propagation private hvt_data hvt_web:/mnt/q
	fails_with 1 -- inside /mnt/s/disk/new
	mount_disk "$S/data/disk" v1
	[[ $(inside /mnt/s/disk/new) == v1 ]]
	docker exec hvt_web sh -c 'echo v2 >/mnt/s/disk/new'
	[[ $(cat "$S/data/disk/new") == v2 ]]
	fails_with 1 -- inside /mnt/p/disk/new
	fails_with 1 -- inside /mnt/q/disk/new
	[[ $(shown /mnt/s State)/$(shown /mnt/s Propagation)/$(shown /mnt/p Propagation) == attached/slave/private ]]
	[[ -z $(shown /mnt/s Problem) ]]
	umount "$S/data/disk"
	fails_with 1 -- inside /mnt/s/disk/new
	[[ $(inside /mnt/s/file) == v1 ]]
	run -0 docker hostvol ls
	[[ $output == *rw,slave* ]]
}

@test "a detach takes along what has appeared, and leaves nothing" {
	local before
	before=$(cat "/proc/$(pid_of hvt_web)/mountinfo")
	attach --propagation slave hvt_data hvt_web:/mnt/s
	mount_disk "$S/data/disk" v1
	mkdir "$S/data/disk/deep"
	mount_disk "$S/data/disk/deep" v2
	[[ $(inside /mnt/s/disk/deep/new) == v2 ]]
	docker exec -d hvt_web sh -c 'exec sleep 10730421 </mnt/s/disk/deep/new'
	within 5 holder
	fails_with 1 "in use" -- docker hostvol detach hvt_web:/mnt/s
	[[ $(inside /mnt/s/disk/deep/new) == v2 ]] # nothing of it went
	fails_with 32 busy -- umount "$S/data/disk/deep" # the host has to wait for the container, too
	kill "$(holder)"
	within 5 docker hostvol detach hvt_web:/mnt/s
	left_nothing /mnt/s
	[[ $(cat "/proc/$(pid_of hvt_web)/mountinfo") == "$before" ]]
	[[ $(cat "$S/data/disk/deep/new") == v2 ]]
}

@test "a mount of the container does not reach the host" {
	local before
	docker rm -f hvt_web
	start hvt_web --cap-add SYS_ADMIN --security-opt apparmor=unconfined --security-opt seccomp=unconfined
	attach --propagation slave hvt_data hvt_web:/mnt/s
	mount_disk "$S/data/disk" v1
	before=$(host_mounts)
	docker exec hvt_web mount -t tmpfs own /mnt/s/disk
	[[ $(host_mounts) == "$before" ]]
	docker exec hvt_web umount /mnt/s/disk
	docker exec hvt_web umount /mnt/s/disk # the host's, in the container only
	[[ $(host_mounts) == "$before" ]]
	[[ $(shown /mnt/s State) == attached ]]
	docker hostvol detach hvt_web:/mnt/s
	left_nothing /mnt/s
	[[ $(host_mounts) == "$before" ]]
}

@test "a disk that is mounted on the volume's own directory is what the container sees" {
	attach --propagation slave hvt_data hvt_web:/mnt/s
	mount_disk "$S/data" disk
	[[ $(inside /mnt/s/new) == disk ]]
	[[ $(shown /mnt/s State) == attached && -z $(shown /mnt/s Problem) ]]
	attach --propagation slave hvt_data hvt_web:/mnt/s # again: it is there
	fails_with 1 "cannot be replaced" "detach it first" -- attach --replace hvt_data hvt_web:/mnt/s
	umount "$S/data"
	[[ $(inside /mnt/s/file) == v1 ]]
	mount_disk "$S/data" disk
	docker hostvol detach hvt_web:/mnt/s
	left_nothing /mnt/s
	umount "$S/data"
}

@test "restarts of the container, of the plugin, and a start later keep it" {
	attach --propagation slave hvt_data hvt_web:/mnt/s
	docker restart -t 0 hvt_web
	within 10 is_inside /mnt/s/file v1
	mount_disk "$S/data/disk" v1
	is_inside /mnt/s/disk/new v1
	docker plugin disable -f hostvol
	enable_plugin
	umount "$S/data/disk"
	mount_disk "$S/data/disk" v2
	is_inside /mnt/s/disk/new v2
	[[ $(shown /mnt/s State)/$(shown /mnt/s Propagation) == attached/slave ]]
	docker hostvol detach hvt_web:/mnt/s
	left_nothing /mnt/s
	docker stop -t 0 hvt_web
	attach --propagation slave hvt_data hvt_web:/mnt/t
	[[ $(shown /mnt/t State)/$(shown /mnt/t Propagation) == pending/slave ]]
	docker start hvt_web
	within 10 is_inside /mnt/t/disk/new v2
	umount "$S/data/disk"
	fails_with 1 -- inside /mnt/t/disk/new
}

@test "with replace, a subpath, follow and a rule" {
	mkdir -p "$S/data/sub/disk" "$S/one/disk" "$S/two/disk"
	attach hvt_data hvt_web:/mnt/r
	attach --replace --propagation slave hvt_data hvt_web:/mnt/r
	attach --propagation slave --subpath sub hvt_data hvt_web:/mnt/b
	mount_disk "$S/data/disk" r
	mount_disk "$S/data/sub/disk" b
	[[ $(inside /mnt/r/disk/new)/$(inside /mnt/b/disk/new) == r/b ]]
	[[ $(mounts_in hvt_web /mnt/b) -eq 2 ]]
	docker hostvol detach hvt_web:/mnt/b
	docker hostvol detach hvt_web:/mnt/r
	ln -s one "$S/current"
	attach --follow --propagation slave "$S/current" hvt_web:/mnt/f
	ln -sfn two "$S/current"
	mount_disk "$S/two/disk" f
	within 5 is_inside /mnt/f/disk/new f
	docker hostvol detach hvt_web:/mnt/f
	left_nothing /mnt/f
	attach --propagation slave hvt_data label:hvt.slave:/mnt/l
	start hvt_other -l hvt.slave=1
	umount "$S/data/disk"
	mount_disk "$S/data/disk" l
	[[ $(docker exec hvt_other cat /mnt/l/disk/new) == l ]]
	run -0 docker hostvol ls --rules
	[[ $output == *rw,slave* ]]
	docker hostvol detach label:hvt.slave:/mnt/l
	[[ $(mounts_in hvt_other /mnt/l) -eq 0 ]]
}

@test "what would not hold for later mounts is refused" {
	fails_with 1 '"ReadOnly" contradicts "Propagation" slave' "leave out --ro" -- \
		attach --propagation slave hvt_data hvt_web:/mnt/s:ro
	fails_with 2 "--propagation takes private or slave" -- attach --propagation rshared hvt_data hvt_web:/mnt/s
	docker hostvol set hvt_data ro=true
	fails_with 1 "cannot be attached read-only" -- attach --propagation slave hvt_data hvt_web:/mnt/s
	docker hostvol set hvt_data ro= as=1000
	fails_with 1 "with another owner" -- attach --propagation slave hvt_data hvt_web:/mnt/s
	docker hostvol set hvt_data as=
	run -0 docker hostvol check --propagation slave hvt_data hvt_web:/mnt/s
	[[ $output == *"mounts that the host makes below the source later appear in it"* ]]
	mount --make-private "$S"
	fails_with 1 "is on a private mount" "mount --make-shared" -- attach --propagation slave hvt_data hvt_web:/mnt/s
	left_nothing /mnt/s
}

@test "a mount that becomes private is told" {
	attach --propagation slave hvt_data hvt_web:/mnt/s
	mount --make-private "$S"
	[[ $(shown /mnt/s State)/$(shown /mnt/s Problem) == attached/*"propagation-lost"* ]]
	docker hostvol detach hvt_web:/mnt/s
	left_nothing /mnt/s
}

@test "the plain daemon does the same" {
	run_daemon
	must HotAttach "{\"Source\":{\"Path\":\"$S/data\"},\"Container\":\"hvt_web\",\"Target\":\"/mnt/s\",\"Propagation\":\"slave\"}"
	[[ $(jq -r .Attachment.Propagation <<<"$ANSWER") == slave ]]
	mount_disk "$S/data/disk" v1
	[[ $(inside /mnt/s/disk/new) == v1 ]]
	stop_daemon
	run_daemon
	send HotList '{}'
	[[ $(jq -r '.Attachments[] | .State + "/" + .Propagation' <<<"$ANSWER") == attached/slave ]]
	must HotDetach '{"Container":"hvt_web","Target":"/mnt/s"}'
	left_nothing /mnt/s
}
