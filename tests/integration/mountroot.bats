# SPDX-License-Identifier: Apache-2.0
load helpers
load engine

# The mount that shows a plugin's volumes to the host is taken away while dockerd enables the plugin,
# as its own clean-up behind the plugin before does on a busy machine: no container sees an empty
# directory. HOSTVOL_MOUNT_ROOT_ROUNDS says how often: 6 times; scripts/test --all sets 20.

setup_file() {
	engine_setup
	engine_plugin
	ID=$(docker plugin inspect -f '{{.ID}}' hostvol)
	export PLACE=$ENGINE/data/plugins/$ID/propagated-mount
	mkdir "$ENGINE/srv"
	echo content >"$ENGINE/srv/file"
	docker volume create -d hostvol -o path="$ENGINE/srv" hvt_data
}

teardown_file() {
	engine_teardown
}

setup() {
	ROUNDS=${HOSTVOL_MOUNT_ROOT_ROUNDS:-6}
}

teardown() {
	let_be
}

# All that is mounted there, again and again.
take_away() {
	rm -f "$ENGINE/enough"
	# shellcheck disable=SC2016
	in_engine sh -c 'until [ -e "$1" ]; do umount -l "$2" 2>/dev/null; done' sh \
		"$ENGINE/enough" "$PLACE" 3>&- &
	TAKER=$!
}

let_be() {
	[[ -n ${TAKER:-} ]] || return 0
	touch "$ENGINE/enough"
	wait "$TAKER" || true
	TAKER=''
}

# see: what a container has of the volume: its file, or nothing; or Docker's error.
see() {
	status=0
	output=$(docker run --rm --network none -v hvt_data:/d "$IMAGE" \
		sh -c 'cat /d/file || echo EMPTY' 2>&1) || status=$?
}

sees_data() {
	see
	[[ $output != *EMPTY* && ($status -eq 0 || $output == *rror*) ]] ||
		{ echo "exit $status: $output" && return 1; }
	[[ $status -ne 0 || $output == content ]]
}

# Within a few seconds: the plugin may be started anew meanwhile.
has_data() {
	see
	[[ $output != *EMPTY* ]] || { echo "EMPTY" >"$ENGINE/empty" && return 1; }
	[[ $status -eq 0 && $output == content ]]
}

cycle_plugin() {
	docker plugin disable -f hostvol
	enable_plugin
}

# A plugin that ended is started anew by dockerd once. If a mount goes between two calls of that start
# it fails, dockerd says so, and nobody but an administrator can make up for it.
revive_plugin() {
	[[ ! -e $ENGINE/empty ]] || return 1
	tail -n 30 "$ENGINE/log" >&3
	docker plugin inspect hostvol >&3
	cycle_plugin
	within 15 has_data
}

# dockerd 28.5 may crash while it starts, when a driver goes just then: a second start is a start too.
cycle_dockerd() {
	engine_stop KILL
	engine_start || engine_start
}

@test "a container sees its volume or is not started, and afterwards sees it" {
	for i in $(seq "$ROUNDS"); do
		take_away
		if [[ $((i % 3)) -eq 0 ]]; then
			cycle_dockerd
		else
			cycle_plugin
		fi
		sees_data
		let_be
		within 15 has_data || revive_plugin
		[[ ! -e $ENGINE/empty ]]
	done
	[[ $(docker plugin inspect -f '{{.Enabled}}' hostvol) == true ]]
	run -0 engine_hostvol doctor
	[[ $output == *"ok    volumes:"* ]]
}

@test "with the plugin enabled, too, and a running container keeps what it has" {
	docker run -d --network none --name hvt_web -v hvt_data:/d "$IMAGE" sleep 100000
	for _ in $(seq 3); do
		while in_engine umount -l "$PLACE"; do :; done
		run engine_hostvol doctor
		[[ $output == *"FAIL  volumes:"*"$PLACE"* ]]
		[[ $(docker exec hvt_web cat /d/file) == content ]]
		has_data
	done
	docker rm -f hvt_web
}

# A Mount that ends in an error, with a daemon that ends behind it: it may be that the mount holds for once.
ends_itself() {
	sees_data
	[[ $(grep -c "hostvold ends, to be started anew" "$ENGINE/log") -gt $1 ]]
}

@test "a daemon that cannot mend it ends, and the one that Docker starts has a mount" {
	local before
	before=$(grep -c "hostvold ends, to be started anew" "$ENGINE/log" || true)
	take_away
	within 20 ends_itself "$before"
	let_be
	within 15 has_data || revive_plugin
}

@test "what was written below is kept and named" {
	docker plugin disable -f hostvol
	mkdir -p "$PLACE/old/sub" "$PLACE/bare"
	echo precious >"$PLACE/old/sub/file"
	enable_plugin
	fails_with 1 "FAIL  data: $PLACE/.lost.old" -- engine_hostvol doctor
	has_data
	docker plugin disable -f hostvol
	[[ $(ls -A "$PLACE") == .lost.old ]]
	[[ $(cat "$PLACE/.lost.old/sub/file") == precious ]]
	rm -rf "$PLACE/.lost.old"
	enable_plugin
	run -0 engine_hostvol doctor
}

# The plain daemon is not started anew with dockerd.
@test "a killed dockerd's references do not keep ro from being changed" {
	local daemon
	in_engine "$BATS_TEST_DIRNAME/../../build/release/driver/daemon/hostvold" \
		--socket /run/docker/plugins/hvtplain.sock --state "$ENGINE/plain" \
		--mount-root "$ENGINE/mounts" --engine "$ENGINE/docker.sock" >>"$ENGINE/log" 2>&1 3>&- &
	daemon=$!
	within 5 in_engine test -S /run/docker/plugins/hvtplain.sock
	docker volume create -d hvtplain hvt_own
	docker run -d --network none --name hvt_lost -v hvt_own:/d "$IMAGE" sleep 100000
	cycle_dockerd
	docker start hvt_lost
	docker stop -t 0 hvt_lost
	fails_with 1 "docker ps -a" -- ask_plain set hvt_own ro=true
	docker rm hvt_lost
	ask_plain set hvt_own ro=true
	fails_with 1 Read-only -- docker run --rm --network none -v hvt_own:/d "$IMAGE" touch /d/f
	docker volume rm hvt_own
	kill "$daemon"
	wait "$daemon" || true
}

ask_plain() {
	in_engine env HOSTVOL_SOCKET=/run/docker/plugins/hvtplain.sock docker-hostvol "$@"
}

# The last one here: dockerd goes on asking a driver that has gone, and waits for it.
@test "a plain daemon whose mounts the Engine does not see gives no container an empty directory" {
	local daemon socket=/run/docker/plugins/hvtunseen.sock
	in_engine unshare -m --propagation private "$BATS_TEST_DIRNAME/../../build/release/driver/daemon/hostvold" \
		--socket "$socket" --state "$ENGINE/unseen" --mount-root "$ENGINE/unseen-mounts" \
		--engine "$ENGINE/docker.sock" >>"$ENGINE/log" 2>&1 3>&- &
	daemon=$!
	within 5 in_engine test -S "$socket"
	docker volume create -d hvtunseen -o path="$ENGINE/srv" hvt_unseen
	fails_with 125 "volume 'hvt_unseen' is not mounted" "mount namespace of its own" PrivateTmp -- \
		docker run --rm --network none -v hvt_unseen:/d "$IMAGE" true
	[[ -z $(ls -A "$ENGINE/unseen-mounts") ]]
	docker volume rm hvt_unseen
	pkill -f "hostvold --socket $socket"
	wait "$daemon" || true
}
