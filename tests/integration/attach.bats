# SPDX-License-Identifier: Apache-2.0
load helpers

setup() {
	common_setup
	mkdir "$TMP/data"
	echo "from the host" >"$TMP/data/f"
	docker volume create -d hostvol -o path="$TMP/data" hvt_data
}
teardown() { common_teardown; }

@test "a file is there, writes go both ways, nothing else changes" {
	start hvt_web
	before=$(container_facts hvt_web)
	mounts=$(host_mounts)
	run -0 docker hostvol attach hvt_data hvt_web:/mnt/data
	[[ $output == hvt_web:/mnt/data ]]
	[[ $(docker exec hvt_web cat /mnt/data/f) == "from the host" ]]
	docker exec hvt_web sh -c 'echo "from inside" >/mnt/data/g'
	[[ $(cat "$TMP/data/g") == "from inside" ]]
	echo later >"$TMP/data/h"
	[[ $(docker exec hvt_web cat /mnt/data/h) == later ]]
	[[ $(container_facts hvt_web) == "$before" ]]
	diff <(echo "$mounts") <(host_mounts)
	run -0 docker exec hvt_web find / -xdev '(' -type b -o -type c ')' -not -path '/dev/*'
	[[ -z $output ]]
	run -0 docker diff hvt_web
	[[ $output == $'C /mnt\nA /mnt/data' ]]
}

@test ":ro gives a read-only file system" {
	start hvt_web
	docker hostvol attach hvt_data hvt_web:/mnt/data:ro
	[[ $(docker exec hvt_web cat /mnt/data/f) == "from the host" ]]
	fails_with 1 "Read-only file system" -- docker exec hvt_web touch /mnt/data/x
	[[ ! -e $TMP/data/x ]]
	run -0 docker hostvol ls --container hvt_web
	[[ $output == *" ro "* ]]
}

@test "the target is made if it is missing, and detach removes what was made" {
	start hvt_web
	docker hostvol attach hvt_data hvt_web:/new/deep/dir
	[[ $(docker exec hvt_web stat -c '%a %u:%g' /new/deep) == "755 0:0" ]]
	docker exec hvt_web cat /new/deep/dir/f
	docker hostvol detach hvt_web:/new/deep/dir
	fails_with 1 "No such file" -- docker exec hvt_web ls /new
	run -0 docker diff hvt_web
	[[ -z $output ]]
}

@test "detach leaves what was there before" {
	start hvt_web
	docker exec hvt_web sh -c 'mkdir -p /keep/dir && echo mine >/keep/dir/file && chmod 700 /keep/dir'
	docker hostvol attach hvt_data hvt_web:/keep/dir
	fails_with 1 -- docker exec hvt_web cat /keep/dir/file
	run -0 docker hostvol detach hvt_web:/keep/dir
	[[ $output == hvt_web:/keep/dir ]]
	[[ $(docker exec hvt_web cat /keep/dir/file) == mine ]]
	[[ $(docker exec hvt_web stat -c %a /keep/dir) == 700 ]]
}

@test "an empty directory that was there before is not removed" {
	start hvt_web
	docker exec hvt_web mkdir /keep
	docker hostvol attach hvt_data hvt_web:/keep/made
	docker hostvol detach hvt_web:/keep/made
	[[ $(docker exec hvt_web ls -d /keep) == /keep ]]
	fails_with 1 -- docker exec hvt_web ls /keep/made
}

@test "detach while in use is refused, --lazy is not, and --wait waits" {
	start hvt_web
	docker hostvol attach hvt_data hvt_web:/mnt/data
	docker exec -d hvt_web sh -c 'cd /mnt/data && sleep 1000'
	until docker exec hvt_web sh -c 'ls -l /proc/[0-9]*/cwd 2>/dev/null' | grep -q /mnt/data; do :; done
	fails_with 1 "in use" "hint:" "--lazy" -- docker hostvol detach hvt_web:/mnt/data
	docker exec hvt_web cat /mnt/data/f
	(docker hostvol detach --wait 60 hvt_web:/mnt/data >"$TMP/waited" 2>&1; echo $? >>"$TMP/waited") &
	docker exec hvt_web sh -c 'kill $(ls -l /proc/[0-9]*/cwd 2>/dev/null | sed -n "s|.*/proc/\([0-9]*\)/cwd -> /mnt/data|\1|p")'
	wait $!
	[[ $(cat "$TMP/waited") == $'hvt_web:/mnt/data\n0' ]]
	docker hostvol attach hvt_data hvt_web:/mnt/data
	docker exec -d hvt_web sh -c 'cd /mnt/data && sleep 1000'
	until docker exec hvt_web sh -c 'ls -l /proc/[0-9]*/cwd 2>/dev/null' | grep -q /mnt/data; do :; done
	docker hostvol detach --lazy hvt_web:/mnt/data
}

# see CONTAINER PATH: read a file in a container that has no program to do it with.
see() {
	cat "/proc/$(pid_of "$1")/root$2"
}

@test "a container from a scratch image with one static binary and no shell" {
	mkdir "$TMP/image"
	echo 'int main(void) { for (;;) __builtin_ia32_pause(); }' >/dev/null
	printf '#include <unistd.h>\nint main(void)\n{\n\tfor (;;)\n\t\tpause();\n}\n' |
		gcc -static -O2 -x c -o "$TMP/image/pause" -
	tar -C "$TMP/image" -c . | docker import -c 'ENTRYPOINT ["/pause"]' - hvt_scratch
	docker run -d --label "$LABEL" --network none --name hvt_web hvt_scratch
	before=$(container_facts hvt_web)
	docker hostvol attach hvt_data hvt_web:/mnt/data
	[[ $(see hvt_web /mnt/data/f) == "from the host" ]]
	[[ $(container_facts hvt_web) == "$before" ]]
	docker hostvol detach hvt_web:/mnt/data
	[[ ! -e /proc/$(pid_of hvt_web)/root/mnt ]]
	docker rm -f hvt_web
	docker rmi hvt_scratch
}

@test "a container with no capability, no new privileges and another user" {
	chmod 777 "$TMP" "$TMP/data"
	start hvt_web --cap-drop ALL --security-opt no-new-privileges --user 1000
	docker hostvol attach hvt_data hvt_web:/mnt/data
	[[ $(docker exec hvt_web cat /mnt/data/f) == "from the host" ]]
	docker exec hvt_web touch /mnt/data/mine
	[[ $(stat -c %u "$TMP/data/mine") == 1000 ]]
	docker hostvol detach hvt_web:/mnt/data
}

@test "a source on a file system that was mounted after the plugin was enabled" {
	mkdir "$TMP/tmpfs" "$TMP/loop" "$TMP/overlay" "$TMP/low" "$TMP/up" "$TMP/work" "$TMP/ext4"
	mount -t tmpfs hvt "$TMP/tmpfs"
	truncate -s 16M "$TMP/image"
	mkfs.ext4 -q "$TMP/image"
	mount -o loop "$TMP/image" "$TMP/loop"
	mount -t overlay -o "lowerdir=$TMP/low,upperdir=$TMP/up,workdir=$TMP/work" hvt "$TMP/overlay"
	start hvt_web
	for kind in tmpfs loop overlay ext4; do
		echo "$kind" >"$TMP/$kind/f"
		docker volume create -d hostvol -o path="$TMP/$kind" "hvt_$kind"
		docker hostvol attach "hvt_$kind" "hvt_web:/mnt/$kind"
		[[ $(docker exec hvt_web cat "/mnt/$kind/f") == "$kind" ]]
		docker exec hvt_web touch "/mnt/$kind/back"
		[[ -e $TMP/$kind/back ]]
	done
	run -0 docker exec hvt_web cat /proc/self/mountinfo
	[[ $output == *"/mnt/loop "*" - ext4 /dev/loop"* && $output == *"/mnt/tmpfs "*" - tmpfs "* ]]
	for kind in tmpfs loop overlay ext4; do
		docker hostvol detach "hvt_web:/mnt/$kind"
	done
	docker run --rm --network none -v hvt_tmpfs:/d $IMAGE ls /d/f
	docker volume rm hvt_tmpfs hvt_loop hvt_overlay hvt_ext4
}

@test "a target below a volume and below a tmpfs of the container" {
	docker volume create -d hostvol hvt_other
	start hvt_web --tmpfs /scratch -v hvt_other:/vol
	docker hostvol attach hvt_data hvt_web:/scratch/in/side
	docker hostvol attach hvt_data hvt_web:/vol/inside
	docker exec hvt_web cat /scratch/in/side/f /vol/inside/f
	docker hostvol detach hvt_web:/scratch/in/side
	docker hostvol detach hvt_web:/vol/inside
	fails_with 1 -- docker exec hvt_web ls /scratch/in
	[[ $(docker exec hvt_web ls -A /vol) == inside ]] # it stays: another container may use the volume
}

@test "the same attach again is answered with the first one" {
	start hvt_web
	docker hostvol attach hvt_data hvt_web:/mnt/data
	first=$(docker hostvol ls --container hvt_web --format json)
	docker hostvol attach hvt_data hvt_web:/mnt/data
	[[ $(docker hostvol ls --container hvt_web --format json) == "$first" ]]
	[[ $(docker exec hvt_web grep -c ' /mnt/data ' /proc/self/mountinfo) == 1 ]]
	fails_with 1 "already" -- docker hostvol attach --ro hvt_data hvt_web:/mnt/data
}

@test "a container is found by name, ID and unique prefix" {
	start hvt_web
	id=$(docker inspect -f '{{.Id}}' hvt_web)
	docker hostvol attach hvt_data "$id:/mnt/a"
	docker hostvol attach hvt_data "${id:0:12}:/mnt/b"
	run -0 docker hostvol ls
	[[ $(grep -c hvt_web <<<"$output") == 2 ]]
	docker hostvol detach "${id:0:20}:/mnt/b"
	docker hostvol detach hvt_web:/mnt/a
}

@test "a paused container can be attached to" {
	start hvt_web
	docker pause hvt_web
	docker hostvol attach hvt_data hvt_web:/mnt/data
	docker unpause hvt_web
	docker exec hvt_web cat /mnt/data/f
}

@test "a volume cannot be removed while it is attached, and can afterwards" {
	start hvt_web
	docker hostvol attach hvt_data hvt_web:/mnt/data
	fails_with 1 "attached to container 'hvt_web' at /mnt/data" "docker hostvol detach" -- \
		docker volume rm hvt_data
	docker exec hvt_web cat /mnt/data/f
	docker rm -f hvt_web
	docker volume rm hvt_data
	run -0 docker hostvol ls
	[[ $output != *hvt_data* ]]
}

@test "volume inspect and ls show the attachment; unmounted inside it is missing" {
	start hvt_web --cap-add SYS_ADMIN --security-opt apparmor=unconfined
	docker hostvol attach hvt_data hvt_web:/mnt/data
	run -0 docker volume inspect -f '{{json .Status.attachments}}' hvt_data
	[[ $output == *'"container":"hvt_web"'* && $output == *'"target":"/mnt/data"'* ]]
	run -0 docker hostvol ls --container hvt_web
	[[ $output == *attached* ]]
	docker exec hvt_web umount /mnt/data
	run -0 docker hostvol ls --container hvt_web
	[[ $output == *missing* ]]
	docker hostvol detach hvt_web:/mnt/data
	run -0 docker hostvol ls
	[[ $output != *hvt_web* ]]
}

@test "a mount that the container makes below the attachment stays inside" {
	mkdir "$TMP/data/sub"
	start hvt_web --cap-add SYS_ADMIN --security-opt apparmor=unconfined
	docker hostvol attach hvt_data hvt_web:/mnt/data
	mounts=$(host_mounts)
	docker exec hvt_web mount -t tmpfs inner /mnt/data/sub
	diff <(echo "$mounts") <(host_mounts)
}

@test "--once ends with the container's process" {
	start hvt_web
	docker hostvol attach --once hvt_data hvt_web:/mnt/once
	docker hostvol attach hvt_data hvt_web:/mnt/data
	docker restart -t 0 hvt_web
	within 10 docker exec hvt_web cat /mnt/data/f
	fails_with 1 -- docker exec hvt_web cat /mnt/once/f
	[[ $(docker hostvol ls | grep -c hvt_web) == 1 ]]
}
