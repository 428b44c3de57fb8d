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
	local id node
	on 1
	for node in 1 2 3 4; do # a test may have left one stopped
		on "$node" eval 'kill -CONT "$(cat "$ENGINE/docker.pid")"' 2>/dev/null || true
	done
	hostvol detach --lazy service:web:/mnt/data >/dev/null 2>&1 || true
	for id in $(carriers | sed -n 's/^hostvol-rule-//p'); do
		hostvol detach --lazy "$id" >/dev/null 2>&1 || true
	done
	docker service ls --format '{{.Name}}' | grep -v '^web$' | xargs -r docker service rm >/dev/null 2>&1 || true
	for node in 1 2 3 4; do
		docker node update --availability active "node$node" >/dev/null 2>&1 || true
		on "$node" docker volume rm data >/dev/null 2>&1 || true
	done
}

# make_service NAME REPLICAS [OPTION...]
make_service() {
	create_service "$1" "$IMAGE" --replicas "$2" "${@:3}"
	within 20 has_tasks "$1" "$2"
}

# create_service NAME IMAGE [OPTION...]: each task tells how often /mnt/data is mounted when it begins.
create_service() {
	docker service create -d --no-resolve-image --name "$1" --update-parallelism 0 --stop-grace-period 1s \
		"${@:3}" "$2" sh -c 'grep -c " /mnt/data " /proc/self/mountinfo; exec sleep 100000' >/dev/null
}

has_tasks() {
	[[ $(running "$1" | wc -l) == "$2" ]]
}

# pids NAME: the processes of the tasks that run.
pids() {
	running "$1" | cut -d ' ' -f 3
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
	attach_to service:web:/mnt/data "$@"
}

# attach_to PLACE WORD...
attach_to() {
	hostvol attach -o path="$(source_path)" "${@:2}" data "$1"
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
	running "$1" | while read -r _ container _; do
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
	fails_with 1 "nothing is known of node node3: requests through the Docker Engine are switched off" \
		"1 of 3 nodes did not tell" -- hostvol ls --cluster
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
	fails_with 1 "worker of a swarm" -- on 2 engine_hostvol check data service:web:/mnt/data
	fails_with 1 "worker of a swarm" -- on 2 engine_hostvol ls --cluster
	fails_with 1 "wait 25 seconds at most" "--wait 25" -- hostvol detach --wait 60 service:web:/mnt/data
	# A reader that is gone, when the table is printed.
	hostvol attach data service:web:/mnt/data | true
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

@test "a service without tasks, one of all nodes, one that is made again" {
	make_service other 0
	run attach_to service:other:/mnt/data
	echo "$output"
	[[ $status -eq 0 && $(grep -c '^node[123] *- *ok: no task is there now$' <<<"$output") == 3 ]]
	docker service scale -d other=3 >/dev/null
	within 20 began_with other 3
	docker service rm other >/dev/null
	make_service other 2
	within 20 began_with other 2
	hostvol detach service:other:/mnt/data
	have other 0
	docker service rm other >/dev/null
	create_service other "$IMAGE" --mode global
	within 20 has_tasks other 3
	run attach_to service:other:/mnt/data
	echo "$output"
	[[ $status -eq 0 && $(grep -c '^node[123] *other[.][a-z0-9]* *ok$' <<<"$output") == 3 ]]
	have other 3
	hostvol detach service:other:/mnt/data
	have other 0
	[[ -z $(carriers) ]]
}

@test "a service whose image is not there, one that goes elsewhere" {
	local node
	create_service other hostvol-test/late --replicas 2 --restart-delay 1s
	run attach_to service:other:/mnt/data
	echo "$output"
	[[ $status -eq 0 && $(grep -c '^node[123] *- *ok: no task is there now$' <<<"$output") == 3 ]]
	for node in 1 2 3; do
		on "$node" docker tag "$IMAGE" hostvol-test/late
	done
	within 30 began_with other 2
	hostvol detach service:other:/mnt/data
	docker service rm other >/dev/null
	for node in 1 2 3; do
		within 20 on "$node" docker rmi -f hostvol-test/late
	done
	make_service other 2 --constraint node.hostname==node2
	run attach_to service:other:/mnt/data
	echo "$output"
	[[ $status -eq 0 && $(grep -c '^node2 *other[.][12] *ok$' <<<"$output") == 2 && $output != *node[13]* ]]
	have other 2
	knows 2
	run ! knows 1
	docker service update -d --constraint-rm node.hostname==node2 --constraint-add node.hostname==node1 other >/dev/null
	within 20 has_tasks_on node1 other
	within 20 has_tasks other 2
	have other 0
	attach_to service:other:/mnt/data
	have other 2
	hostvol detach service:other:/mnt/data
	run ! knows 2
	[[ -z $(carriers) ]]
}

@test "of a task that refuses its row tells why, and with --each only that" {
	local container node
	read -r node container _ < <(running web | head -n 1)
	node=$(docker node inspect -f '{{.Description.Hostname}}' "$node")
	on "${node#node}" docker exec "$container" sh -c 'mkdir -p /mnt && : >/mnt/file'
	run attach_to service:web:/mnt/file
	echo "$output"
	[[ $status -eq 1 && $output == *"the others have"* ]]
	[[ $(grep -c "^$node " <<<"$output") == 1 && $(grep -c '^node[123] *web[.][1-9] *ok$' <<<"$output") == 4 ]]
	hostvol detach service:web:/mnt/file
	run attach_to service:web:/mnt/file --each
	echo "$output"
	[[ $(grep -c '^node[123] *web[.][1-9] *ok$' <<<"$output") == 5 ]]
	[[ $(grep "^$node *web[.]" <<<"$output") == *"/mnt/file"* ]]
	run -0 --separate-stderr attach_to service:web:/mnt/file --each --format json
	[[ $(jq -r --arg node "$node" '[.[] | select(.OK | not)] | length, .[0].Node == $node' <<<"$output" | xargs) == "1 true" ]]
	[[ $(jq -r '[.[] | select(.OK) | .Task] | length' <<<"$output") == 5 ]]
	hostvol detach service:web:/mnt/file
	on "${node#node}" docker exec "$container" rm /mnt/file
}

@test "a rule that a node has of its own outlives an attach that is taken back" {
	on 2 in_engine env HOSTVOL_SOCKET=/run/docker/plugins/hostvol.sock docker-hostvol \
		attach "$(source_path)" service:web:/mnt/data
	have web 2
	fails_with 1 "so it is on none" -- attach --all
	have web 2
	knows 2
	run ! knows 1
	[[ -z $(carriers) ]]
	hostvol detach service:web:/mnt/data
	have web 0
	run ! knows 2
}

@test "without its carrier a rule ends where nodes can be asked, and the others are counted" {
	local pid
	attach
	docker service rm "$(carriers)" >/dev/null
	have web 6
	pid=$(pids web | head -n 1)
	exec 7>"/proc/$pid/root/mnt/data/used"
	fails_with 1 "1 of 3 nodes cannot detach it; it has ended on the others" -- hostvol detach service:web:/mnt/data
	have web 2
	exec 7>&-
	rm "$(source_path)/used"
	attach
	docker service rm "$(carriers)" >/dev/null
	docker node update --availability drain node2 >/dev/null
	within 20 has_tasks web 6
	fails_with 0 "nothing is known of node node2: the node is drained" -- hostvol ls --cluster
	fails_with 1 "1 of 3 nodes could not be asked, and may keep the rule" -- hostvol detach service:web:/mnt/data
	have web 0
	fails_with 1 "no node has a rule for service:web at /mnt/data, but 1 of 3 could not be asked" -- \
		hostvol detach service:web:/mnt/data
	knows 2
	docker node update --availability active node2 >/dev/null
	within 10 hostvol detach service:web:/mnt/data
	run ! knows 2
	[[ -z $(carriers) ]]
	docker service update -d --force web >/dev/null
	within 30 has_tasks_on node2 web
	within 30 has_tasks web 6
	have web 0
}

# is_ending: a command ends the rule.
is_ending() {
	[[ -n $(docker service ls -q --filter label=hostvol.ending) ]]
}

@test "of two commands at once the later one counts" {
	local first node pid second status=0
	pid=$(on 3 eval 'cat "$ENGINE/docker.pid"')
	kill -STOP "$pid" # so that both wait
	attach --all >"$BATS_TEST_TMPDIR/first" 2>&1 3>&- &
	first=$!
	within 10 has_carrier
	within 10 knows 2
	hostvol detach service:web:/mnt/data >"$BATS_TEST_TMPDIR/second" 2>&1 3>&- &
	second=$!
	wait "$first" || status=$?
	cat "$BATS_TEST_TMPDIR/first"
	[[ $status -eq 1 ]]
	grep 'changed by another command meanwhile' "$BATS_TEST_TMPDIR/first"
	is_ending
	kill -CONT "$pid"
	wait "$second"
	cat "$BATS_TEST_TMPDIR/second"
	have web 0
	[[ -z $(carriers) ]]
	for node in 1 2 3; do
		run ! knows "$node"
	done
}

# outcome NAME COMMAND...
outcome() {
	"${@:2}" >"$BATS_TEST_TMPDIR/$1" 2>&1 3>&- || echo "exit $?" >>"$BATS_TEST_TMPDIR/$1"
}

@test "commands at once leave a rule that can be made and ended" {
	local round
	for round in 1 2 3; do
		outcome "$round.one" attach &
		outcome "$round.two" attach --all &
		outcome "$round.three" hostvol detach service:web:/mnt/data &
		outcome "$round.four" hostvol detach service:web:/mnt/data &
		wait
		tail -n 100 "$BATS_TEST_TMPDIR/$round".*
	done
	attach
	have web 6
	[[ $(carriers | wc -l) == 1 ]]
	hostvol detach service:web:/mnt/data
	have web 0
	[[ -z $(carriers) ]]
}

# bats test_tags=long
@test "a daemon that is killed while it is asked is asked again" {
	local job pid status=0
	pid=$(on 3 eval 'cat "$ENGINE/hostvold.pid"')
	kill -STOP "$pid" # so that the request is under way
	attach >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- &
	job=$!
	within 10 has_carrier
	within 10 knows 2
	kill -KILL "$pid"
	node_daemon 3
	on 1
	wait "$job" || status=$?
	cat "$BATS_TEST_TMPDIR/out"
	[[ $status -eq 0 ]]
	have web 6
	hostvol detach service:web:/mnt/data
	have web 0
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

lacks_driver() {
	[[ $(docker node inspect -f '{{.Description.Engine.Plugins}}' "$1") == *'{Volume local}'* &&
		$(docker node inspect -f '{{.Description.Engine.Plugins}}' "$1") != *hostvol* ]]
}

# bats test_tags=long
@test "a node without hostvol is told of the end of a rule when it has hostvol again" {
	attach
	node_end_daemon 3
	engine_stop
	engine_start
	on 1
	within 40 lacks_driver node3
	within 20 is_ready node3
	for _ in $(seq 7); do # Swarm keeps the last five tasks of a node, also those that wait
		fails_with 1 "hostvol is not enabled there" "1 of 3 nodes have not detached it yet" -- \
			hostvol detach service:web:/mnt/data
	done
	node_daemon 3
	on 1
	within 40 eval '! knows 3'
	hostvol detach service:web:/mnt/data
	within 20 has_tasks web 6
	have web 0
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
	local node pid signal
	attach
	hostvol detach service:web:/mnt/data
	pid=$(on 3 eval 'cat "$ENGINE/docker.pid"')
	kill -STOP "$pid"
	for signal in INT TERM HUP; do
		hostvol_interrupted "$signal" has_carrier ls --cluster
		[[ $STATUS -eq 1 && -z $(carriers) ]]
		grep interrupted "$BATS_TEST_TMPDIR/out"
	done
	hostvol_interrupted HUP has_carrier attach data service:web:/mnt/data
	[[ $STATUS -eq 1 && $(cat "$BATS_TEST_TMPDIR/out") == *"the nodes go on with rule"* ]]
	within 10 knows 2
	hostvol_interrupted INT is_ending detach service:web:/mnt/data
	[[ $STATUS -eq 1 && $(cat "$BATS_TEST_TMPDIR/out") == *"have not detached it yet"* ]]
	kill -CONT "$pid"
	within 30 hostvol detach service:web:/mnt/data
	have web 0
	for node in 1 2 3; do
		run ! knows "$node"
	done
	[[ -z $(carriers) ]]
}

# hostvol_interrupted SIGNAL CONDITION WORD...: as soon as that is so.
hostvol_interrupted() {
	local pid
	nsenter -t "$(cat "$ENGINE/holder")" -m -n -u docker-hostvol "${@:3}" >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- &
	pid=$!
	within 10 "$2"
	kill "-$1" "$pid"
	STATUS=0
	wait "$pid" || STATUS=$?
	cat "$BATS_TEST_TMPDIR/out"
}
