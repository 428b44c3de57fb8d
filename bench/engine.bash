# SPDX-License-Identifier: Apache-2.0
# What the benchmarks that restart an Engine share: one of their own (tests/integration/engine.bash),
# with the plugin of this checkout in it, so that the machine's is left alone.
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../scripts/lib.sh"
BATS_TEST_DIRNAME=$HV_ROOT/tests/integration
IMAGE=$HV_TEST_IMAGE
# shellcheck source=tests/integration/engine.bash
. "$BATS_TEST_DIRNAME/engine.bash"

bench_setup() {
	need_root
	PATH=$PATH:/usr/local/lib/docker/cli-plugins
	command -v docker-hostvol >/dev/null || die "the command is not installed: scripts/quickstart"
	have_image "$HV_ROOTFS_IMAGE" || die "the plugin is not built: scripts/quickstart"
	test_image
	BATS_RUN_TMPDIR=$(mktemp -d -p /var/tmp hostvol-bench.XXXXXX)
	trap bench_teardown EXIT
	engine_setup
	engine_plugin >/dev/null
	mkdir "$ENGINE/data-of-volume"
	docker volume create -d hostvol -o "path=$ENGINE/data-of-volume" bench >/dev/null
}

bench_teardown() {
	[[ ! -d ${ENGINE:-} ]] || engine_teardown
	rm -rf "$BATS_RUN_TMPDIR"
}

now_ms() {
	date +%s%3N
}

# make_containers COUNT [IMAGE COMMAND...]: that the Engine starts again by itself. They end at once: those that
# dockerd does not see end before it ends itself it may not start again.
make_containers() {
	local count=$1
	shift
	[[ $# -gt 0 ]] || set -- "$IMAGE" sleep 1000000
	seq "$count" | xargs -P 4 -I '{}' docker run -d --restart always --stop-signal KILL --network none --name 'bench-{}' \
		"$@" >/dev/null
}

# attach_all CONTAINERS TARGETS: docker hostvol attach bench bench-1:/mnt/1 ...
attach_all() {
	local container target
	for container in $(seq "$1"); do
		for target in $(seq "$2"); do
			engine_hostvol attach bench "bench-$container:/mnt/$target" >/dev/null
		done
	done
}

running() {
	docker ps -q | wc -l
}

# attached TARGETS: how many mounts there are, by the kernel: in each container's own namespace.
attached() {
	local pid
	docker ps -q | xargs -r docker inspect -f '{{.State.Pid}}' | while read -r pid; do
		grep -c ' /mnt/[0-9]* ' "/proc/$pid/mountinfo" || true
	done | awk '{ sum += $1 } END { print sum + 0 }'
}

# until_is COUNT SECONDS COMMAND...
until_is() {
	local wanted=$1 deadline=$((SECONDS + $2)) is
	shift 2
	while is=$("$@") && [[ $is != "$wanted" ]]; do
		[[ $SECONDS -lt $deadline ]] || die "$*: $is of $wanted"
		sleep 0.1
	done
}

# The daemon of the plugin in the bench's Engine.
daemon_of_engine() {
	pgrep -x hostvold | while read -r pid; do
		! grep -q "HOSTVOL_STATE=$ENGINE/" -z "/proc/$pid/environ" || echo "$pid"
	done
}
