# SPDX-License-Identifier: Apache-2.0
load helpers

# Each behaviour is asked of Docker's own local driver as well, where both have it.

setup() { common_setup; }
teardown() { common_teardown; }

@test "a managed volume: create, inspect, ls, use, rm" {
	run -0 docker volume create -d hostvol hvt_data
	[[ $output == hvt_data ]]
	run -0 docker volume inspect -f '{{.Driver}} {{.Scope}} {{.Status.kind}}' hvt_data
	[[ $output == "hostvol:latest local managed" ]]
	source=$(docker volume inspect -f '{{.Mountpoint}}' hvt_data)
	[[ -d $source && $source == /var/lib/hostvol/volumes/hvt_data/_data ]]
	run -0 docker volume inspect -f '{{.CreatedAt}}' hvt_data
	[[ $output == "$(date -u +%Y)"-* ]]
	run -0 docker volume ls --format '{{.Driver}} {{.Name}}'
	[[ $output == *"hostvol:latest hvt_data"* ]]
	docker run --rm --network none -v hvt_data:/d $IMAGE sh -c 'echo hello >/d/f'
	[[ $(cat "$source/f") == hello ]]
	docker volume rm hvt_data
	[[ ! -e $source ]]
	run -1 docker volume inspect hvt_data
}

@test "path= stands for an existing directory, which survives the volume" {
	mkdir "$TMP/x"
	echo keep >"$TMP/x/f"
	docker volume create -d hostvol -o path="$TMP/x" hvt_x
	[[ $(docker volume inspect -f '{{.Mountpoint}} {{.Status.source}}' hvt_x) == "$TMP/x $TMP/x" ]]
	[[ $(docker run --rm --network none -v hvt_x:/d $IMAGE cat /d/f) == keep ]]
	docker volume rm hvt_x
	[[ $(cat "$TMP/x/f") == keep ]]
}

# As a deploy does it, while a container keeps the former one (sources.bats has the other cases).
@test "a directory that was deleted and made again is what the next container has" {
	mkdir "$TMP/x"
	echo v1 >"$TMP/x/f"
	docker volume create -d hostvol -o path="$TMP/x" hvt_x
	start hvt_stays -v hvt_x:/d
	start hvt_again --restart always -v hvt_x:/d
	mv "$TMP/x" "$TMP/old"
	fails_with 1 "$TMP/x of volume 'hvt_x' is not there" -- docker restart -t 0 hvt_again
	mkdir "$TMP/x"
	echo v2 >"$TMP/x/f"
	docker start hvt_again
	[[ $(docker exec hvt_again cat /d/f) == v2 ]]
	[[ $(docker exec hvt_stays cat /d/f) == v1 ]]
	[[ $(run_in -v hvt_x:/d "$IMAGE" cat /d/f) == v2 ]]
	docker cp hvt_stays:/d/f "$TMP/copy" # which mounts the volume anew
	[[ $(cat "$TMP/copy") == v2 ]]
	docker rm -f hvt_stays hvt_again
	docker volume rm hvt_x
	[[ $(cat "$TMP/x/f") == v2 ]]
}

@test "mkdir=true makes the directory and its parents, 0755" {
	docker volume create -d hostvol -o path="$TMP/a/b/c" -o mkdir=true hvt_x
	[[ $(stat -c '%a %u' "$TMP/a") == "755 0" && $(stat -c %a "$TMP/a/b/c") == 755 ]]
}

@test "path= resolves its symlinks once, at create" {
	mkdir "$TMP/real" "$TMP/other"
	ln -s "$TMP/real" "$TMP/link"
	docker volume create -d hostvol -o path="$TMP/link" hvt_x
	ln -sfn "$TMP/other" "$TMP/link"
	docker run --rm --network none -v hvt_x:/d $IMAGE touch /d/f
	[[ -e $TMP/real/f && ! -e $TMP/other/f ]]
}

@test "a source that has become a symlink is refused" {
	mkdir "$TMP/x"
	docker volume create -d hostvol -o path="$TMP/x" hvt_x
	rmdir "$TMP/x"
	ln -s /etc "$TMP/x"
	fails_with 125 "symlink" -- docker run --rm --network none --label "$LABEL" -v hvt_x:/d $IMAGE true
}

@test "ro=true makes every use read-only" {
	mkdir "$TMP/x"
	docker volume create -d hostvol -o path="$TMP/x" -o ro=true hvt_x
	fails_with 1 "Read-only" -- docker run --rm --network none -v hvt_x:/d $IMAGE touch /d/f
	start hvt_web
	docker hostvol attach hvt_x hvt_web:/d
	fails_with 1 "Read-only" -- docker exec hvt_web touch /d/f
}

@test "docker run --mount with volume options defines the volume" {
	docker run --rm --network none --mount \
		"type=volume,src=hvt_m,dst=/d,volume-driver=hostvol,volume-opt=path=$TMP/y,volume-opt=mkdir=true" \
		$IMAGE touch /d/f
	[[ -e $TMP/y/f ]]
	[[ $(docker volume inspect -f '{{.Status.source}}' hvt_m) == "$TMP/y" ]]
}

@test "an anonymous volume goes with its container" {
	start hvt_web --volume-driver hostvol -v /d
	name=$(docker inspect -f '{{(index .Mounts 0).Name}}' hvt_web)
	[[ $(docker volume ls -q --filter driver=hostvol:latest --filter "name=^$name\$") == "$name" ]]
	docker rm -fv hvt_web
	fails_with 1 "no such volume" -- docker volume inspect "$name"
	with_rm=$(run_in --volume-driver hostvol -v /d $IMAGE sh -c 'touch /d/f; sed -n "s|.*/\([0-9a-f]\{64\}\)/_data /d .*|\1|p" /proc/self/mountinfo')
	[[ -n $with_rm ]]
	fails_with 1 "no such volume" -- docker volume inspect "$with_rm"
}

for_each_driver() {
	local driver
	for driver in hostvol local; do
		docker volume create -d "$driver" "hvt_$driver"
		"$1" "hvt_$driver"
	done
}

copy_in_and_out() {
	start "c_$1" -v "$1:/d"
	echo one >"$TMP/in"
	docker cp "$TMP/in" "c_$1:/d/f"
	[[ $(docker exec "c_$1" cat /d/f) == one ]]
	docker cp "c_$1:/d/f" "$TMP/out.$1"
	[[ $(cat "$TMP/out.$1") == one ]]
	docker stop -t 0 "c_$1"
	echo two >"$TMP/in"
	docker cp "$TMP/in" "c_$1:/d/f"
	docker cp "c_$1:/d/f" "$TMP/out.$1"
	[[ $(cat "$TMP/out.$1") == two ]]
	docker start "c_$1"
	[[ $(docker exec "c_$1" cat /d/f) == two ]]
}

@test "docker cp to and from a running and a stopped container" {
	for_each_driver copy_in_and_out
}

@test "docker cp on a running container does not end its mount" {
	docker volume create -d hostvol hvt_data
	start hvt_a -v hvt_data:/d
	docker exec hvt_a touch /d/f
	echo x >"$TMP/in"
	docker cp "$TMP/in" hvt_a:/d/g
	docker exec hvt_a ls /d/f /d/g
	start hvt_b -v hvt_data:/d
	docker exec hvt_b touch /d/from-b
	docker exec hvt_a ls /d/f /d/g /d/from-b
}

two_containers() {
	start "a_$1" -v "$1:/d"
	start "b_$1" -v "$1:/e"
	docker exec "a_$1" sh -c 'echo a >/d/a'
	docker exec "b_$1" sh -c 'echo b >/e/b'
	[[ $(docker exec "a_$1" cat /d/b) == b && $(docker exec "b_$1" cat /e/a) == a ]]
	docker rm -f "a_$1"
	[[ $(docker exec "b_$1" cat /e/a) == a ]]
	fails_with 1 "volume is in use" -- docker volume rm "$1"
}

@test "two containers on one volume; rm is refused while one has it" {
	for_each_driver two_containers
}

image_content() {
	docker run --rm --network none -v "$1:/etc" $IMAGE cat /etc/passwd
	docker volume create -d "${1#hvt_}" "$1_n"
	fails_with 1 -- docker run --rm --network none -v "$1_n:/etc:nocopy" $IMAGE cat /etc/passwd
	run -0 docker run --rm --network none -v "$1_n:/d" $IMAGE ls -A /d
	[[ $output == *hosts* && $output != *passwd* ]] # Docker's own files are mounted there
}

@test "image content is copied into an empty volume, and not with :nocopy" {
	for_each_driver image_content
}

read_only_use() {
	fails_with 1 "Read-only" -- docker run --rm --network none -v "$1:/d:ro" $IMAGE touch /d/f
	docker run --rm --network none -v "$1:/d" $IMAGE touch /d/f
	docker run --rm --network none -v "$1:/d:ro" $IMAGE ls /d/f
}

@test ":ro is read-only for that container alone" {
	for_each_driver read_only_use
}

@test "the same volume at two places in one container" {
	docker volume create -d hostvol hvt_data
	docker run --rm --network none -v hvt_data:/a -v hvt_data:/b $IMAGE \
		sh -c 'echo x >/a/f && cat /b/f'
	docker volume rm hvt_data
}

@test "volumes called dev, proc and sys work like any other" {
	for name in dev proc sys; do
		docker volume create -d hostvol $name
		docker run --rm --network none -v $name:/d $IMAGE touch /d/f
		docker volume rm $name
	done
}

@test "create again with the same name and options is fine" {
	docker volume create -d hostvol hvt_data
	docker volume create -d hostvol hvt_data
}

@test "restarting a container keeps its volume and leaves one mount" {
	docker volume create -d hostvol hvt_data
	start hvt_a -v hvt_data:/d
	docker exec hvt_a touch /d/f
	docker restart -t 0 hvt_a
	docker exec hvt_a ls /d/f
	docker rm -f hvt_a
	run ! grep 'propagated-mount/hvt_data ' /proc/self/mountinfo
}

@test "twenty containers come and go on one volume at once" {
	docker volume create -d hostvol hvt_data
	for i in $(seq 20); do
		docker run --rm --network none -v hvt_data:/d $IMAGE touch /d/$i 3>&- &
		clients+=($!)
	done
	for client in "${clients[@]}"; do wait "$client"; done
	[[ $(docker run --rm --network none -v hvt_data:/d $IMAGE ls /d | wc -l) -eq 20 ]]
	docker volume rm hvt_data
}

# image_with_content: an image that has /content of another owner and mode, with a file in it.
image_with_content() {
	mkdir -p "$TMP/image/bin" "$TMP/image/content"
	cp "$(command -v busybox)" "$TMP/image/bin/busybox"
	ln -s busybox "$TMP/image/bin/stat"
	echo content >"$TMP/image/content/file"
	chown -R 1000:1000 "$TMP/image/content"
	chmod 700 "$TMP/image/content"
	tar -C "$TMP/image" -c . | docker import - hvt_content >/dev/null
}

@test "uid=, gid= and mode= are the directory's, also after Docker has copied an image's content" {
	docker volume create -d hostvol -o uid=33 -o gid=44 -o mode=2750 hvt_own
	source=$(docker volume inspect -f '{{.Mountpoint}}' hvt_own)
	[[ $(stat -c '%u:%g %a' "$source") == "33:44 2750" ]]
	image_with_content
	run -0 docker run --rm --network none -v hvt_own:/content hvt_content /bin/stat -c '%u:%g %a' /content
	[[ $output == "33:44 2750" ]]
	[[ $(cat "$source/file") == content && $(stat -c %u "$source/file") == 1000 ]]
	docker rmi hvt_content
	mkdir "$TMP/x"
	docker volume create -d hostvol -o path="$TMP/x" -o mode=1777 hvt_x
	[[ $(stat -c '%u:%g %a' "$TMP/x") == "0:0 1777" ]]
	docker volume create -d hostvol -o path="$TMP/made/x" -o mkdir=true -o uid=1000 hvt_made
	[[ $(stat -c '%u %a' "$TMP/made/x") == "1000 755" && $(stat -c %u "$TMP/made") == 0 ]]
}

@test "an owner that cannot be set fails the create and leaves nothing" {
	mkdir "$TMP/x"
	mount -t tmpfs -o ro tmpfs "$TMP/x"
	fails_with 1 "'hvt_x'" "Read-only file system" "leave out uid" -- \
		docker volume create -d hostvol -o path="$TMP/x" -o uid=33 hvt_x
	run -1 docker volume inspect hvt_x
	fails_with 1 "uid=www-data" "getent passwd" -- docker volume create -d hostvol -o uid=www-data hvt_x
}

@test "subpath= is a directory inside, which no symlink leads out of" {
	mkdir -p "$TMP/x/a/b"
	echo inside >"$TMP/x/a/b/f"
	ln -s a "$TMP/x/link"
	ln -s /etc "$TMP/x/out"
	docker volume create -d hostvol -o path="$TMP/x" -o subpath=link/b hvt_sub
	[[ $(docker run --rm --network none -v hvt_sub:/d $IMAGE cat /d/f) == inside ]]
	[[ $(docker volume inspect -f '{{.Status.source}}' hvt_sub) == "$TMP/x/a/b" ]]
	fails_with 1 "out of $TMP/x" -- docker volume create -d hostvol -o path="$TMP/x" -o subpath=out hvt_x
	fails_with 1 "there is no directory" "mkdir=true" -- \
		docker volume create -d hostvol -o path="$TMP/x" -o subpath=none hvt_x
	fails_with 1 "'..'" -- docker volume create -d hostvol -o path="$TMP/x" -o subpath=../y hvt_x
	docker volume create -d hostvol -o path="$TMP/x" -o subpath=new/dir -o mkdir=true hvt_x
	[[ -d $TMP/x/new/dir ]]
	docker volume create -d hostvol -o path="$TMP/y" -o subpath=deep -o mkdir=true hvt_y
	[[ -d $TMP/y/deep ]]
	docker volume create -d hostvol hvt_data
	docker run --rm --network none -v hvt_data:/d $IMAGE mkdir /d/part
	docker volume create -d hostvol -o from=hvt_data -o subpath=part hvt_part
	docker run --rm --network none -v hvt_part:/d $IMAGE touch /d/f
	[[ $(docker run --rm --network none -v hvt_data:/d $IMAGE ls /d/part) == f ]]
	docker volume rm hvt_part hvt_data
}

@test "require-mount=true: a disk that is not there is not replaced by an empty directory" {
	mkdir "$TMP/disk"
	[[ $(findmnt -n -o TARGET -T "$TMP") == / ]] # else there is always a mount
	fails_with 1 "nothing is mounted at $TMP/disk" "findmnt" -- \
		docker volume create -d hostvol -o path="$TMP/disk" -o require-mount=true hvt_x
	mount -t tmpfs tmpfs "$TMP/disk"
	docker volume create -d hostvol -o path="$TMP/disk/data" -o mkdir=true -o require-mount=true hvt_x
	docker run --rm --network none -v hvt_x:/d $IMAGE touch /d/f
	start hvt_web
	docker hostvol attach hvt_x hvt_web:/mnt/x
	docker hostvol detach hvt_web:/mnt/x
	umount "$TMP/disk"
	mkdir "$TMP/disk/data"
	fails_with 125 "nothing is mounted at $TMP/disk/data" -- \
		docker run --rm --network none --label "$LABEL" -v hvt_x:/d $IMAGE true
	fails_with 1 "nothing is mounted at $TMP/disk/data" "hint: mount its disk" -- \
		docker hostvol attach hvt_x hvt_web:/mnt/x
	rmdir "$TMP/disk/data"
}
