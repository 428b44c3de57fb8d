# SPDX-License-Identifier: Apache-2.0
# A Swarm of the tests' own: Engines (engine.bash) that a bridge joins, each with a plain hostvol daemon. The
# bridge is in the namespaces of the first, which is the manager.

DAEMON=$BATS_TEST_DIRNAME/../../build/release/driver/daemon/hostvold

# on NODE: what follows is about that node; `on NODE COMMAND...`: only the command.
on() {
	if [[ $# -gt 1 ]]; then
		(on "$1" && "${@:2}")
		return
	fi
	ENGINE=$(readlink "$BATS_FILE_TMPDIR/node$1")
	# shellcheck disable=SC2034 # engine_start has them
	ENGINE_OPTIONS=()
	export ENGINE DOCKER_HOST=unix://$ENGINE/docker.sock
}

# node_begin NODE: its namespaces and its Engine.
node_begin() {
	ENGINE=$(mktemp -d -p "${ENGINE_PARENT:-/var/tmp}" hvt-engine.XXXXXX)
	ln -s "$ENGINE" "$BATS_FILE_TMPDIR/node$1"
	engine_namespace
	in_engine hostname "node$1"
	if [[ $1 == 1 ]]; then
		in_engine ip link add bridge type bridge
		in_engine ip link set bridge up
		in_engine ip addr add 10.77.0.1/24 dev bridge
	else
		on 1 in_engine ip link add "to$1" type veth peer name eth0 netns "$(cat "$ENGINE/holder")"
		on 1 in_engine ip link set "to$1" master bridge up
		in_engine ip link set eth0 up
		in_engine ip addr add "10.77.0.$1/24" dev eth0
	fi
	on "$1"
	engine_start
	engine_image
}

# node_daemon NODE [NAME=VALUE...]: its hostvol daemon, with these settings. It has the Engine meet it; otherwise a driver
# that is no managed plugin is known to the Engine, and to the Swarm, only when it was asked for.
node_daemon() {
	on "$1"
	nsenter -t "$(cat "$ENGINE/holder")" -m -n -u env "HOSTVOL_ENGINE=$ENGINE/docker.sock" "${@:2}" "$DAEMON" \
		--socket /run/docker/plugins/hostvol.sock --state "$ENGINE/state" --mount-root "$ENGINE/mounts" \
		>>"$ENGINE/hostvold.log" 2>&1 3>&- &
	echo $! >"$ENGINE/hostvold.pid" # nsenter and env become it
	disown
	within 10 in_engine test -S /run/docker/plugins/hostvol.sock
	within 10 node_knows_driver
}

node_knows_driver() {
	[[ $(docker info -f '{{.Plugins.Volume}}') == *hostvol* ]]
}

node_end_daemon() {
	local pid
	on "$1"
	pid=$(cat "$ENGINE/hostvold.pid")
	kill "$pid"
	while [[ -d /proc/$pid && $(cut -d ' ' -f 3 "/proc/$pid/stat" 2>/dev/null) != Z ]]; do sleep 0.02; done
	in_engine rm -f /run/docker/plugins/hostvol.sock
}

# node_join NODE
node_join() {
	local token
	token=$(on 1 docker swarm join-token -q worker)
	on "$1" docker swarm join --token "$token" --advertise-addr "10.77.0.$1" --listen-addr "10.77.0.$1" \
		10.77.0.1:2377
}

# swarm_setup [COUNT]: three nodes, and a fourth that is in no swarm, unless COUNT is 3.
swarm_setup() {
	local node
	for node in $(seq "${1:-4}"); do
		node_begin "$node"
		[[ $node == 4 ]] || node_daemon "$node"
	done
	on 1 docker swarm init --advertise-addr 10.77.0.1 --listen-addr 10.77.0.1 >/dev/null
	node_join 2
	node_join 3
}

swarm_teardown() {
	local node
	for node in 4 3 2 1; do
		[[ -e $BATS_FILE_TMPDIR/node$node ]] || continue
		on "$node"
		docker swarm leave -f >/dev/null 2>&1 || true
		engine_teardown
	done
}

# hostvol WORD...: the command, on the manager.
hostvol() {
	on 1 engine_hostvol "$@"
}

engine_get() {
	curl -s --unix-socket "$ENGINE/docker.sock" "http://engine$1"
}

# running NAME: of each task that runs its node, its container, and its process, which all nodes see alike.
running() {
	local id
	id=$(docker service inspect -f '{{.ID}}' "$1")
	engine_get "/tasks?filters=%7B%22service%22%3A%5B%22$id%22%5D%2C%22desired-state%22%3A%5B%22running%22%5D%7D" |
		jq -r '.[] | select(.Status.State == "running") | "\(.NodeID) \(.Status.ContainerStatus | "\(.ContainerID) \(.PID)")"'
}
