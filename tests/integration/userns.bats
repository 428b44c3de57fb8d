# SPDX-License-Identifier: Apache-2.0
load helpers
load engine

# A Docker Engine with --userns-remap: containers whose root is nobody on the host.

setup_file() {
	engine_remap_users
	engine_setup --userns-remap=default
	engine_plugin
}

teardown_file() {
	engine_teardown
}

setup() {
	first=$(sed -n 's/^dockremap:\([0-9]*\):.*/\1/p' /etc/subuid)
	TMP=$(mktemp -d -p /srv hvt.XXXXXX)
	chmod 755 "$TMP"
	mkdir "$TMP/data"
	echo hello >"$TMP/data/f"
	docker volume create -d hostvol -o path="$TMP/data" hvt_data
	docker run -d --network none --name hvt_web "$IMAGE" sleep 100000
}

teardown() {
	engine_clear
	rm -rf "$TMP"
}

attach() {
	engine_hostvol attach "$@"
}

@test "files look and are written as without remapping, and setuid is inert" {
	[[ $(awk '{ print $2 }' "/proc/$(pid_of hvt_web)/uid_map") == "$first" ]]
	attach hvt_data hvt_web:/mnt/new/d
	[[ $(docker exec hvt_web stat -c '%u:%g' /mnt/new/d/f) == 0:0 ]]
	docker exec hvt_web sh -c 'echo mine >/mnt/new/d/g; chown 1000:1000 /mnt/new/d/g'
	[[ $(stat -c '%u:%g' "$TMP/data/g") == 1000:1000 ]]
	[[ $(docker exec hvt_web stat -c '%u:%g %a' /mnt/new) == "0:0 755" ]] # made for its root
	[[ $(stat -c %u "/proc/$(pid_of hvt_web)/root/mnt/new") == "$first" ]]
	run -0 docker exec hvt_web grep ' /mnt/new/d ' /proc/self/mountinfo
	[[ $output == *nosuid* && $output == *idmapped* ]]
	run -0 engine_hostvol ls --format json
	[[ $output == *'"IDMapped": true'* || $output == *'"IDMapped":true'* ]]
	engine_hostvol detach hvt_web:/mnt/new/d
	fails_with 1 -- docker exec hvt_web ls /mnt/new
}

@test "what the container decides is decided anew at its next start" {
	attach --ro hvt_data hvt_web:/mnt/ro
	docker stop -t 0 hvt_web
	attach hvt_data hvt_web:/mnt/later
	docker start hvt_web
	within 10 docker exec hvt_web cat /mnt/later/f /mnt/ro/f
	[[ $(docker exec hvt_web stat -c '%u:%g' /mnt/later/f) == 0:0 ]]
	run -0 docker exec hvt_web grep ' /mnt/later ' /proc/self/mountinfo
	[[ $output == *nosuid* && $output == *idmapped* ]]
	fails_with 1 "Read-only" -- docker exec hvt_web touch /mnt/ro/x
}

@test "--idmap never leaves owners alone: they show as nobody" {
	attach --idmap never hvt_data hvt_web:/mnt/d
	[[ $(docker exec hvt_web stat -c %u /mnt/d/f) == 65534 ]]
	run -0 docker exec hvt_web grep ' /mnt/d ' /proc/self/mountinfo
	[[ $output != *idmapped* ]]
}

@test "the container's root cannot make a read-only attachment writable" {
	docker rm -f hvt_web
	docker run -d --network none --name hvt_web --cap-add SYS_ADMIN \
		--security-opt seccomp=unconfined --security-opt apparmor=unconfined "$IMAGE" sleep 100000
	mkdir "$TMP/data/sub"
	mount -t tmpfs hvt "$TMP/data/sub"
	in_engine mount -t tmpfs hvt "$TMP/data/sub"
	attach --ro hvt_data hvt_web:/mnt/d
	fails_with 1 "Read-only" -- docker exec hvt_web touch /mnt/d/x
	run docker exec hvt_web mount -o remount,rw,bind /mnt/d
	[[ $status -ne 0 ]]
	run docker exec hvt_web mount -o remount,rw,bind /mnt/d/sub
	[[ $status -ne 0 ]]
	fails_with 1 "Read-only" -- docker exec hvt_web touch /mnt/d/x
	fails_with 1 "Read-only" -- docker exec hvt_web touch /mnt/d/sub/x
	umount "$TMP/data/sub"
}

@test "a target below a tmpfs of the container" {
	docker rm -f hvt_web
	docker run -d --network none --name hvt_web --tmpfs /scratch "$IMAGE" sleep 100000
	attach hvt_data hvt_web:/scratch/in/side
	[[ $(docker exec hvt_web cat /scratch/in/side/f) == hello ]]
	[[ $(docker exec hvt_web stat -c '%u:%g' /scratch/in) == 0:0 ]]
	engine_hostvol detach hvt_web:/scratch/in/side
	fails_with 1 -- docker exec hvt_web ls /scratch/in
}

@test "a --read-only container" {
	docker rm -f hvt_web
	docker run -d --network none --name hvt_web --read-only "$IMAGE" sleep 100000
	attach hvt_data hvt_web:/new/dir
	[[ $(docker exec hvt_web cat /new/dir/f) == hello ]]
	[[ $(docker exec hvt_web stat -c '%u:%g' /new) == 0:0 ]]
	fails_with 1 "Read-only" -- docker exec hvt_web touch /x
	engine_hostvol detach hvt_web:/new/dir
	fails_with 1 -- docker exec hvt_web ls /new
}

@test "a single file and a replacement" {
	attach --subpath f hvt_data hvt_web:/conf/file
	[[ $(docker exec hvt_web cat /conf/file) == hello ]]
	mkdir "$TMP/new"
	echo new >"$TMP/new/f"
	docker volume create -d hostvol -o path="$TMP/new" hvt_new
	attach hvt_data hvt_web:/mnt/d
	attach --replace hvt_new hvt_web:/mnt/d
	[[ $(docker exec hvt_web cat /mnt/d/f) == new ]]
}

@test "a volume of hostvol's own is writable, as one of the driver local is" {
	docker volume create -d hostvol hvt_own
	docker volume create hvt_local
	[[ $(stat -c %u "$(docker volume inspect -f '{{.Mountpoint}}' hvt_own)") == "$first" ]]
	for name in hvt_own hvt_local; do
		[[ $(docker run --rm --network none -v $name:/d "$IMAGE" \
			sh -c 'touch /d/f; stat -c %u:%g:%a /d') == 0:0:755 ]]
	done
	docker volume create -d hostvol -o uid=0 -o gid=0 hvt_root
	fails_with 1 Permission -- docker run --rm --network none -v hvt_root:/d "$IMAGE" touch /d/f
}

@test "by -v and by attach a file has one owner" {
	docker volume create -d hostvol hvt_own
	docker run --rm --network none -v hvt_own:/d "$IMAGE" sh -c 'touch /d/f; chown 1000:1000 /d/f'
	run -0 engine_hostvol check hvt_own hvt_web:/h
	[[ $output == *"owners as they are"* ]]
	attach hvt_own hvt_web:/h
	[[ $(docker exec hvt_web stat -c %u:%g /h /h/f) == $'0:0\n1000:1000' ]]
	docker exec hvt_web touch /h/g
	[[ $(docker run --rm --network none -v hvt_own:/d "$IMAGE" stat -c %u:%g /d/g) == 0:0 ]]
	docker restart -t 0 hvt_web
	[[ $(docker exec hvt_web stat -c %u:%g /h/f) == 1000:1000 ]]
	engine_hostvol detach hvt_web:/h
	run -0 engine_hostvol check --idmap always hvt_own hvt_web:/h
	[[ $output == *"owners mapped"* ]]
}

# make_fs KIND: a file system of its own for the Engine, at $TMP/KIND, with the volume hvt_KIND.
make_fs() {
	mkdir "$TMP/$1"
	if [[ $1 == tmpfs ]]; then
		in_engine mount -t tmpfs hvt "$TMP/$1"
	else
		truncate -s 320M "$TMP/$1.img" # XFS wants 300
		"mkfs.$1" -q "$TMP/$1.img" >/dev/null
		in_engine mount -o loop "$TMP/$1.img" "$TMP/$1"
	fi
	# shellcheck disable=SC2016
	in_engine sh -c 'chmod 755 "$1" && cd "$1" && touch f user third && chown 1000:1000 user && chown 7:7 third' \
		sh "$TMP/$1"
	docker volume create -d hostvol -o path="$TMP/$1" "hvt_$1"
}

owners() { # CONTAINER PATH...
	docker exec "$1" stat -c %u:%g "${@:2}" | paste -s -d ' '
}

host_owners() {
	in_engine stat -c %u:%g "$@" | paste -s -d ' '
}

@test "another owner by attach is composed with the container's map, on each file system" {
	for kind in ext4 xfs btrfs tmpfs; do
		echo "$kind"
		make_fs "$kind"
		d=/mnt/$kind
		attach "hvt_$kind" "hvt_web:$d-none"
		[[ $(owners hvt_web "$d-none" "$d-none/f" "$d-none/user" "$d-none/third") == "0:0 0:0 1000:1000 7:7" ]]
		attach --as 1000:1000 "hvt_$kind" "hvt_web:$d"
		[[ $(owners hvt_web "$d" "$d/f" "$d/user" "$d/third") == "1000:1000 1000:1000 0:0 7:7" ]]
		docker exec -u 1000:1000 hvt_web touch "$d/by-user"
		docker exec hvt_web touch "$d/by-root"
		[[ $(owners hvt_web "$d/by-user" "$d/by-root") == "1000:1000 0:0" ]]
		[[ $(host_owners "$TMP/$kind/by-user" "$TMP/$kind/by-root") == "0:0 1000:1000" ]]
		[[ $(host_owners "$TMP/$kind" "$TMP/$kind/user" "$TMP/$kind/third") == "0:0 1000:1000 7:7" ]]
		run -0 docker exec hvt_web grep " $d " /proc/self/mountinfo
		[[ $output == *nosuid* && $output == *idmapped* ]]
	done
	docker restart -t 0 hvt_web
	for kind in ext4 xfs btrfs tmpfs; do
		within 10 docker exec hvt_web test -e "/mnt/$kind/f"
		[[ $(owners hvt_web "/mnt/$kind" "/mnt/$kind/user") == "1000:1000 0:0" ]]
	done
	fails_with 1 "no such user or group" "uid_map" -- attach --as 70000 hvt_tmpfs hvt_web:/no
	docker rm -f hvt_web
	for kind in ext4 xfs btrfs tmpfs; do
		docker volume rm "hvt_$kind"
		in_engine umount "$TMP/$kind"
	done
}

@test "another owner by docker run -v, in the container's numbers" {
	docker volume create -d hostvol -o path="$TMP/data" -o as=1000:1000 hvt_as
	[[ $(docker run --rm --network none --user 1000:1000 -v hvt_as:/d "$IMAGE" \
		sh -c 'touch /d/new; stat -c %u:%g /d /d/f /d/new' | paste -s -d ' ') == "1000:1000 1000:1000 1000:1000" ]]
	[[ $(stat -c %u:%g "$TMP/data" "$TMP/data/new" | paste -s -d ' ') == "0:0 0:0" ]]
	docker volume create -d hostvol -o as=1000 hvt_own
	[[ $(docker run --rm --network none --user 1000 -v hvt_own:/d "$IMAGE" \
		sh -c 'touch /d/new; stat -c %u /d/new') == 1000 ]]
	[[ $(stat -c %u "$(docker volume inspect -f '{{.Mountpoint}}' hvt_own)/new") == "$first" ]]
}

@test "another owner of a directory that belongs to the container's users, and with --idmap never" {
	docker volume create -d hostvol hvt_own
	docker run --rm --network none -v hvt_own:/d "$IMAGE" sh -c 'touch /d/f /d/user; chown 1000:1000 /d/user'
	attach --as 1000:1000 hvt_own hvt_web:/o
	[[ $(owners hvt_web /o /o/f /o/user) == "1000:1000 1000:1000 0:0" ]]
	docker exec -u 1000:1000 hvt_web touch /o/new
	[[ $(docker run --rm --network none -v hvt_own:/d "$IMAGE" stat -c %u:%g /d/new) == 0:0 ]]
	chown 7:7 "$TMP/data/f"
	attach --as 1000:1000 --idmap never hvt_data hvt_web:/never
	[[ $(owners hvt_web /never /never/f) == "1000:1000 65534:65534" ]]
	run -0 engine_hostvol check hvt_data hvt_web:/check
	[[ $output != *owner:* ]] # root, mapped
}
