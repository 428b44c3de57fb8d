# SPDX-License-Identifier: Apache-2.0
# What the tests of the plugin in a real Docker Engine share. They type what a user types: the
# docker command, with the hostvol plugin enabled and its command installed (scripts/test docker).

bats_require_minimum_version 1.5.0

IMAGE=hostvol-test/busybox
LABEL=hostvol.test=1

# Every name a test makes begins with this, so that what it left can be found.
T=hvt

common_setup() {
	TMP=$(mktemp -d -p /srv hvt.XXXXXX)
}

# The machine may have containers, volumes and attachments of its own, which stay as they are.
common_teardown() {
	local name
	docker ps -aq --filter "label=$LABEL" | xargs -r docker rm -f >/dev/null 2>&1 || true
	our_attachments | while read -r name; do
		docker hostvol detach --lazy "$name" >/dev/null 2>&1 || true
	done
	docker ps -aq --filter "name=hostvol-keeps.*-$T" | xargs -r docker rm -v >/dev/null 2>&1 || true
	docker volume ls -q --filter "name=^$T" | xargs -r docker volume rm -f >/dev/null 2>&1 || true
	for name in $(docker volume ls -q --filter driver=hostvol:latest); do # what addvol defined
		[[ $(docker volume inspect -f '{{.Status.source}}' "$name") != "$TMP"/* ]] ||
			docker volume rm "$name" >/dev/null
	done
	unmount_below "$TMP"
	rm -rf "$TMP"
}

# our_attachments: the IDs of those of volumes that tests have made.
our_attachments() {
	docker hostvol ls --format json 2>/dev/null | jq -r --arg name "$T" --arg dir "$TMP/" \
		'.[] | select((.Volume | startswith($name)) or (.Source | startswith($dir))) | .ID'
}

# Deepest first: a mount on a mount.
unmount_below() {
	awk -v top="$1" 'index($5, top "/") == 1 { print $5 }' /proc/self/mountinfo | sort -r |
		while read -r mountpoint; do within 5 umount "$mountpoint"; done # a loop device closes its file later
}

# start NAME [OPTION...]: a container that runs until it is removed.
start() {
	local name=$1
	shift
	docker run -d --label "$LABEL" --network none --name "$name" "$@" "$IMAGE" sleep 100000
}

# run_in [OPTION...] IMAGE COMMAND...: in a container that is gone afterwards.
run_in() {
	docker run --rm --network none --label "$LABEL" "$@"
}

pid_of() {
	docker inspect -f '{{.State.Pid}}' "$1"
}

# Everything that an attach must not change, of a container and of the host.
container_facts() {
	docker inspect -f '{{.State.Pid}} {{.State.StartedAt}} {{.RestartCount}}' "$1"
	cut -d ' ' -f 22 "/proc/$(pid_of "$1")/stat" # start time in ticks since boot
}

# Without those of dockerd itself: what it takes out behind a plugin before goes when it likes.
host_mounts() {
	grep -v /docker/ /proc/self/mountinfo | sort
}

# fails_with STATUS WORD... -- COMMAND...: it exits with STATUS and its output has every WORD.
fails_with() {
	local wanted=$1 words=() word
	shift
	while [[ $1 != -- ]]; do
		words+=("$1")
		shift
	done
	shift
	run "$@"
	echo "exit $status: $output"
	[[ $status -eq $wanted ]] || return 1
	for word in "${words[@]}"; do
		[[ $output == *"$word"* ]] || { echo "there is no '$word' in that" && return 1; }
	done
}

# within SECONDS COMMAND...: it succeeds, at last; on a machine that does much else in three times as many.
within() {
	local end=$((SECONDS + 3 * $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[[ $SECONDS -lt $end ]] || { echo "not in time: $*" && "$@"; return 1; }
		sleep 0.05
	done
}

# Docker fails if its own clean-up behind the plugin before takes away, between two of its calls, the mount that
# it has just made.
enable_plugin() {
	docker plugin enable hostvol || docker plugin enable hostvol
}

# The daemon's socket, for what no command sends.
daemon_socket() {
	echo "/run/docker/plugins/$(docker plugin inspect -f '{{.ID}}' hostvol)/hostvol.sock"
}

# post ENDPOINT BODY [CURL-OPTION...]: prints the answer and, on a line of its own, the status.
post() {
	local endpoint=$1 body=$2
	shift 2
	curl -s --max-time 20 --unix-socket "$(daemon_socket)" -w '\n%{http_code}\n' \
		--data-binary "$body" "$@" "http://hostvol$endpoint"
}

# The daemon's process of the enabled plugin.
daemon_pid() {
	local id
	id=$(docker plugin inspect -f '{{.ID}}' hostvol)
	pgrep -P "$(pgrep -f "containerd-shim.*$id")" -f '/usr/bin/hostvold --managed'
}

# daemon_holds PID: its descriptors, threads and child processes but the gate. Docker keeps connections
# open, and each has a socket and a thread: they cancel each other out, and a socket that leaked does
# not. One pidfd and one mount table for each container that has an attachment is as it should be, and left
# out.
daemon_holds() (
	trap - DEBUG # bats notes each command, which takes many times as long
	local fd fds=0 sockets=0 tasks=("/proc/$1/task"/*) file child children=''
	for fd in "/proc/$1/fd"/*; do # without a process of its own: this is done very often
		if [[ -S $fd ]]; then
			sockets=$((sockets + 1))
		elif ! is_pidfd "/proc/$1/fdinfo/${fd##*/}"; then
			fds=$((fds + 1))
		fi
	done
	file=$(find "/proc/$1/fd" -lname '*/mountinfo' -printf x)
	fds=$((fds - ${#file}))
	for file in "/proc/$1/task"/*/children; do
		[[ -e $file ]] || continue
		for child in $(<"$file"); do
			[[ $(cat "/proc/$child/comm" 2>/dev/null) == hostvol-gate ]] || children+="$child "
		done
	done
	echo "descriptors: $fds, threads without connections: $((${#tasks[@]} - sockets)), children: $children"
)

is_pidfd() {
	local key
	while read -r key _; do
		[[ $key != Pid: ]] || return 0
	done <"$1"
	return 1
} 2>/dev/null

# daemon_quiet PID [WANTED]: print what it holds as soon as that is WANTED, or stays the same: the
# thread of a connection ends when it sees it closed.
daemon_quiet() {
	local now last=''
	for _ in $(seq 40); do
		now=$(daemon_holds "$1")
		[[ $now != "${2:-$last}" ]] || break
		last=$now
		sleep 0.05
	done
	echo "$now"
}

# The command where nobody but root can look, for everybody.
install_for_all() {
	local dir
	dir=$(dirname "$(readlink -f "$(command -v docker-hostvol)")")
	chmod 755 "$TMP"
	mkdir -p "$TMP/cli" "$TMP/config"
	cp -P "$dir/docker-hostvol" "$dir/docker-addvol" "$TMP/cli/"
	printf '{ "cliPluginsExtraDirs": ["%s"] }\n' "$TMP/cli" >"$TMP/config/config.json"
	chmod -R go+rX "$TMP/cli" "$TMP/config"
}

# Someone in the group that may use the Docker socket.
as_member() {
	setpriv --reuid 65534 --regid 65534 --groups "$(stat -c %g /run/docker.sock)" \
		env HOME=/nonexistent DOCKER_CONFIG="$TMP/config" "$@"
}

# make_villain FILE: compile villain.c.
make_villain() {
	gcc -static -O2 -o "$1" "$BATS_TEST_DIRNAME/villain.c"
}

# eventually COMMAND...: it succeeds, soon.
eventually() {
	within 10 "$@"
}
