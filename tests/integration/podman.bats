# SPDX-License-Identifier: Apache-2.0
load helpers
CLI=podman
load first

# Podman, as root: hostvol is a volume plugin of containers.conf, and its containers can be attached to
# by way of its Docker-compatible socket. HOSTVOL_TEST_RUNTIME: its runtime, runc or crun;
# HOSTVOL_START_ROUNDS: how often a container is restarted.

setup_file() {
	PODMAN=$(mktemp -d -p /var/tmp hvt-podman.XXXXXX)
	export PODMAN CONTAINERS_CONF=$PODMAN/containers.conf CONTAINERS_STORAGE_CONF=$PODMAN/storage.conf
	cat >"$CONTAINERS_CONF" <<-END
		[containers]
		default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
		netns = "none"
		pids_limit = 0 # crun asks for a controller of version 2 otherwise
		[engine]
		cgroup_manager = "cgroupfs"
		events_logger = "file"
		runtime = "${HOSTVOL_TEST_RUNTIME:-runc}" # crun takes no machine with both versions of cgroups
		[engine.volume_plugins]
		hostvol = "$PODMAN/hostvol.sock"
	END
	cat >"$CONTAINERS_STORAGE_CONF" <<-END
		[storage]
		driver = "overlay"
		graphroot = "$PODMAN/root"
		runroot = "$PODMAN/run"
	END
	if [[ -n ${HOSTVOL_PREFIX:-} ]]; then # it is installed
		ln -s "$HOSTVOL_PREFIX" "$PODMAN/prefix"
	else
		cmake --install "$BATS_TEST_DIRNAME/../../build/release" --prefix "$PODMAN/prefix" >/dev/null
	fi
	docker save "$IMAGE" | podman load >/dev/null
	serve podman.sock podman system service --time 0 "unix://$PODMAN/podman.sock"
	hostvold_start
}

# serve SOCKET COMMAND...: run it until the socket is there; its PID in SOCKET.pid.
serve() {
	local socket=$1
	shift
	rm -f "$PODMAN/$socket"
	setsid "$@" >>"$PODMAN/log" 2>&1 3>&- &
	echo $! >"$PODMAN/$socket.pid"
	disown
	within 20 curl -s --unix-socket "$PODMAN/$socket" http://localhost/
}

hostvold_start() {
	serve hostvol.sock "$BATS_TEST_DIRNAME/../../build/release/driver/daemon/hostvold" \
		--socket "$PODMAN/hostvol.sock" --state "$PODMAN/state" --mount-root "$PODMAN/mounts" \
		--engine "$PODMAN/podman.sock"
}

hostvold_kill() {
	local pid
	pid=$(cat "$PODMAN/hostvol.sock.pid")
	kill -KILL "$pid"
	while [[ -d /proc/$pid ]]; do sleep 0.01; done
}

teardown_file() {
	kill "$(cat "$PODMAN/hostvol.sock.pid")" "$(cat "$PODMAN/podman.sock.pid")"
	podman rmi -af >/dev/null 2>&1 || true
	awk -v top="$PODMAN" 'index($5, top) == 1 { print $5 }' /proc/self/mountinfo | sort -r |
		while read -r mountpoint; do umount -l "$mountpoint"; done
	rm -rf "$PODMAN"
}

setup() {
	TMP=$(mktemp -d -p /srv hvt.XXXXXX)
	echo content >"$TMP/file"
	export HOSTVOL_SOCKET=$PODMAN/hostvol.sock
}

teardown() {
	podman rm -af -t 0 >/dev/null 2>&1
	podman volume ls -q | xargs -r podman volume rm -f >/dev/null
	[[ $(ls "$PODMAN/mounts") == '' ]]
	rm -rf "$TMP"
}

background() {
	podman run -d --name "$@" "$IMAGE" sleep 100000 >/dev/null
}

# As docs/install.md says: without docker in front, and with nothing in PATH but what an install has put there.
hostvol() {
	env -i PATH="$PODMAN/prefix/bin:/usr/bin:/bin" HOSTVOL_SOCKET="$HOSTVOL_SOCKET" docker-hostvol "$@"
}

@test "create, inspect, run, rm" {
	podman volume create --driver hostvol --opt path="$TMP" data
	[[ $(podman volume inspect -f '{{.Driver}} {{.Status.source}}' data) == "hostvol $TMP" ]]
	podman volume create --driver hostvol own
	podman run --rm -v data:/d -v own:/o "$IMAGE" sh -c 'cp /d/file /o/copy; echo two >/d/two'
	[[ $(cat "$TMP/two" "$PODMAN/state/volumes/own/_data/copy") == $'two\ncontent' ]]
	background web -v data:/d
	fails_with 2 "being used" -- podman volume rm data
	podman rm -f -t 0 web
	podman volume rm data own
	[[ -e $TMP/file ]]
}

@test "prune and rm leave the data, which the next volume of its name has" {
	podman volume create --driver hostvol own
	podman volume create --driver hostvol --opt on-remove=purge gone
	podman run --rm -v own:/o -v gone:/g "$IMAGE" sh -c 'echo precious >/o/f; touch /g/f'
	podman volume prune -f
	[[ -z $(podman volume ls -q) ]]
	[[ $(cat "$PODMAN/state/volumes/own/_data/f") == precious ]]
	within 10 test ! -e "$PODMAN/state/volumes/gone"
	podman volume create --driver hostvol own
	[[ $(podman run --rm -v own:/o "$IMAGE" cat /o/f) == precious ]]
	podman volume rm own
	podman volume create --driver hostvol --opt on-remove=purge own
	podman volume rm own
	within 10 test ! -e "$PODMAN/state/volumes/own"
}

@test "hints name Podman's commands" {
	podman volume create --driver hostvol --opt path="$TMP" data
	fails_with 1 "list the containers: podman ps -a" -- hostvol attach data none:/x
	background web
	hostvol attach data web:/d
	fails_with 1 "docker-hostvol detach web:/d" -- hostvol attach --ro data web:/d
	hostvol detach web:/d
}

@test "what hostvol refuses is shown" {
	fails_with 125 "unknown option 'foo'" -- podman volume create --driver hostvol --opt foo=bar data
	fails_with 125 "$TMP/none" mkdir -- podman volume create --driver hostvol --opt path="$TMP/none" data
	[[ -z $(podman volume ls -q) ]]
}

@test "attach to a running container and detach" {
	podman volume create --driver hostvol --opt path="$TMP" data
	background web
	[[ $(hostvol attach data web:/mnt/data) == web:/mnt/data ]]
	[[ $(podman exec web cat /mnt/data/file) == content ]]
	run -0 hostvol ls
	[[ $output == *data*web*/mnt/data*attached* ]]
	hostvol attach --ro data web:/mnt/ro
	fails_with 1 Read-only -- podman exec web touch /mnt/ro/x
	fails_with 1 "no such container: none" -- hostvol attach data none:/x
	fails_with 1 "/proc" -- hostvol attach data web:/proc
	hostvol detach web:/mnt/data
	hostvol detach web:/mnt/ro
	fails_with 1 "" -- podman exec web ls /mnt/data
}

@test "a restart, a stop and a start, and the daemon's SIGKILL keep what is attached" {
	podman volume create --driver hostvol --opt path="$TMP" data
	background web
	hostvol attach data web:/mnt/data
	podman restart -t 0 web
	within 10 podman exec web cat /mnt/data/file
	podman stop -t 0 web
	within 10 state_is pending
	podman start web
	within 10 podman exec web cat /mnt/data/file
	hostvold_kill
	hostvold_start
	state_is attached
	podman restart -t 0 web
	within 10 podman exec web cat /mnt/data/file
	podman rm -f -t 0 web
	within 10 state_is ''
}

state_is() {
	local list
	list=$(hostvol ls --format json) && [[ $(jq -r '.[].State' <<<"$list") == "$1" ]]
}

service_is_idle() {
	local pid before
	pid=$(cat "$PODMAN/podman.sock.pid")
	before=$(cut -d ' ' -f 14,15 "/proc/$pid/stat")
	sleep 0.5
	[[ $(cut -d ' ' -f 14,15 "/proc/$pid/stat") == "$before" ]] && ! grep -q " $pid " /proc/locks
}

@test "a first start and each restart are in time, and so is one while Podman answers nobody" {
	local rounds=${HOSTVOL_START_ROUNDS:-10} found
	make_first
	podman volume create --driver hostvol --opt path="$TMP" data
	within 10 eval '[[ $(hostvol doctor) == *"starts"*"held"* ]]'
	podman create --name first localhost/hvt-first /first /a /b
	hostvol attach data first:/a
	hostvol attach data first:/b
	podman start first
	restart_often first "$rounds"
	within 20 service_is_idle # stopped at work it keeps what `podman restart` waits for, its database
	kill -STOP "$(cat "$PODMAN/podman.sock.pid")"
	podman restart -t 0 first
	kill -CONT "$(cat "$PODMAN/podman.sock.pid")"
	found=$(said first $((rounds + 2)))
	echo "starts and attachments that were there: $found"
	[[ $found == "$((rounds + 2)) 2" ]]
	[[ $(hostvol inspect first:/a | jq '.[0].Late') == 0 ]]
}

@test "a container that mounts the volume sees what is attached elsewhere" {
	podman volume create --driver hostvol --opt type=tmpfs --opt device=tmpfs data
	background web
	background other -v data:/d
	hostvol attach data web:/d
	podman exec web sh -c 'echo one >/d/f'
	[[ $(podman exec other cat /d/f) == one ]]
	hostvol detach web:/d
}

@test "docker-addvol is in PATH, too" {
	run -0 env -i PATH="$PODMAN/prefix/bin:/usr/bin:/bin" docker-addvol --help
	[[ $output == *HOSTPATH* ]]
}

@test "where the daemon's socket is elsewhere the command says how to name it" {
	unset HOSTVOL_SOCKET
	DOCKER_HOST=unix://$PODMAN/podman.sock fails_with 1 "knows no managed plugins" HOSTVOL_SOCKET -- \
		"$PODMAN/prefix/bin/docker-hostvol" ls
}
