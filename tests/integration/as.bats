# SPDX-License-Identifier: Apache-2.0
load helpers

# Another owner: option as, and attach --as.  userns.bats has an Engine with --userns-remap.

setup() {
	common_setup
	KINDS=(ext4 xfs btrfs tmpfs)
}

teardown() {
	common_teardown
}

# make_source DIR: root's, with a file each of root, 1000 and 7.
make_source() {
	chown 0:0 "$1"
	chmod 755 "$1"
	echo root >"$1/f"
	echo user >"$1/user"
	echo third >"$1/third"
	chown 1000:1000 "$1/user"
	chown 7:7 "$1/third"
}

# make_fs KIND: a file system of its own at $TMP/KIND, and the volumes hvt_KIND and, with another owner,
# hvt_as_KIND.
make_fs() {
	mkdir "$TMP/$1"
	if [[ $1 == tmpfs ]]; then
		mount -t tmpfs hvt "$TMP/$1"
	else
		truncate -s 320M "$TMP/$1.img" # XFS wants 300
		"mkfs.$1" -q "$TMP/$1.img" >/dev/null
		mount -o loop "$TMP/$1.img" "$TMP/$1"
	fi
	make_source "$TMP/$1"
	docker volume create -d hostvol -o path="$TMP/$1" "hvt_$1"
	docker volume create -d hostvol -o path="$TMP/$1" -o as=1000:1000 "hvt_as_$1"
}

# owners CONTAINER PATH...: as the container sees them.
owners() {
	docker exec "$1" stat -c %u:%g "${@:2}" | paste -s -d ' '
}

host_owners() {
	stat -c %u:%g "$@" | paste -s -d ' '
}

# has_option CONTAINER TARGET OPTION: the mount has it, as mountinfo says.
has_option() {
	awk -v target="$2" '$5 == target { print "," $6 "," }' "/proc/$(pid_of "$1")/mountinfo" | grep -q ",$3,"
}

# seen CONTAINER DIR: the exchange, and nothing else.
seen() {
	[[ $(owners "$1" "$2" "$2/f" "$2/user" "$2/third") == "1000:1000 1000:1000 0:0 7:7" ]]
}

# written CONTAINER DIR SOURCE: what its users make belongs to the others on the host.
written() {
	docker exec -u 1000:1000 "$1" touch "$2/by-user"
	docker exec -u 0:0 "$1" touch "$2/by-root"
	[[ $(owners "$1" "$2/by-user" "$2/by-root") == "1000:1000 0:0" ]]
	[[ $(host_owners "$3/by-user" "$3/by-root") == "0:0 1000:1000" ]]
	[[ $(host_owners "$3" "$3/f" "$3/user" "$3/third") == "0:0 0:0 1000:1000 7:7" ]]
}

# refuses_user CONTAINER DIR: without another owner the user cannot write.
refuses_user() {
	[[ $(owners "$1" "$2" "$2/f" "$2/user") == "0:0 0:0 1000:1000" ]]
	fails_with 1 "Permission denied" -- docker exec -u 1000:1000 "$1" touch "$2/no"
}

@test "by docker run -v, on each file system" {
	for kind in "${KINDS[@]}"; do
		echo "$kind"
		make_fs "$kind"
		start "hvt_$kind" -v "hvt_$kind:/none" -v "hvt_as_$kind:/as"
		refuses_user "hvt_$kind" /none
		seen "hvt_$kind" /as
		written "hvt_$kind" /as "$TMP/$kind"
		has_option "hvt_$kind" /as nosuid
		run ! has_option "hvt_$kind" /none nosuid
		docker rm -f "hvt_$kind"
	done
}

@test "by attach, on each file system, over restarts" {
	start hvt_web --user 1000:1000
	for kind in "${KINDS[@]}"; do
		make_fs "$kind"
		docker hostvol attach "hvt_$kind" "hvt_web:/none/$kind"
		docker hostvol attach --as 1000:1000 "hvt_$kind" "hvt_web:/flag/$kind"
		docker hostvol attach "hvt_as_$kind" "hvt_web:/option/$kind"
	done
	for round in first restarted; do
		for kind in "${KINDS[@]}"; do
			echo "$round $kind"
			refuses_user hvt_web "/none/$kind"
			seen hvt_web "/flag/$kind"
			seen hvt_web "/option/$kind"
			has_option hvt_web "/flag/$kind" nosuid
			has_option hvt_web "/option/$kind" nosuid
			[[ $round != first ]] || written hvt_web "/flag/$kind" "$TMP/$kind"
		done
		docker restart -t 0 hvt_web
	done
	run -0 docker hostvol ls --format json
	jq -e '[.[] | select(.Target == "/flag/ext4") | .As] == ["1000:1000"]' <<<"$output"
	jq -e '[.[] | select(.Target == "/none/ext4") | has("As")] == [false]' <<<"$output"
}

@test "an attachment keeps it over the daemon's end and a stopped container" {
	mkdir "$TMP/data"
	make_source "$TMP/data"
	docker volume create -d hostvol -o path="$TMP/data" hvt_data
	start hvt_web --user 1000:1000
	docker stop -t 0 hvt_web
	docker hostvol attach --as 1000:1000 hvt_data hvt_web:/d
	kill -KILL "$(daemon_pid)"
	within 20 docker hostvol ls
	docker start hvt_web
	within 10 seen hvt_web /d
	docker hostvol attach --as 1000:1000 hvt_data hvt_web:/d # the same
	fails_with 1 "with other options" "--replace" -- docker hostvol attach --as 1000 hvt_data hvt_web:/d
	fails_with 1 "with other options" -- docker hostvol attach hvt_data hvt_web:/d
	docker hostvol attach --replace --as 33:33 hvt_data hvt_web:/d
	[[ $(owners hvt_web /d /d/user) == "33:33 1000:1000" ]]
	docker hostvol detach hvt_web:/d
	[[ $(host_owners "$TMP/data" "$TMP/data/f") == "0:0 0:0" ]]
}

@test "two containers with two owners on one volume at once" {
	mkdir "$TMP/data"
	make_source "$TMP/data"
	docker volume create -d hostvol -o path="$TMP/data" -o as=1000:1000 hvt_data
	docker volume create -d hostvol -o from=hvt_data -o as=33:33 hvt_web_data
	docker volume create -d hostvol -o from=hvt_data hvt_same
	start hvt_app --user 1000:1000 -v hvt_data:/v
	start hvt_web --user 33:33 -v hvt_web_data:/v
	docker hostvol attach hvt_data hvt_app:/a
	docker hostvol attach --as 33:33 hvt_data hvt_web:/a
	for dir in v a; do
		docker exec hvt_app touch "/$dir/app-$dir"
		docker exec hvt_web touch "/$dir/web-$dir"
	done
	for dir in v a; do
		[[ $(owners hvt_app /$dir /$dir/app-v /$dir/web-v /$dir/app-a /$dir/web-a | tr ' ' '\n' | uniq) == 1000:1000 ]]
		[[ $(owners hvt_web /$dir /$dir/app-v /$dir/web-v /$dir/app-a /$dir/web-a | tr ' ' '\n' | uniq) == 33:33 ]]
	done
	[[ $(host_owners "$TMP"/data/{app,web}-* | tr ' ' '\n' | uniq) == 0:0 ]]
	[[ $(run_in -v hvt_same:/d "$IMAGE" stat -c %u:%g /d) == 1000:1000 ]] # its volume's
}

@test "set-user-ID bits are ignored, unless they are asked for" {
	mkdir "$TMP/data"
	make_source "$TMP/data"
	printf '#include <stdio.h>\n#include <unistd.h>\nint main(void) { return !printf("%%d\\n", (int)geteuid()); }\n' >"$TMP/euid.c"
	gcc -static -o "$TMP/data/root" "$TMP/euid.c"
	cp "$TMP/data/root" "$TMP/data/user1000"
	chown 1000:1000 "$TMP/data/user1000"
	chmod 4755 "$TMP/data/root" "$TMP/data/user1000"
	docker volume create -d hostvol -o path="$TMP/data" hvt_data
	docker volume create -d hostvol -o path="$TMP/data" -o as=1000 hvt_as
	docker volume create -d hostvol -o type=none -o device="$TMP/data" -o o=bind,suid -o as=1000 hvt_suid
	start hvt_web --user 2000:2000 -v hvt_as:/v -v hvt_suid:/v-suid
	docker hostvol attach --as 1000 hvt_data hvt_web:/a
	docker hostvol attach --as 1000 --suid hvt_data hvt_web:/a-suid
	docker hostvol attach hvt_suid hvt_web:/o-suid
	docker hostvol attach --nosuid hvt_suid hvt_web:/o-nosuid
	for dir in v a o-nosuid; do
		[[ $(docker exec hvt_web "/$dir/root") == 2000 ]]
		[[ $(docker exec hvt_web "/$dir/user1000") == 2000 ]]
	done
	for dir in v-suid a-suid o-suid; do # each is the other's
		[[ $(docker exec hvt_web "/$dir/root") == 1000 ]]
		[[ $(docker exec hvt_web "/$dir/user1000") == 0 ]]
	done
}

@test "the owner of a subpath's volume decides, and a user without a group" {
	mkdir -p "$TMP/data/sub"
	make_source "$TMP/data/sub"
	chown 7:8 "$TMP/data"
	docker volume create -d hostvol -o path="$TMP/data" hvt_data
	start hvt_web
	docker hostvol attach --as 1000 --subpath sub hvt_data hvt_web:/d
	[[ $(owners hvt_web /d /d/f /d/user /d/third) == "0:0 0:0 7:1000 1000:7" ]]
	docker hostvol attach --as 7 hvt_data hvt_web:/same # the owner already
	[[ $(owners hvt_web /same) == 7:8 ]]
	run ! has_option hvt_web /same idmapped
}

@test "kinds of volumes: of hostvol's own, a file system, with option attach" {
	docker volume create -d hostvol -o as=1000:1000 hvt_own
	docker volume create -d hostvol -o type=tmpfs -o device=tmpfs -o o=mode=755 -o as=1000:1000 hvt_tmpfs
	for name in hvt_own hvt_tmpfs; do
		[[ $(run_in --user 1000:1000 -v $name:/d "$IMAGE" sh -c 'touch /d/f; stat -c %u:%g /d/f') == 1000:1000 ]]
	done
	[[ $(host_owners "$(docker volume inspect -f '{{.Mountpoint}}' hvt_own)/f") == 0:0 ]]
	mkdir "$TMP/data"
	make_source "$TMP/data"
	start hvt_web
	docker volume create -d hostvol -o path="$TMP/data" -o as=1000:1000 -o attach=hvt_web:/d hvt_hot
	seen hvt_web /d
	docker volume rm hvt_hot
}

@test "the option changes while nobody has the volume" {
	mkdir "$TMP/data"
	make_source "$TMP/data"
	docker volume create -d hostvol -o path="$TMP/data" hvt_data
	docker hostvol set hvt_data as=33:33
	[[ $(run_in -v hvt_data:/d "$IMAGE" stat -c %u:%g /d) == 33:33 ]]
	docker hostvol set hvt_data as=1000:1000
	[[ $(run_in -v hvt_data:/d "$IMAGE" stat -c %u:%g /d) == 1000:1000 ]]
	start hvt_web
	docker hostvol attach hvt_data hvt_web:/d
	fails_with 1 "option as of volume 'hvt_data' cannot be changed while it is attached" -- \
		docker hostvol set hvt_data as=
	docker hostvol detach hvt_web:/d
	docker hostvol set hvt_data as=
	[[ $(run_in -v hvt_data:/d "$IMAGE" stat -c %u:%g /d) == 0:0 ]]
}

@test "check tells when the user could not write, and the --as that helps" {
	mkdir "$TMP/data"
	make_source "$TMP/data"
	docker volume create -d hostvol -o path="$TMP/data" hvt_data
	start hvt_web --user 1000:1000
	run -0 docker hostvol check hvt_data hvt_web:/d
	[[ $output == *"ok    owner: the container's user 1000 cannot write in a directory of 0:0 with mode 755; attach with --as 1000:1000"* ]]
	run -0 docker hostvol check --as 1000:1000 hvt_data hvt_web:/d
	[[ $output != *owner:* && $output == *"read-write, nosuid, its owner shown as 1000:1000"* ]]
	run -0 docker hostvol check --ro hvt_data hvt_web:/d
	[[ $output != *owner:* ]]
	chmod 555 "$TMP/data"
	run -0 docker hostvol check hvt_data hvt_web:/d
	[[ $output == *"with mode 555" ]] # no --as would help
	chmod 757 "$TMP/data"
	run -0 docker hostvol check hvt_data hvt_web:/d
	[[ $output != *owner:* ]]
	chmod 775 "$TMP/data"
	chown 5:1000 "$TMP/data"
	run -0 docker hostvol check hvt_data hvt_web:/d
	[[ $output != *owner:* ]] # by its group
	start hvt_root
	chmod 700 "$TMP/data"
	run -0 docker hostvol check hvt_data hvt_root:/d
	[[ $output != *owner:* ]]
}

@test "names, and file systems that cannot map owners, are refused" {
	fails_with 1 "option as=www-data is not UID or UID:GID" "docker exec CONTAINER id" -- \
		docker volume create -d hostvol -o as=www-data hvt_no
	mkdir "$TMP/ram" "$TMP/data" "$TMP/data/below" "$TMP/low" "$TMP/up" "$TMP/work" "$TMP/overlay"
	mount -t ramfs hvt "$TMP/ram"
	mount -t overlay -o "lowerdir=$TMP/low,upperdir=$TMP/up,workdir=$TMP/work" hvt "$TMP/overlay"
	mount -t ramfs hvt "$TMP/data/below"
	docker volume create -d hostvol -o path="$TMP/ram" -o as=1000 hvt_ram
	docker volume create -d hostvol -o path="$TMP/overlay" -o as=1000 hvt_overlay
	docker volume create -d hostvol -o path="$TMP/data" -o as=1000 hvt_below
	start hvt_web
	fails_with 2 "--as takes UID or UID:GID" -- docker hostvol attach --as www-data hvt_ram hvt_web:/d
	refused=(hvt_ram hvt_below)
	# overlay can from 7.3 on
	[[ $(printf '%s\n' 7.3 "$(uname -r)" | sort -V | head -1) == 7.3 ]] || refused+=(hvt_overlay)
	for name in "${refused[@]}"; do
		fails_with 1 "the owner of volume '$name' cannot be shown as 1000" "cannot map owners" -- \
			docker hostvol attach "$name" hvt_web:/d
		fails_with 125 "the owner of volume '$name' cannot be shown as 1000" -- \
			run_in -v "$name:/d" "$IMAGE" true
	done
	fails_with 1 "(ramfs)" -- docker hostvol attach hvt_ram hvt_web:/d
	docker hostvol attach --as 0 hvt_ram hvt_web:/d # the owner already
	[[ $(owners hvt_web /d) == 0:0 ]]
}
