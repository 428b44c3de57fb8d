# SPDX-License-Identifier: Apache-2.0
load helpers

# Containers, targets and sources that are not the simple case.

setup() {
	common_setup
	mkdir -p "$TMP/data/sub/deep"
	echo whole >"$TMP/data/f"
	echo part >"$TMP/data/sub/deep/f"
	docker volume create -d hostvol -o path="$TMP/data" hvt_data
}
teardown() { common_teardown; }

@test "a --read-only container: missing directories are made, and its root stays read-only" {
	start hvt_ro --read-only
	docker hostvol attach hvt_data hvt_ro:/new/deep/dir
	[[ $(docker exec hvt_ro cat /new/deep/dir/f) == whole ]]
	docker exec hvt_ro touch /new/deep/dir/mine
	fails_with 1 "Read-only" -- docker exec hvt_ro touch /x
	fails_with 1 "Read-only" -- docker exec hvt_ro touch /new/x
	docker hostvol detach hvt_ro:/new/deep/dir
	fails_with 1 "No such file" -- docker exec hvt_ro ls /new
	[[ -z $(docker diff hvt_ro) ]]
}

@test "a subpath of the volume" {
	start hvt_web
	docker hostvol attach --subpath sub/deep hvt_data hvt_web:/mnt/part
	[[ $(docker exec hvt_web cat /mnt/part/f) == part ]]
}

@test "a symlink that stays inside the volume" {
	ln -s sub "$TMP/data/in"
	start hvt_web
	docker hostvol attach --subpath in/deep hvt_data hvt_web:/mnt/in
	[[ $(docker exec hvt_web cat /mnt/in/f) == part ]]
}

@test "a single file, onto a file that is there and onto one that is not" {
	start hvt_web
	before=$(docker exec hvt_web cat /etc/passwd)
	docker hostvol attach --subpath f hvt_data hvt_web:/etc/passwd
	[[ $(docker exec hvt_web cat /etc/passwd) == whole ]]
	docker hostvol detach hvt_web:/etc/passwd
	[[ $(docker exec hvt_web cat /etc/passwd) == "$before" ]]
	docker hostvol attach --subpath f hvt_data hvt_web:/opt/conf/file
	[[ $(docker exec hvt_web cat /opt/conf/file) == whole ]]
	docker hostvol detach hvt_web:/opt/conf/file
	fails_with 1 -- docker exec hvt_web ls /opt/conf
}

@test "a socket" {
	start hvt_web
	python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$TMP/data/sock"
	docker hostvol attach --subpath sock hvt_data hvt_web:/run/sock
	docker exec hvt_web test -S /run/sock
}

@test "a hundred submounts come along, read-only too, and go with the attachment" {
	for i in $(seq 100); do
		mkdir "$TMP/data/m$i"
		mount -t tmpfs hvt "$TMP/data/m$i"
		echo "$i" >"$TMP/data/m$i/f"
	done
	start hvt_web
	docker hostvol attach --ro hvt_data hvt_web:/mnt/all
	run -0 docker exec hvt_web sh -c 'for i in $(seq 100); do cat /mnt/all/m$i/f; done'
	[[ $output == "$(seq 100)" ]]
	run -0 docker exec hvt_web sh -c 'for i in $(seq 100); do touch /mnt/all/m$i/x 2>/dev/null && echo $i; done; true'
	[[ -z $output ]]
	docker hostvol detach hvt_web:/mnt/all
	fails_with 1 -- docker exec hvt_web grep /mnt/all /proc/self/mountinfo
	[[ $(grep -c "$TMP/data/m" /proc/self/mountinfo) == 100 ]]
}

@test "the source's own nosuid, nodev and noexec are kept" {
	mkdir "$TMP/data/strict"
	mount -t tmpfs -o nosuid,nodev,noexec hvt "$TMP/data/strict"
	docker volume create -d hostvol -o path="$TMP/data/strict" hvt_strict
	start hvt_web
	docker hostvol attach hvt_strict hvt_web:/mnt/s
	run -0 docker exec hvt_web grep ' /mnt/s ' /proc/self/mountinfo
	[[ $output == *nosuid* && $output == *nodev* && $output == *noexec* ]]
	docker hostvol attach --nosuid --nodev --noexec hvt_data hvt_web:/mnt/d
	run -0 docker exec hvt_web grep ' /mnt/d ' /proc/self/mountinfo
	[[ $output == *nosuid* && $output == *nodev* && $output == *noexec* ]]
}

@test "--replace under a reader: every open succeeds and sees the old or the new" {
	mkdir "$TMP/new"
	echo new >"$TMP/new/f"
	docker volume create -d hostvol -o path="$TMP/new" hvt_new
	start hvt_web
	docker hostvol attach hvt_data hvt_web:/mnt/d
	fails_with 1 "already" "--replace" -- docker hostvol attach hvt_new hvt_web:/mnt/d
	docker exec hvt_web sh -c 'touch /tmp/go
		while [ -e /tmp/go ]; do cat /mnt/d/f || echo FAILED; done' >"$TMP/seen" 2>&1 &
	reader=$!
	until [[ -s $TMP/seen ]]; do :; done
	for _ in $(seq 20); do
		docker hostvol attach --replace hvt_new hvt_web:/mnt/d
		docker hostvol attach --replace hvt_data hvt_web:/mnt/d
	done
	docker exec hvt_web rm /tmp/go
	wait $reader
	[[ $(sort -u "$TMP/seen") == $'new\nwhole' ]]
	[[ $(docker exec hvt_web grep -c ' /mnt/d ' /proc/self/mountinfo) == 1 ]]
	[[ $(docker hostvol ls | grep -c hvt_web) == 1 ]]
	docker hostvol attach --replace=nonatomic hvt_new hvt_web:/mnt/d
	[[ $(docker exec hvt_web cat /mnt/d/f) == new ]]
	docker hostvol detach hvt_web:/mnt/d
	fails_with 1 -- docker exec hvt_web ls /mnt/d # made by the first, removed by the last
}

# refused_for REASON COMMAND: detach names the process of that name and why, and works once it is gone.
refused_for() {
	local pid
	for _ in $(seq 100); do # the process may not have got there yet
		run docker hostvol detach hvt_web:/mnt/d
		[[ $status -eq 0 ]] || break
		docker hostvol attach hvt_data hvt_web:/mnt/d
	done
	echo "$output"
	[[ $output == *"in use"*"($2): $1"*"hint:"* ]]
	pid=$(sed -n "s/.*process \([0-9]*\) of the host ($2): $1.*/\1/p" <<<"$output")
	[[ $(cat "/proc/$pid/comm") == "$2" ]]
	docker hostvol detach --wait 60 hvt_web:/mnt/d &
	kill -9 "$pid"
	wait $!
	docker hostvol attach hvt_data hvt_web:/mnt/d
}

@test "a busy detach names the process and the reason: working directory, open file, mapped file, root" {
	mkdir "$TMP/data/bin"
	cp "$(command -v busybox)" "$TMP/data/bin/sleep"
	start hvt_web
	docker hostvol attach hvt_data hvt_web:/mnt/d
	docker exec -d hvt_web sh -c 'cd /mnt/d && exec sleep 1000'
	refused_for "working directory" sleep
	docker exec -d hvt_web sh -c 'exec 5</mnt/d/f; exec sleep 1000'
	refused_for "open file" sleep
	docker exec -d hvt_web /mnt/d/bin/sleep 1000
	refused_for "mapped file" sleep
	pid=$(pid_of hvt_web)
	nsenter -t "$pid" -m --root="/proc/$pid/root/mnt/d" --wd="/proc/$pid/root/tmp" \
		/bin/sleep 1000 3>&- &
	refused_for "root directory" sleep
}

@test "check tells what would happen and changes nothing" {
	start hvt_web
	before=$(docker diff hvt_web | sort; cat "/proc/$(pid_of hvt_web)/mountinfo"; docker hostvol ls --container hvt_web)
	run -0 docker hostvol check hvt_data hvt_web:/mnt/new:ro
	[[ $output == *"ok    target: /mnt/new, of which 1 part is to be made"* && $output == *read-only* ]]
	docker hostvol attach hvt_data hvt_web:/mnt/there
	run -0 docker hostvol check hvt_data hvt_web:/mnt/there
	[[ $output == *"ok    target: /mnt/there, where it is attached already"* ]]
	docker hostvol detach hvt_web:/mnt/there
	fails_with 1 "FAIL  volume" -- docker hostvol check nope hvt_web:/x
	fails_with 1 "FAIL  container" -- docker hostvol check hvt_data nope:/x
	fails_with 1 "FAIL  request" "nothing may be mounted" -- docker hostvol check hvt_data hvt_web:/proc
	fails_with 1 "FAIL  target" "is not a directory" -- docker hostvol check hvt_data hvt_web:/bin/busybox
	docker hostvol check --format json hvt_data hvt_web:/x | python3 -m json.tool
	[[ $(docker diff hvt_web | sort; cat "/proc/$(pid_of hvt_web)/mountinfo"; docker hostvol ls --container hvt_web) == "$before" ]]
}

@test "containers that share namespaces, and --init" {
	start hvt_a --init
	docker run -d --label "$LABEL" --name hvt_b --pid container:hvt_a --network container:hvt_a "$IMAGE" \
		sleep 100000
	start hvt_c --pid host
	docker run -d --label "$LABEL" --network host --name hvt_d "$IMAGE" sleep 100000
	for name in hvt_a hvt_b hvt_c hvt_d; do
		docker hostvol attach hvt_data "$name:/mnt/d"
		[[ $(docker exec "$name" cat /mnt/d/f) == whole ]]
	done
	docker hostvol detach hvt_a:/mnt/d
	docker exec hvt_b cat /mnt/d/f
	[[ ! -e /mnt/d ]]
}

@test "an attachment that was mounted over is covered, and detach refuses" {
	start hvt_web --cap-add SYS_ADMIN --security-opt apparmor=unconfined
	docker hostvol attach hvt_data hvt_web:/mnt/d
	docker exec hvt_web mount -t tmpfs over /mnt/d
	run -0 docker hostvol ls --container hvt_web
	[[ $output == *covered* && $output == *"covered by a mount at /mnt/d (tmpfs)"* ]]
	fails_with 1 "is covered by a mount at /mnt/d (tmpfs)" "hint:" -- docker hostvol detach hvt_web:/mnt/d
	fails_with 1 "is covered" -- docker hostvol detach --lazy hvt_web:/mnt/d
	docker exec hvt_web umount /mnt/d
	docker hostvol detach hvt_web:/mnt/d
}

@test "a directory that the container renames takes its attachment with it, and detach finds it" {
	start hvt_web
	docker hostvol attach hvt_data hvt_web:/a/data
	docker exec hvt_web mv /a /b
	run -0 docker hostvol ls --container hvt_web
	[[ $output == *attached* && $output == *"renamed inside the container"* ]]
	[[ $(docker exec hvt_web cat /b/data/f) == whole ]]
	fails_with 1 "attached" -- docker volume rm hvt_data
	docker hostvol detach hvt_web:/a/data
	fails_with 1 -- docker exec hvt_web cat /b/data/f
	fails_with 1 -- docker exec hvt_web grep data /proc/self/mountinfo
}

@test "a container that may mount cannot have directories made through a read-only bind of the host" {
	mkdir "$TMP/host"
	start hvt_web --read-only --cap-add SYS_ADMIN --security-opt apparmor=unconfined \
		-v "$TMP/host:/data:ro"
	docker exec hvt_web mount --bind /data / || true
	run docker hostvol attach hvt_data hvt_web:/made/by/hostvol
	[[ $status -eq 1 && -z $(ls -A "$TMP/host") ]]
}
