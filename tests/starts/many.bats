# SPDX-License-Identifier: Apache-2.0
load ../integration/helpers
load ../integration/engine
load ../integration/first

# Very many starts, of which none may begin without its attachments: HOSTVOL_MANY_RESTARTS of one
# container, and HOSTVOL_MANY_CRASHES of a machine with fifty.

RESTARTS=${HOSTVOL_MANY_RESTARTS:-100}
CRASHES=${HOSTVOL_MANY_CRASHES:-3}
CONTAINERS=50
PLACES=(/a /b /c/d /e /f)

setup() {
	common_setup
	engine_setup
	engine_plugin
	make_first
	docker volume create -d hostvol hvt_data
	# Where the runtime of this Engine keeps its state is known from the first one that runs.
	docker run -d --name hvt_known --network none --restart always hvt-first /first
	engine_hostvol attach hvt_data hvt_known:/mnt
}

teardown() {
	engine_teardown
	common_teardown
}

# make NAME [OPTION...]: a container that was never started, with five attachments.
make() {
	local name=$1 place
	shift
	docker create --network none --name "$name" "$@" hvt-first /first "${PLACES[@]}" >/dev/null
	for place in "${PLACES[@]}"; do
		engine_hostvol attach hvt_data "$name:$place" >/dev/null
	done
}

lines_of() {
	docker logs "$1" | wc -l
}

@test "restarts of one" {
	make hvt_first
	docker start hvt_first
	restart_often hvt_first "$RESTARTS"
	echo "# starts by what they found: $(said hvt_first $((RESTARTS + 1)))" >&3
	[[ $(said hvt_first $((RESTARTS + 1))) == "$((RESTARTS + 1)) 5" ]]
}

# Each of them has begun once more than was noted in SAID.
all_begun() {
	local i
	for i in $(seq "$CONTAINERS"); do
		has_said "hvt_$i" $((SAID[i] + 1)) || return 1
	done
}

# Docker itself leaves some alone whose end it has not seen.
start_the_rest() {
	local name
	for name in $(docker ps -a --filter name=hvt_ --filter status=exited --filter status=created --format '{{.Names}}'); do
		docker start "$name" >/dev/null
	done
}

count_said() {
	local i
	for i in $(seq "$CONTAINERS"); do
		SAID[i]=$(lines_of "hvt_$i")
	done
}

all_said() {
	seq -f 'hvt_%g' "$CONTAINERS" | xargs -n 1 docker logs | sort | uniq -c | xargs
}

@test "crashes of a machine with many" {
	local i SAID=()
	for i in $(seq "$CONTAINERS"); do
		make "hvt_$i" --restart always
		SAID[i]=0
	done
	seq -f 'hvt_%g' "$CONTAINERS" | xargs docker start >/dev/null
	within 60 all_begun
	for i in $(seq "$CRASHES"); do
		count_said
		engine_stop KILL
		engine_kill_all "$(cat "$ENGINE/holder")"
		engine_start
		within 10 [ -z "$(docker ps -q --filter status=restarting)" ]
		start_the_rest
		within 60 all_begun
	done
	echo "# starts by what they found: $(all_said)" >&3
	[[ $(all_said) =~ ^[0-9]+\ 5$ ]]
}
