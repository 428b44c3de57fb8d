# SPDX-License-Identifier: Apache-2.0
load helpers
load engine

# From the managed plugin to the package: what was made with the one goes on with the other.

setup() {
	engine_setup
	engine_plugin
}

teardown() {
	engine_teardown
}

# The daemon where hostvold.socket has it, and the link that belongs to it.
start_plain() {
	local top=$BATS_TEST_DIRNAME/../..
	in_engine "$top/build/release/driver/daemon/hostvold" --state "$ENGINE/state" \
		--mount-root "$ENGINE/mounts" --engine "$ENGINE/docker.sock" >>"$ENGINE/log" 2>&1 3>&- &
	disown
	within 10 in_engine test -S /run/docker/plugins/hostvol.sock
	in_engine ln -s hostvol.sock "$(sed -n 's/^Symlinks=//p' "$top/packaging/hostvold.socket")"
}

# managed_plugin: what the package's scripts ask, of this Engine.
managed_plugin() {
	# shellcheck disable=SC2016
	sed "s|/var/lib/docker|$ENGINE/data|" "$BATS_TEST_DIRNAME/../../packaging/debian/managed-plugin" |
		in_engine sh -c 'eval "$(cat)"; managed_plugin'
}

@test "volumes, containers and attachments of the managed plugin go on with the plain daemon" {
	docker volume create -d hostvol hvt_one
	docker volume create -d hostvol hvt_two
	docker run -d --network none -v hvt_one:/d --name hvt_web "$IMAGE" sleep 100000
	docker run -d --network none --name hvt_hot "$IMAGE" sleep 100000
	engine_hostvol attach hvt_two hvt_hot:/mnt/two
	docker exec hvt_web sh -c 'echo one >/d/f'
	docker exec hvt_hot sh -c 'echo two >/mnt/two/f'

	managed_plugin
	docker plugin disable -f hostvol # as README.Debian says
	managed_plugin
	docker plugin rm -f hostvol
	run ! managed_plugin
	start_plain

	[[ $(docker exec hvt_web cat /d/f) == one && $(docker exec hvt_hot cat /mnt/two/f) == two ]]
	[[ $(docker volume inspect -f '{{.Driver}} {{.Mountpoint}}' hvt_one) == \
		"hostvol:latest $ENGINE/state/volumes/hvt_one/_data" ]]
	docker restart -t 0 hvt_web hvt_hot
	[[ $(docker exec hvt_web cat /d/f) == one ]]
	within 10 docker exec hvt_hot grep -q two /mnt/two/f
	[[ $(docker run --rm --network none -v hvt_two:/d "$IMAGE" cat /d/f) == two ]]

	docker volume create -d hostvol hvt_new
	[[ $(docker volume ls -q | sort | xargs) == "hvt_new hvt_one hvt_two" ]]
	engine_stop
	engine_start
	[[ $(docker volume ls -q | sort | xargs) == "hvt_new hvt_one hvt_two" ]]
	docker start hvt_web
	[[ $(docker exec hvt_web cat /d/f) == one ]]
	docker rm -f hvt_web hvt_hot
	docker volume rm hvt_one hvt_two hvt_new
	[[ -z $(ls "$ENGINE/state/volumes") ]]
}
