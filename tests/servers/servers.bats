# SPDX-License-Identifier: Apache-2.0
load ../integration/helpers
load ../integration/engine

# Real servers with their data on an attachment, in an Engine of the tests' own: Redis reads its dump
# when it starts, and writes another over it later; PostgreSQL looks for the directories of its tablespaces before it
# takes connections. scripts/test-servers makes the image. HOSTVOL_SERVER_RESTARTS and
# HOSTVOL_SERVER_CRASHES say how often.

IMAGE=hostvol-test/servers

setup_file() {
	engine_setup
	engine_plugin
	mkdir -m 1777 "$ENGINE/srv"
	# Where the runtime of this Engine keeps its state is known from the first one that runs.
	docker volume create -d hostvol hvt_known
	docker run -d --name hvt_known --network none "$IMAGE" sleep 1000000
	engine_hostvol attach hvt_known hvt_known:/mnt/known
}

teardown_file() {
	engine_teardown
}

setup() {
	RESTARTS=${HOSTVOL_SERVER_RESTARTS:-3}
	CRASHES=${HOSTVOL_SERVER_CRASHES:-1}
}

# A start without what is attached is one that is missed by what the server then has.
restart_all() {
	local i
	for i in $(seq "$RESTARTS"); do
		docker restart -t 5 "$1" >/dev/null
		within 20 "$2" || tell "$1"
	done
	for i in $(seq "$CRASHES"); do
		engine_crash
		engine_start
		start_again "$1"
		within 60 "$2" || tell "$1"
	done
}

# start_again CONTAINER: on a busy machine containerd has not cleared up after the crash when dockerd starts
# the container, which dockerd does once ("task …: already exists"; seen with 20.10.24). Nothing has run then.
start_again() {
	[[ $(docker inspect -f '{{.State.Error}}' "$1") != *"already exists"* ]] || docker start "$1"
}

# tell CONTAINER: why it is not as it should be.
tell() {
	docker inspect -f '{{json .State}}' "$1"
	docker logs --tail 30 "$1" 2>&1
	tail -n 50 "$ENGINE/log"
	return 1
}

engine_crash() {
	local pid pids
	pids=$(docker ps -q | xargs docker inspect -f '{{.State.Pid}}')
	engine_kill_all "$(cat "$ENGINE/holder")"
	# shellcheck disable=SC2086
	kill -KILL $pids 2>/dev/null || true
	for pid in $pids; do # or the runtime finds a container that is there still, and leaves it so
		while [[ -d /proc/$pid ]]; do sleep 0.02; done
	done
	rm -f "$ENGINE/docker.pid"
}

redis() {
	docker exec hvt_redis redis-cli "$@"
}

redis_answers() {
	[[ $(redis ping) == PONG ]]
}

redis_has_its_data() {
	redis_answers && [[ $(redis dbsize) == 1000 ]]
}

@test "Redis has its data at each start" {
	local starts
	docker volume create -d hostvol hvt_redis
	docker create --name hvt_redis --network none --restart always "$IMAGE" \
		redis-server --save '' --dir /data --protected-mode no --enable-debug-command yes >/dev/null
	engine_hostvol attach hvt_redis hvt_redis:/data
	docker start hvt_redis
	within 20 redis_answers
	redis debug populate 1000
	[[ $(redis save) == OK ]]
	restart_all hvt_redis redis_has_its_data
	starts=$(docker logs hvt_redis 2>&1 | grep -c 'Server initialized')
	[[ $starts -gt $((RESTARTS + CRASHES)) ]]
	[[ $(docker logs hvt_redis 2>&1 | grep -c 'DB loaded from disk') -eq $((starts - 1)) ]]
}

psql() {
	docker exec -u postgres hvt_postgres psql -qAt -d postgres -c "$1"
}

postgres_answers() {
	[[ $(psql 'select 1') == 1 ]]
}

postgres_has_its_data() {
	[[ $(psql 'select count(*) from t') == 1000 ]]
}

@test "PostgreSQL finds its tablespace at each start" {
	docker volume create -d hostvol hvt_postgres
	docker create --name hvt_postgres --network none --restart always -u postgres "$IMAGE" \
		/usr/lib/postgresql/15/bin/postgres -D /var/lib/postgresql/15/main \
		-c config_file=/etc/postgresql/15/main/postgresql.conf >/dev/null
	engine_hostvol attach hvt_postgres hvt_postgres:/mnt/space
	docker start hvt_postgres
	within 20 postgres_answers
	docker exec -u root hvt_postgres sh -c 'mkdir /mnt/space/pg && chown postgres /mnt/space/pg'
	psql "create tablespace space location '/mnt/space/pg'"
	psql 'create table t tablespace space as select generate_series(1, 1000) as i'
	restart_all hvt_postgres postgres_has_its_data
	[[ $(docker logs hvt_postgres 2>&1 | grep -c 'could not open directory') -eq 0 ]]
	[[ $(docker logs hvt_postgres 2>&1 | grep -c 'ready to accept connections') -gt $((RESTARTS + CRASHES)) ]]
}
