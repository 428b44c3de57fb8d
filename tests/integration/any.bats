# SPDX-License-Identifier: Apache-2.0
load helpers
load engine

# Every source that can be attached (docs/sources.md), through all that happens to it: the container's restart, the
# daemon's death, docker run -v beside it, docker volume rm, the prunes, the detach. On an Engine of its own: the
# prunes would take the machine's volumes.

setup_file() {
	engine_setup
	engine_plugin
}

teardown_file() {
	engine_teardown
}

setup() {
	TMP=$(mktemp -d -p /srv hvt.XXXXXX)
	V=hvt_any$BATS_TEST_NUMBER
	mkdir "$TMP/dir"
	docker run -d --network none --name hvt_web "$IMAGE" sleep 100000
}

teardown() {
	engine_hostvol ls --format json | jq -r '.[].ID' | while read -r id; do
		engine_hostvol detach --lazy "$id" || true
	done
	engine_clear
	unmount_below "$TMP"
	rm -rf "$TMP"
}

# --- the sources: each sets SOURCE, and DIRECTORY where its data is on the host --------------------

managed() {
	docker volume create -d hostvol "$V"
	SOURCE=$V
}

local_plain() {
	docker volume create "$V"
	SOURCE=$V
}

local_bind() {
	docker volume create -o type=none -o o=bind -o device="$TMP/dir" "$V"
	SOURCE=$V
}

# Mounted on the host as long as a container uses it.
local_tmpfs() {
	docker volume create -o type=tmpfs -o device=tmpfs "$V"
	docker run -d --network none --name hvt_user -v "$V:/d" "$IMAGE" sleep 100000
	SOURCE=$V
}

path() { SOURCE=$TMP/dir; }
new_path() { SOURCE=$TMP/new/dir; }

# --- what happens to them ---------------------------------------------------------------------------

has_data() {
	[[ $(docker exec hvt_web cat /mnt/d/f) == one ]]
}

state() {
	engine_hostvol inspect hvt_web:/mnt/d | jq -r '.[0].State'
}

is_pending() { [[ $(state) == pending ]]; }

is_attached() {
	[[ $(state) == attached ]] && has_data
}

has_keeper() {
	[[ $(docker ps -q --filter "label=hostvol.keeps=$V" --filter status=running | wc -l) == 1 ]]
}

# Nor its image.
has_none() {
	[[ -z $(docker ps -aq --filter "label=hostvol.keeps=$V")$(docker images -q hostvol-keeper) ]]
}

# Docker 20.10 has no -a, and prunes all.
prune_volumes() {
	docker volume prune -af 2>/dev/null || docker volume prune -f
}

kill_daemon() {
	local pid
	pid=$(daemon_pid)
	kill -KILL "$pid"
	eventually daemon_is_another "$pid"
}

daemon_is_another() {
	local now
	now=$(daemon_pid)
	[[ -n $now && $now != "$1" ]]
}

attach() {
	engine_hostvol attach "$@" "$SOURCE" hvt_web:/mnt/d
	docker exec hvt_web sh -c 'echo one >/mnt/d/f'
}

# The whole life of an attachment of $SOURCE; a volume of another driver is kept meanwhile.
lives() {
	has_data
	docker restart -t 0 hvt_web
	eventually is_attached
	kill_daemon
	eventually is_attached
	docker stop -t 0 hvt_web
	eventually is_pending
	docker start hvt_web
	eventually is_attached
	engine_hostvol detach hvt_web:/mnt/d
	fails_with 1 -- docker exec hvt_web cat /mnt/d/f
	[[ $(engine_hostvol ls --format json | tr -d ' \n') == '[]' ]]
}

# Docker's own commands delete none of it while it is attached; also in the moment in which hostvold is killed.
is_kept() {
	local pid round
	has_keeper
	fails_with 1 "in use" -- docker volume rm "$V"
	fails_with 1 "in use" -- docker volume rm -f "$V"
	prune_volumes
	docker container prune -f
	docker image prune -af
	has_keeper
	docker stop "hostvol-keeps-$V"
	eventually has_keeper
	docker rm -f "hostvol-keeps-$V"
	eventually has_keeper
	pid=$(daemon_pid)
	for round in $(seq 30); do
		[[ $round != 10 ]] || kill -KILL "$pid"
		docker system prune --volumes -f
		has_data
	done
	eventually daemon_is_another "$pid"
	eventually is_attached
	has_keeper
	docker volume inspect "$V"
}

is_shown_by_run() {
	[[ $(docker run --rm --network none -v "$SOURCE:/x" "$IMAGE" cat /x/f) == one ]]
}

@test "a volume of hostvol" {
	managed
	attach
	is_shown_by_run
	fails_with 1 "is attached" -- docker volume rm "$V"
	prune_volumes
	docker system prune --volumes -f
	has_data
	lives
	docker volume rm "$V"
}

@test "a volume of the driver local" {
	local_plain
	attach
	[[ $(engine_hostvol inspect hvt_web:/mnt/d | jq -r '.[0] | "\(.Volume) \(.Driver)"') == "$V local" ]]
	is_shown_by_run
	is_kept
	lives
	eventually has_none
	[[ $(docker run --rm --network none -v "$V:/x" "$IMAGE" cat /x/f) == one ]]
	docker volume rm "$V"
}

@test "a volume of the driver local with bind" {
	local_bind
	attach
	[[ $(cat "$TMP/dir/f") == one ]]
	is_shown_by_run
	is_kept
	lives
	docker volume rm "$V"
	[[ $(cat "$TMP/dir/f") == one ]]
}

@test "a tmpfs of the driver local is attached while a container uses it" {
	local_tmpfs
	attach
	[[ $(docker exec hvt_user cat /d/f) == one ]]
	has_keeper
	kill_daemon
	eventually is_attached
	docker restart -t 0 hvt_web
	eventually is_attached
	engine_hostvol detach hvt_web:/mnt/d
	has_none
	docker rm -f hvt_user
	docker volume rm "$V"
}

@test "a tmpfs of the driver local that no container uses is refused, and nothing is left" {
	docker volume create -o type=tmpfs -o device=tmpfs "$V"
	fails_with 1 "volume '$V' is not mounted on the host" "hint: attach it while a container uses it" -- \
		engine_hostvol attach "$V" hvt_web:/mnt/d
	fails_with 1 "is not mounted on the host" -- engine_hostvol check "$V" hvt_web:/mnt/d
	has_none
	docker volume rm "$V"
}

@test "a directory of the host" {
	path
	attach
	[[ $(engine_hostvol inspect hvt_web:/mnt/d | jq -r '.[0] | "\(.Volume) \(.Driver)"') == "$TMP/dir null" ]]
	is_shown_by_run
	[[ -z $(docker volume ls -q) ]] # it defines nothing
	fails_with 1 "no such volume" -- docker volume inspect "$TMP/dir"
	docker system prune --volumes -f
	lives
	[[ $(cat "$TMP/dir/f") == one ]]
}

@test "a missing directory of the host is refused, or made by --mkdir" {
	new_path
	fails_with 1 "there is no directory $SOURCE" "--mkdir" -- engine_hostvol attach "$SOURCE" hvt_web:/mnt/d
	[[ ! -e $TMP/new ]]
	run -0 engine_hostvol check --mkdir "$SOURCE" hvt_web:/mnt/d
	[[ $output == *"which is to be made"* && ! -e $TMP/new ]]
	fails_with 1 "nothing may be mounted" -- engine_hostvol attach --mkdir "$SOURCE" hvt_web:/proc
	[[ ! -e $TMP/new ]]
	attach --mkdir
	[[ $(stat -c '%u:%g %a' "$SOURCE") == "0:0 755" ]]
	lives
	[[ $(cat "$SOURCE/f") == one ]]
}

@test "a missing subpath is made with the owner and the mode of the source" {
	path
	chown 1000:1001 "$SOURCE"
	chmod 0750 "$SOURCE"
	fails_with 1 "there is no such subpath" -- engine_hostvol attach --subpath a/b "$SOURCE" hvt_web:/mnt/d
	attach --mkdir --subpath a/b
	[[ $(stat -c '%u:%g %a' "$SOURCE/a") == "1000:1001 750" ]]
	[[ $(stat -c '%u:%g %a' "$SOURCE/a/b") == "1000:1001 750" ]]
	[[ $(cat "$SOURCE/a/b/f") == one ]]
	lives
}

@test "a path in words that are no absolute path" {
	fails_with 2 "is not absolute" "hint: write it from the host's root: $TMP/dir" -- \
		in_engine sh -c "cd $TMP && docker-hostvol attach ./dir hvt_web:/mnt/d"
	fails_with 2 "is not absolute" -- engine_hostvol attach \~/dir hvt_web:/mnt/d
	fails_with 1 "no such volume: dir" "/DIRECTORY" -- engine_hostvol attach dir hvt_web:/mnt/d
}

@test "two containers have one path, and two attaches of a new path at once both work" {
	docker run -d --network none --name hvt_other "$IMAGE" sleep 100000
	engine_hostvol attach --mkdir "$TMP/new" hvt_web:/mnt/d 3>&- &
	engine_hostvol attach --mkdir "$TMP/new" hvt_other:/mnt/d
	wait $!
	docker exec hvt_web sh -c 'echo one >/mnt/d/f'
	[[ $(docker exec hvt_other cat /mnt/d/f) == one ]]
	engine_hostvol detach hvt_web:/mnt/d
	[[ $(docker exec hvt_other cat /mnt/d/f) == one ]]
	engine_hostvol detach hvt_other:/mnt/d
	[[ -e $TMP/new/f ]]
}

@test "a removed container frees a volume of another driver" {
	local_plain
	attach
	has_keeper
	docker rm -f hvt_web
	eventually has_none
	docker volume rm "$V"
}

@test "replaced by another source it is free" {
	local_plain
	attach
	engine_hostvol attach --replace "$TMP/dir" hvt_web:/mnt/d
	has_none
	docker volume rm "$V"
	fails_with 1 -- docker exec hvt_web cat /mnt/d/f
}

@test "a volume that is kept outlives a restart of dockerd, and prunes from its first moment on" {
	local_plain
	attach
	docker update --restart always hvt_web
	engine_stop
	engine_start
	for _ in $(seq 10); do docker system prune --volumes -f; done
	eventually is_attached
	has_keeper
}

@test "a container of somebody else's with the keeper's name is left alone" {
	local_plain
	docker create --network none --name "hostvol-keeps-$V" "$IMAGE" true
	fails_with 1 "cannot be kept from removal" "hint: rename or remove it" -- \
		engine_hostvol attach "$V" hvt_web:/mnt/d
	[[ $(docker inspect -f '{{.State.Status}}' "hostvol-keeps-$V") == created ]]
	docker rm "hostvol-keeps-$V"
	has_none
	docker volume rm "$V"
}

@test "a volume of hostvol cannot have the name of one that is attached" {
	local_plain
	attach
	run -0 post_own /VolumeDriver.Create "{\"Name\":\"$V\"}"
	[[ $output == *"of the driver local is attached to container 'hvt_web'"* ]]
	run -0 post_own /VolumeDriver.Get "{\"Name\":\"$V\"}"
	[[ $output == *"no such volume"* ]]
	run -0 post_own /VolumeDriver.List '{}'
	[[ $output != *"$V"* ]]
	run -0 post_own /VolumeDriver.Remove "{\"Name\":\"$V\"}"
	[[ $output == *"no such volume"* ]]
	is_attached
}

# The socket is in the Engine's own /run/docker.
post_own() {
	in_engine curl -s --max-time 20 --unix-socket "$(daemon_socket)" --data-binary "$2" "http://hostvol$1"
}
