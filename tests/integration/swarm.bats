# SPDX-License-Identifier: Apache-2.0
load helpers
load engine
load swarm

# Rules on the services of a Swarm: on all nodes, by a service that carries them.

setup_file() {
	swarm_setup
	for node in 1 2 3 4; do
		on "$node" eval 'mkdir "$ENGINE/data"/src && echo "$ENGINE" >"$ENGINE/data/src/file"'
	done
	on 1
	make_service web 6
}

teardown_file() {
	swarm_teardown
}

setup() {
	on 1
}

# Each begins with the service web of six tasks, and no rule.
teardown() {
	local node
	for node in 1 2 3 4; do # a test may have left one stopped
		on "$node" eval 'kill -CONT "$(cat "$ENGINE/docker.pid")"' 2>/dev/null || true
	done
	hostvol detach --lazy service:web:/mnt/data >/dev/null 2>&1 || true
	for node in 1 2 3 4; do
		on "$node" docker volume rm data >/dev/null 2>&1 || true
	done
}

# make_service NAME REPLICAS [OPTION...]: each task tells how often /mnt/data is mounted when it begins.
make_service() {
	docker service create -d --no-resolve-image --name "$1" --replicas "$2" --update-parallelism 0 \
		--stop-grace-period 1s "${@:3}" "$IMAGE" sh -c \
		'grep -c " /mnt/data " /proc/self/mountinfo; exec sleep 100000' >/dev/null
	within 20 has_tasks "$1" "$2"
}

# running NAME: the node and the container of each task that runs.
running() {
	local id
	id=$(docker service inspect -f '{{.ID}}' "$1")
	engine_get "/tasks?filters=%7B%22service%22%3A%5B%22$id%22%5D%2C%22desired-state%22%3A%5B%22running%22%5D%7D" |
		jq -r '.[] | select(.Status.State == "running") | .NodeID + " " + .Status.ContainerStatus.ContainerID'
}

engine_get() {
	curl -s --unix-socket "$ENGINE/docker.sock" "http://engine$1"
}

has_tasks() {
	[[ $(running "$1" | wc -l) == "$2" ]]
}

# pids NAME: the processes of the tasks that run, on whatever node.
pids() {
	local container node
	running "$1" | while read -r _ container; do
		for node in 1 2 3 4; do
			on "$node" docker inspect -f '{{.State.Pid}}' "$container" 2>/dev/null | grep . && break
		done
	done
}

# have NAME COUNT: that many tasks have the volume, and no other has.
have() {
	local pid count=0
	for pid in $(pids "$1"); do
		[[ ! -e /proc/$pid/root/mnt/data/file ]] || count=$((count + 1))
	done
	echo "$count tasks of $1 have it"
	[[ $count == "$2" ]]
}

# carriers: the services that are hostvol's.
carriers() {
	docker service ls --format '{{.Name}}' | grep ^hostvol- || true
}

# attach WORD...: of the directory that each node has at the same path.
attach() {
	hostvol attach -o path="$(source_path)" "$@" data service:web:/mnt/data
}

# Of the first node, as all are on one machine.
source_path() {
	echo "$(readlink "$BATS_FILE_TMPDIR/node1")/data/src"
}

leaves_nothing() {
	local node
	for node in 1 2 3; do
		[[ -z $(on "$node" docker volume ls -q | grep -v '^data$') ]]
		[[ -z $(on "$node" docker ps -a --format '{{.Names}}' | grep -v '^web[.]') ]]
	done
}

@test "attach reaches the tasks of all nodes and leaves nothing but its carrier; detach takes all out" {
	run attach
	echo "$output"
	[[ $status -eq 0 ]]
	[[ $(grep -c '^node[123] *web[.][1-6] *ok$' <<<"$output") == 6 ]]
	have web 6
	[[ $(carriers) == hostvol-rule-* && $(carriers | wc -l) == 1 ]]
	leaves_nothing
	for node in 1 2 3; do
		[[ hostvol-rule-$(on "$node" engine_hostvol ls --rules -q) == "$(carriers)" ]]
	done
	attach
	[[ $(carriers | wc -l) == 1 ]]
	have web 6
	hostvol detach "$(carriers | cut -c 14-)"
	have web 0
	[[ -z $(carriers) ]]
	leaves_nothing
	fails_with 1 "no rule attaches" -- hostvol detach service:web:/mnt/data
	[[ -z $(carriers) ]]
}

logs_of() {
	local container node
	running "$1" | while read -r _ container; do
		for node in 1 2 3 4; do
			on "$node" docker logs "$container" 2>/dev/null && break
		done
	done
}

# began_with NAME COUNT: all of its tasks had the volume when they began.
began_with() {
	has_tasks "$1" "$2" && [[ $(logs_of "$1" | sort | uniq -c | xargs) == "$2 1" ]]
}

@test "tasks that come by scaling and by a rolling update have it before they begin" {
	attach
	docker service scale -d web=9 >/dev/null
	within 20 has_tasks web 9
	have web 9
	docker service update -d --force web >/dev/null
	within 30 began_with web 9
	have web 9
	docker service scale -d web=6 >/dev/null
	within 20 has_tasks web 6
	hostvol detach service:web:/mnt/data
	have web 0
}

@test "a node that refuses is told with its reason, --all undoes it on the others" {
	node_end_daemon 3
	node_daemon 3 HOSTVOL_REMOTE_ATTACH=deny
	on 1
	run attach
	echo "$output"
	[[ $status -eq 1 && $output == *"node3"*"are switched off"*"1 of 3 nodes do not have it"* ]]
	have web 4
	[[ $(carriers | wc -l) == 1 ]]
	hostvol detach service:web:/mnt/data
	have web 0
	[[ -z $(carriers) ]]
	fails_with 1 "so it is on none" -- attach --all
	have web 0
	[[ -z $(carriers) ]]
	run attach
	node_end_daemon 3
	node_daemon 3
	on 1
	attach
	have web 6
}

@test "what no node can do leaves nothing" {
	fails_with 1 "no such volume: data" "on none" -- hostvol attach data service:web:/mnt/data
	[[ -z $(carriers) ]]
	fails_with 1 "no such service: wbe" "did you mean: service:web" -- hostvol attach data service:wbe:/mnt/data
	fails_with 2 "contradicts a service" -- hostvol attach --for 1h data service:web:/mnt/data
	fails_with 2 "contradicts a service" -- hostvol attach --once data service:web:/mnt/data
	fails_with 1 "worker of a swarm" "10.77.0.1" -- on 2 engine_hostvol attach data service:web:/mnt/data
	fails_with 1 "worker of a swarm" -- on 2 engine_hostvol detach service:web:/mnt/data
	fails_with 1 "worker of a swarm" -- on 2 engine_hostvol ls --cluster
	[[ -z $(carriers) ]]
	attach
	fails_with 1 "worker of a swarm" -- on 2 engine_hostvol detach "$(carriers | cut -c 14-)"
	fails_with 1 "with other options" -- attach --ro
	have web 6
}

@test "a task that uses it keeps the rule, on all nodes" {
	local pid
	attach
	pid=$(pids web | head -n 1)
	exec 7>"/proc/$pid/root/mnt/data/used"
	fails_with 1 "is in use" "the rule stays" -- hostvol detach service:web:/mnt/data
	within 5 have web 6
	[[ $(carriers | wc -l) == 1 ]]
	exec 7>&-
	hostvol detach service:web:/mnt/data
	have web 0
	[[ -z $(carriers) ]]
	rm "$(source_path)/used"
}

@test "ls and check ask all nodes" {
	attach
	run hostvol ls --cluster
	[[ $(grep -c '^node[123] .* data .*attached' <<<"$output") == 6 ]]
	[[ $(hostvol ls --cluster --format json | jq -r '[.[].Node] | unique | join(" ")') == "node1 node2 node3" ]]
	[[ $(hostvol ls --cluster -q --volume other) == '' ]]
	hostvol detach service:web:/mnt/data
	fails_with 1 "no such volume" "nothing was changed" -- hostvol check none service:web:/mnt/data
	run hostvol check "$(source_path)" service:web:/mnt/other
	echo "$output"
	[[ $status -eq 0 && $output == *"ok    node1: web."*"ok    node3: "* ]]
	[[ -z $(carriers) ]]
}

# is_ready NODE: Swarm gives it tasks.
is_ready() {
	[[ $(docker node ls --format '{{.Hostname}} {{.Status}} {{.Availability}}' | grep -c "^$1 Ready Active$") == 1 ]]
}

# knows NODE: it has the rule.
knows() {
	[[ -n $(on "$1" engine_hostvol ls --rules -q) ]]
}

# tasks_on NODE SERVICE
tasks_on() {
	running "$2" | grep -c "^$(docker node inspect -f '{{.ID}}' "$1") "
}

has_tasks_on() {
	[[ $(tasks_on "$1" "$2") -gt 0 ]]
}

# leave NODE
leave() {
	on "$1" docker swarm leave -f
	docker node rm -f "node$1"
}

# bats test_tags=long
@test "a node that joins, and one whose plugin is enabled later, learn the rule" {
	node_join 4
	on 1
	within 10 is_ready node4
	run attach
	echo "$output"
	[[ $status -eq 0 && $output == *"node4 "*"hostvol is not enabled there"* ]]
	on 4 engine_plugin
	within 40 knows 4
	docker service scale -d web=9 >/dev/null
	within 20 has_tasks_on node4 web
	within 20 has_tasks web 9
	have web 9
	hostvol detach service:web:/mnt/data
	run ! knows 4
	leave 4
	within 20 has_tasks web 9
	attach
	node_join 4
	on 1
	within 40 knows 4
	docker service update -d --force web >/dev/null
	within 30 has_tasks_on node4 web
	within 30 began_with web 9
	have web 9
	hostvol detach service:web:/mnt/data
	have web 0
	[[ -z $(carriers) ]]
	leave 4
	docker service scale -d web=6 >/dev/null
	within 20 has_tasks web 6
}

# bats test_tags=long
@test "a drained node learns the rule, or its end, when it is active again" {
	docker node update --availability drain node2 >/dev/null
	within 20 has_tasks web 6
	attach
	have web 6
	run ! knows 2
	docker node update --availability active node2 >/dev/null
	within 10 knows 2
	docker service update -d --force web >/dev/null
	within 30 has_tasks_on node2 web
	within 30 began_with web 6
	docker node update --availability drain node2 >/dev/null
	within 20 has_tasks web 6
	have web 6
	fails_with 1 "the node is drained" "1 of 3 nodes have not detached it yet" -- hostvol detach service:web:/mnt/data
	have web 0
	knows 2
	docker node update --availability active node2 >/dev/null
	within 10 eval '! knows 2'
	hostvol detach service:web:/mnt/data
	[[ -z $(carriers) ]]
}

# bats test_tags=long
@test "a manager that is killed meanwhile, and a node that is down" {
	local pid
	pid=$(on 3 eval 'cat "$ENGINE/docker.pid"')
	kill -STOP "$pid" # so that the command waits
	(
		within 10 has_carrier
		on 1 engine_stop KILL
		kill -CONT "$pid"
		on 1 engine_start
	) 3>&- &
	run attach
	echo "$output"
	[[ $output == *"NODE "* ]]
	wait $!
	within 40 has_tasks web 6
	within 30 attach # Swarm learns of a plain daemon that is back within 20 s
	have web 6
	within 40 hostvol detach service:web:/mnt/data
	on 3 engine_stop KILL
	fails_with 1 "the node is down" "1 of 3 nodes do not have it" -- attach
	on 3 engine_start
	within 20 is_ready node3
	within 40 has_tasks web 6
	within 30 attach
	have web 6
	within 40 hostvol detach service:web:/mnt/data # as above
	[[ -z $(carriers) ]]
	leaves_nothing
}

has_carrier() {
	[[ -n $(carriers) ]]
}

# bats test_tags=long
@test "an interrupted command leaves nothing, or tells what goes on" {
	local pid
	attach
	hostvol detach service:web:/mnt/data
	pid=$(on 3 eval 'cat "$ENGINE/docker.pid"')
	kill -STOP "$pid"
	hostvol_interrupted ls --cluster
	[[ $STATUS -eq 1 && -z $(carriers) ]]
	grep interrupted "$BATS_TEST_TMPDIR/out"
	hostvol_interrupted attach data service:web:/mnt/data
	[[ $STATUS -eq 1 && $(cat "$BATS_TEST_TMPDIR/out") == *"the nodes go on with rule"* ]]
	kill -CONT "$pid"
	within 30 knows 3
	hostvol detach service:web:/mnt/data
	[[ -z $(carriers) ]]
}

# hostvol_interrupted WORD...: as soon as its service is there.
hostvol_interrupted() {
	local pid
	nsenter -t "$(cat "$ENGINE/holder")" -m -n -u docker-hostvol "$@" >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- &
	pid=$!
	within 10 has_carrier
	kill -INT "$pid"
	STATUS=0
	wait "$pid" || STATUS=$?
	cat "$BATS_TEST_TMPDIR/out"
}
