# SPDX-License-Identifier: Apache-2.0
load helpers
load plain

# Options type, device and o: a volume that is a file system, or a directory by `bind`.

setup() { plain_setup; }
teardown() { plain_teardown; }

# mounted VOLUME: its file system is mounted on the host.
mounted() {
	grep -q " /var/lib/hostvol/volumes/$1/_data " /proc/self/mountinfo
}

make_image() { # FILE
	truncate -s 16M "$1"
	mkfs.ext4 -qF "$1"
}

@test "tmpfs: mounted while it is used, and only then, with the options given" {
	docker volume create -d hostvol -o type=tmpfs -o device=tmpfs -o o=size=1m,uid=1000,mode=750 hvt_t
	[[ $(docker volume inspect -f '{{.Status.kind}}' hvt_t) == filesystem ]]
	run ! mounted hvt_t
	run -0 run_in -v hvt_t:/d "$IMAGE" sh -c 'stat -c "%u %a" /d; df /d | tail -1'
	[[ ${lines[0]} == "1000 750" && ${lines[1]} == *" 1024 "* ]]
	run ! mounted hvt_t
	docker volume rm hvt_t
	[[ ! -e /var/lib/hostvol/volumes/hvt_t ]]
}

@test "one file system for all that use it, by docker run, attach and another name; until the last one goes" {
	docker volume create -d hostvol -o type=tmpfs -o device=tmpfs hvt_t
	docker volume create -d hostvol -o from=hvt_t hvt_alias
	start hvt_web
	docker hostvol attach hvt_t hvt_web:/t
	mounted hvt_t
	docker exec hvt_web sh -c 'echo one >/t/f'
	[[ $(run_in -v hvt_t:/d "$IMAGE" cat /d/f) == one ]]
	mounted hvt_t
	start hvt_other -v hvt_alias:/d
	[[ $(docker exec hvt_other cat /d/f) == one ]]
	docker hostvol detach hvt_web:/t
	mounted hvt_t
	fails_with 1 hvt_alias -- docker volume rm hvt_t
	docker rm -f hvt_other
	run ! mounted hvt_t
	[[ $(run_in -v hvt_t:/d "$IMAGE" ls /d) == '' ]]
}

@test "one that was replaced is let go" {
	docker volume create -d hostvol -o type=tmpfs -o device=tmpfs hvt_t
	docker volume create -d hostvol hvt_new
	start hvt_web
	docker hostvol attach hvt_t hvt_web:/t
	docker exec hvt_web touch /t/f
	docker hostvol attach --replace hvt_new hvt_web:/t
	[[ -z $(docker exec hvt_web ls /t) ]]
	run ! mounted hvt_t
}

@test "an attachment keeps it, over docker restart, disable and enable of the plugin and its SIGKILL" {
	docker volume create -d hostvol -o type=tmpfs -o device=tmpfs hvt_t
	start hvt_web
	docker hostvol attach hvt_t hvt_web:/t
	docker exec hvt_web sh -c 'echo one >/t/f'
	docker restart -t 0 hvt_web
	within 10 docker exec hvt_web grep -q one /t/f
	kill -KILL "$(daemon_pid)"
	within 20 docker hostvol ls
	[[ $(run_in -v hvt_t:/d "$IMAGE" cat /d/f) == one ]]
	docker plugin disable -f hostvol
	enable_plugin
	[[ $(run_in -v hvt_t:/d "$IMAGE" cat /d/f) == one ]]
	docker rm -f hvt_web
	within 10 fails mounted hvt_t
}

fails() {
	! "$@"
}

@test "a daemon that is killed between the mount and its record leaves none standing" {
	docker volume create -d hostvol -o type=tmpfs -o device=tmpfs hvt_t
	mount -t tmpfs tmpfs /var/lib/hostvol/volumes/hvt_t/_data
	kill -KILL "$(daemon_pid)"
	within 20 docker hostvol ls
	run ! mounted hvt_t
}

@test "an ext4 image: its data stays in the file, the loop device goes" {
	make_image "$TMP/image"
	docker volume create -d hostvol -o type=ext4 -o device="$TMP/image" -o o=loop,noatime hvt_e
	run_in -v hvt_e:/d "$IMAGE" sh -c 'echo kept >/d/f'
	within 5 fails grep -rqs "$TMP/image" /sys/block/*/loop/backing_file
	run -0 run_in -v hvt_e:/d "$IMAGE" sh -c 'cat /d/f; grep " /d " /proc/mounts'
	[[ ${lines[0]} == kept && ${lines[1]} == *noatime* ]]
	docker volume rm hvt_e
	[[ -s $TMP/image ]]
	docker volume create -d hostvol -o type=ext4 -o device="$TMP/image" -o o=ro hvt_e
	fails_with 1 Read-only -- run_in -v hvt_e:/d "$IMAGE" touch /d/g
	start hvt_web
	docker hostvol attach hvt_e hvt_web:/e
	[[ $(docker exec hvt_web cat /e/f) == kept ]]
	rm "$TMP/image" # mounted it is still
	[[ $(run_in -v hvt_e:/d "$IMAGE" cat /d/f) == kept ]]
}

@test "two volumes of one image are one file system, by one loop device; not in two modes" {
	make_image "$TMP/image"
	docker volume create -d hostvol -o type=ext4 -o device="$TMP/image" hvt_one
	docker volume create -d hostvol -o type=ext4 -o device="$TMP/image" hvt_two
	docker volume create -d hostvol -o type=ext4 -o device="$TMP/image" -o o=ro hvt_ro
	start hvt_web -v hvt_one:/one -v hvt_two:/two
	docker exec hvt_web sh -c 'echo same >/one/f'
	[[ $(docker exec hvt_web cat /two/f) == same ]]
	[[ $(grep -ls "$TMP/image" /sys/block/loop*/loop/backing_file | wc -l) == 1 ]]
	fails_with 125 hvt_ro "in use in another way" -- run_in -v hvt_ro:/d "$IMAGE" true
	docker rm -f hvt_web
	within 5 fails grep -qs "$TMP/image" /sys/block/loop*/loop/backing_file
	[[ $(run_in -v hvt_ro:/d "$IMAGE" cat /d/f) == same ]]
}

@test "a password in o is not in Status" {
	docker volume create -d hostvol -o type=cifs -o device=//server/share -o o=username=u,password=hunter2,ro hvt_s
	run -0 docker volume inspect -f '{{json .Status}}' hvt_s
	[[ $output == *'username=u,password=***,ro'* && $output != *hunter2* ]]
}

@test "overlayfs" {
	mkdir "$TMP"/{low,up,work}
	echo low >"$TMP/low/f"
	docker volume create -d hostvol -o type=overlay -o device=overlay \
		-o "o=lowerdir=$TMP/low,upperdir=$TMP/up,workdir=$TMP/work" hvt_o
	[[ $(run_in -v hvt_o:/d "$IMAGE" sh -c 'cat /d/f; echo up >/d/g') == low ]]
	[[ $(cat "$TMP/up/g") == up && ! -e $TMP/low/g ]]
	docker volume rm hvt_o
	fails_with 1 "$TMP/none" "option o" -- docker volume create -d hostvol -o type=overlay \
		-o device=overlay -o "o=lowerdir=$TMP/none" hvt_o
}

@test "bind is a directory of the host, with what o says of the mount" {
	mkdir "$TMP/x"
	cp /bin/busybox "$TMP/x/busybox"
	docker volume create -d hostvol -o type=none -o device="$TMP/x" -o o=bind,noexec,nosuid hvt_b
	[[ $(docker volume inspect -f '{{.Status.source}} {{.Mountpoint}}' hvt_b) == "$TMP/x $TMP/x" ]]
	run -0 run_in -v hvt_b:/d "$IMAGE" grep " /d " /proc/mounts
	[[ $output == *nosuid*noexec* ]]
	start hvt_web
	docker hostvol attach hvt_b hvt_web:/b
	fails_with 126 "ermission denied" -- docker exec hvt_web /b/busybox true
	docker volume create -d hostvol -o from=hvt_b hvt_alias
	fails_with 126 "ermission denied" -- run_in -v hvt_alias:/d "$IMAGE" /d/busybox true
	docker volume rm hvt_alias
	docker volume create -d hostvol -o type=none -o device="$TMP/x" -o o=bind,ro hvt_ro
	fails_with 1 Read-only -- run_in -v hvt_ro:/d "$IMAGE" touch /d/f
	docker hostvol attach hvt_ro hvt_web:/ro
	fails_with 1 Read-only -- docker exec hvt_web touch /ro/f
	docker hostvol detach hvt_web:/ro
	docker volume rm hvt_ro
	docker volume create -d hostvol -o type=none -o device="$TMP/new/dir" -o o=bind -o mkdir=true hvt_new
	[[ -d $TMP/new/dir ]]
}

@test "uid, gid and mode are of what is mounted" {
	docker volume create -d hostvol -o type=tmpfs -o device=tmpfs -o uid=7 -o gid=8 -o mode=0710 hvt_t
	[[ $(run_in -v hvt_t:/d "$IMAGE" stat -c '%u %g %a' /d) == "7 8 710" ]]
	start hvt_web
	docker hostvol attach hvt_t hvt_web:/t
	[[ $(docker exec hvt_web stat -c '%u %g %a' /t) == "7 8 710" ]]
}

@test "what cannot be mounted says why, and leaves nothing" {
	docker volume create -d hostvol -o type=nosuchfs -o device=x hvt_n
	fails_with 125 nosuchfs hvt_n kernel -- run_in -v hvt_n:/d "$IMAGE" true
	start hvt_web
	fails_with 1 nosuchfs "hvt_n" -- docker hostvol attach hvt_n hvt_web:/n
	run -0 docker hostvol ls --format json
	[[ $output != *hvt_n* ]]
	echo garbage >"$TMP/bad"
	docker volume create -d hostvol -o type=ext4 -o device="$TMP/bad" hvt_bad
	fails_with 125 hvt_bad "$TMP/bad" dmesg -- run_in -v hvt_bad:/d "$IMAGE" true
	make_image "$TMP/image"
	docker volume create -d hostvol -o type=ext4 -o device="$TMP/image" hvt_gone
	rm "$TMP/image"
	fails_with 125 hvt_gone "$TMP/image" -- run_in -v hvt_gone:/d "$IMAGE" true
	docker volume create -d hostvol -o type=tmpfs -o device=tmpfs -o o=size=junk hvt_opt
	fails_with 125 hvt_opt "nvalid argument" -- run_in -v hvt_opt:/d "$IMAGE" true
	run ! grep -q /var/lib/hostvol/volumes/hvt_ /proc/self/mountinfo
}

@test "what makes no sense is refused at create" {
	create() { docker volume create -d hostvol "$@" hvt_x; }
	fails_with 1 'missing required option: "device"' -- create -o type=tmpfs
	fails_with 1 'missing required option: "type"' -- create -o device=tmpfs
	fails_with 1 'missing required option: "type"' -- create -o o=size=1m
	fails_with 1 "$TMP/none" "not on the host" -- create -o type=ext4 -o device="$TMP/none"
	fails_with 1 "$TMP/none" mkdir -- create -o type=none -o device="$TMP/none" -o o=bind
	fails_with 1 "absolute" -- create -o type=none -o device=x -o o=bind
	fails_with 1 rshared -- create -o type=none -o device="$TMP" -o o=bind,rshared
	fails_with 1 remount -- create -o type=tmpfs -o device=tmpfs -o o=remount
	fails_with 1 X-mount.mkdir -- create -o type=tmpfs -o device=tmpfs -o o=X-mount.mkdir
	fails_with 1 path -- create -o type=tmpfs -o device=tmpfs -o path="$TMP"
	fails_with 1 "hostvol itself" -- create -o type=ext4 -o device=/var/lib/hostvol/hostvol.db
	fails_with 1 subpath -- create -o type=tmpfs -o device=tmpfs -o subpath=a
	docker volume create -d hostvol -o type=tmpfs -o device=tmpfs hvt_t
	fails_with 1 subpath hvt_t -- create -o from=hvt_t -o subpath=a
	fails_with 1 uid from=hvt_t -- create -o from=hvt_t -o uid=5
	fails_with 1 lowerdir absolute -- create -o type=overlay -o device=overlay -o o=lowerdir=../../..
	fails_with 1 "hostvol itself" -- create -o type=ext4 -o device=//var/lib/hostvol/hostvol.db
	[[ -z $(docker volume ls -q --filter name=hvt_x) ]]
}

@test "with HOSTVOL_ALLOW nothing outside of it can be mounted" {
	mkdir "$TMP/in" "$TMP/out"
	make_image "$TMP/in/image"
	run_daemon env HOSTVOL_ALLOW="$TMP/in"
	must Create '{"Name":"hvt_t","Opts":{"type":"tmpfs","device":"tmpfs"}}'
	must Create "{\"Name\":\"hvt_b\",\"Opts\":{\"type\":\"none\",\"device\":\"$TMP/in\",\"o\":\"bind\"}}"
	for opts in "\"type\":\"none\",\"device\":\"$TMP/out\",\"o\":\"bind\"" \
		"\"type\":\"ext4\",\"device\":\"$TMP/in/image\"" '"type":"ext4","device":"/dev/vda"' \
		'"type":"proc","device":"proc"' '"type":"sysfs","device":"sysfs"' \
		"\"type\":\"overlay\",\"device\":\"overlay\",\"o\":\"lowerdir=$TMP/out\"" \
		"\"type\":\"overlay\",\"device\":\"overlay\",\"o\":\"lowerdir=$TMP/in\""; do
		send Create "{\"Name\":\"hvt_x\",\"Opts\":{$opts}}"
		echo "$opts: $ANSWER"
		[[ $STATUS != 200 && $ANSWER == *HOSTVOL_ALLOW* ]]
	done
}

# mount_call OPTS: the mount(2) that comes of it, as strace tells.
mount_call() {
	must Create "{\"Name\":\"hvt_net\",\"Opts\":{$1}}"
	send Mount '{"Name":"hvt_net","ID":"1"}'
	must Remove '{"Name":"hvt_net"}'
	sed -n 's/.* mount("/mount("/p' "$PLAIN/trace" | grep -v 'NULL\|"none"' | tail -1
}

@test "NFS through the plugin: names are looked up as on the host" {
	docker volume create -d hostvol -o type=nfs -o device=:/x -o o=addr=localhost hvt_n
	fails_with 125 "no file system 'nfs'" -- run_in -v hvt_n:/d "$IMAGE" true
	docker volume create -d hostvol -o type=nfs -o device=no.such.host.invalid:/x hvt_m
	fails_with 125 "no.such.host.invalid" "no address" -- run_in -v hvt_m:/d "$IMAGE" true
}

@test "NFS and SMB: the call that the kernel is given" {
	run_daemon strace -D -f -s 256 -e trace=mount -o "$PLAIN/trace"
	run -0 mount_call '"type":"nfs","device":":/export","o":"addr=127.0.0.1,ro,soft,nolock,vers=4"'
	[[ $output == 'mount(":/export", ".", "nfs", MS_RDONLY, "addr=127.0.0.1,soft,nolock,vers=4")'* ]]
	run -0 mount_call '"type":"nfs4","device":"localhost:/export","o":"nosuid"'
	[[ $output == 'mount("localhost:/export", ".", "nfs4", MS_NOSUID, "addr=127.0.0.1")'* ]]
	run -0 mount_call '"type":"nfs","device":":/export","o":"addr=localhost"'
	[[ $output == 'mount(":/export", ".", "nfs", 0, "addr=127.0.0.1")'* ]]
	run -0 mount_call '"type":"cifs","device":"//127.0.0.1/share","o":"username=a,password=b"'
	[[ $output == 'mount("//127.0.0.1/share", ".", "cifs", 0, "addr=127.0.0.1,username=a,password=b")'* ]]
	run -0 mount_call '"type":"cifs","device":"//no.such.host.invalid/share","o":"user=a,password=b,,c,ip=127.0.0.1,ro"'
	[[ $output == 'mount("//no.such.host.invalid/share", ".", "cifs", MS_RDONLY, "user=a,password=b,,c,ip=127.0.0.1")'* ]]
	must Create '{"Name":"hvt_net","Opts":{"type":"nfs","device":":/x","o":"addr=no.such.host.invalid"}}'
	send Mount '{"Name":"hvt_net","ID":"1"}'
	[[ $STATUS != 200 && $ANSWER == *no.such.host.invalid*address* ]]
}
