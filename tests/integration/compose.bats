# SPDX-License-Identifier: Apache-2.0
load helpers
load first

# Docker Compose v2 with rules for its services: each container that it makes has the volume before its first
# instruction. HOSTVOL_COMPOSE_ROUNDS: how often five containers are made anew (4; 20 with scripts/test --all and in
# scripts/test-engines).

ROUNDS=${HOSTVOL_COMPOSE_ROUNDS:-$((${HOSTVOL_ROUNDS:-0} > 0 ? 20 : 4))}

setup_file() {
	[[ $(docker compose version --short 2>/dev/null) =~ ^v?[2-9] ]] ||
		{ echo "there is no Docker Compose v2; scripts/test docker gets it" && return 1; }
}

setup() {
	common_setup
	PROJECT=hvt-shop
	mkdir "$TMP/src" "$TMP/project"
	echo content >"$TMP/src/file"
	docker volume create -d hostvol -o path="$TMP/src" hvt_data
	make_first
	write_project "$TMP/project"
	within 10 holds_starts
}

teardown() {
	our_rules | xargs -r -n 1 docker hostvol detach --lazy
	common_teardown
	docker image rm -f hvt-first >/dev/null 2>&1 || true
}

holds_starts() {
	[[ $(post /HotInfo '{}') == *'"Held":true'* ]]
}

our_rules() {
	docker hostvol ls --rules --format json | jq -r --arg name "$T" '.[] | select(.Volume | startswith($name)) | .ID'
}

# service NAME [LINE...]: one whose program tells first of all whether /a is mounted. A program that is the first of
# its container is ended by SIGKILL only.
service() {
	printf '  %s:\n    image: hvt-first\n    command: ["/first", "/a"]\n' "$1"
	printf '    pull_policy: never\n    network_mode: none\n    stop_signal: SIGKILL\n    labels: ["%s"]\n' "$LABEL"
	[[ $# -eq 1 ]] || printf '    %s\n' "${@:2}"
}

# write_project DIR [LINE...]: three services; the lines are for web.
write_project() {
	{
		echo services:
		service web "depends_on: [db]" "${@:2}"
		service db
		service cache
	} >"$1/compose.yaml"
}

compose() {
	docker compose -p "$PROJECT" -f "$TMP/project/compose.yaml" "$@"
}

# rule [SELECTOR [OPTION...]]
rule() {
	docker hostvol attach "${@:2}" hvt_data "${1:-compose:$PROJECT/web}:/a"
}

# containers [SERVICE]: the IDs of those that run.
containers() {
	docker ps -q --no-trunc --filter "label=com.docker.compose.project=$PROJECT" \
		${1:+--filter "label=com.docker.compose.service=$1"}
}

# each_said SERVICE COUNT WANTED: so many of it run, each began once, and found WANTED attachments.
each_said() {
	local ids id
	mapfile -t ids < <(containers "$1")
	[[ ${#ids[@]} -eq $2 ]] || { echo "$1: ${#ids[@]} containers" && return 1; }
	for id in "${ids[@]}"; do
		[[ $(said "$id" 1) == "1 $3" ]] || { echo "$1: $(said "$id" 1)" && return 1; }
	done
}

# counts ATTACHED PENDING: of the only rule; the others are none.
counts() {
	[[ $(docker hostvol ls --rules --format json | jq -c --arg name "$T" '[.[] | select(.Volume | startswith($name)) |
		[.Attached, .Pending, .Failed, .Skipped]]') == "[[$1,$2,0,0]]" ]]
}

has_no_attachments() {
	[[ -z $(our_attachments) ]]
}

@test "with a rule that was there before the project each new container has the volume" {
	local before
	run -0 --separate-stderr rule
	[[ $stderr == *"no container is selected now"* ]]
	compose up -d
	each_said web 1 1
	each_said db 1 0
	each_said cache 1 0
	before=$(containers)
	compose up -d --force-recreate
	[[ $(sort <(containers) <(echo "$before") | uniq | wc -l) -eq 6 ]] # each is another
	each_said web 1 1
	each_said db 1 0
	compose up -d --scale web=5
	each_said web 5 1
	counts 5 0
	compose up -d --scale web=2
	each_said web 2 1
	within 10 counts 2 0
}

# The names that hostvol shows, sorted.
names() {
	docker hostvol ls --format json | jq -r '.[] | select(.Volume == "hvt_data") | .ContainerName' | sort | xargs
}

are_named() {
	[[ $(names) == "$*" ]]
}

@test "a changed image and a changed file make new containers, which have the volume, and their names" {
	local image
	rule
	compose up -d --scale web=3
	echo new >"$TMP/image/new"
	tar -C "$TMP/image" -c . | docker import - hvt-first >/dev/null
	image=$(docker image inspect -f '{{.Id}}' hvt-first)
	compose up -d --scale web=3
	each_said web 3 1
	[[ $(containers web | xargs docker inspect -f '{{.Image}}' | uniq) == "$image" ]]
	within 10 are_named $PROJECT-web-1 $PROJECT-web-2 $PROJECT-web-3
	write_project "$TMP/project" 'environment: ["CHANGED=yes"]'
	compose up -d --scale web=3
	each_said web 3 1
	containers web | xargs docker inspect -f '{{.Config.Env}}' | grep -c CHANGED=yes
	within 10 are_named $PROJECT-web-1 $PROJECT-web-2 $PROJECT-web-3
}

@test "of very many containers that are made anew none is late" {
	local late=0 count=0 i id
	rule
	compose up -d --scale web=5
	for i in $(seq "$ROUNDS"); do
		compose up -d --force-recreate --no-deps --scale web=5 web
		for id in $(containers web); do
			count=$((count + 1))
			[[ $(said "$id" 1) == "1 1" ]] || late=$((late + 1))
		done
	done
	echo "# late: $late of $count" >&3
	[[ $late -eq 0 && $count -eq $((5 * ROUNDS)) ]]
}

# What hostvol and Docker have for the project: nothing.
is_clean() {
	[[ -z $(docker ps -aq --filter "label=com.docker.compose.project=$PROJECT") &&
		-z $(docker ps -aq --filter "name=hostvol-keeps.*-$T") ]] && has_no_attachments
}

@test "down leaves the rule, and nothing else; detach leaves nothing" {
	local mounts held
	docker volume create hvt_local # one of another driver, which a container keeps
	docker volume create hvt_other
	mounts=$(host_mounts)
	held=$(daemon_quiet "$(daemon_pid)")
	rule
	docker hostvol attach hvt_local "compose:$PROJECT:/b"
	compose up -d --scale web=3
	each_said web 3 1
	within 10 has_keeper
	compose down
	within 10 is_clean
	[[ $(host_mounts) == "$mounts" ]]
	[[ $(daemon_quiet "$(daemon_pid)" "$held") == "$held" ]]
	[[ $(our_rules | wc -l) -eq 2 ]]
	fails_with 1 "compose:$PROJECT/web" -- docker volume rm hvt_data
	docker volume rm hvt_local
	docker hostvol detach "compose:$PROJECT:/b"
	counts 0 0
	compose up -d
	each_said web 1 1
	compose down
	docker hostvol detach "compose:$PROJECT/web:/a"
	[[ -z $(our_rules) ]]
	within 10 is_clean
	compose up -d
	each_said web 1 0
	compose down
	docker volume rm hvt_data
	[[ $(host_mounts) == "$mounts" ]]
}

has_keeper() {
	[[ -n $(docker ps -aq --filter "name=hostvol-keeps.*-$T") ]]
}

@test "a rule that is made, and ended, while the project runs holds in all its containers at once" {
	compose up -d --scale web=3
	run -0 rule
	[[ ${#lines[@]} -eq 3 ]]
	are_in_all
	docker hostvol inspect "compose:$PROJECT/web:/a" | jq -e '.[0].Attachments | length == 3'
	for id in $(containers db); do run ! grep ' /a ' "/proc/$(pid_of "$id")/mountinfo"; done
	compose up -d --scale web=4
	counts 4 0
	docker hostvol detach "compose:$PROJECT/web:/a"
	for id in $(containers web); do run ! grep ' /a ' "/proc/$(pid_of "$id")/mountinfo"; done
	compose up -d --force-recreate
	each_said web 1 0
}

# began STARTS: as often the container of web began, each time with the volume.
began() {
	[[ $(said "$(containers web)" "$1") == "$1 1" ]]
}

are_in_all() {
	local id
	for id in $(containers web); do grep -q ' /a ' "/proc/$(pid_of "$id")/mountinfo" || return 1; done
}

@test "if the daemon is killed while Compose makes containers each has the volume in the end" {
	local starts
	rule
	for i in 1 2 3; do
		compose up -d --force-recreate --scale web=5 3>&- &
		starts=$!
		kill -KILL "$(daemon_pid)"
		wait "$starts"
		within 30 counts 5 0
		are_in_all
	done
	within 10 holds_starts
	compose up -d --force-recreate
	within 10 counts 1 0
	are_in_all
}

@test "restart, stop and start, kill and up, create and start are in time" {
	rule
	compose up -d
	began 1
	compose restart
	began 2
	compose stop
	within 10 counts 0 1
	compose start
	began 3
	compose kill
	compose up -d
	began 4
	compose rm -f -s web
	within 10 counts 0 0
	compose create --force-recreate
	within 10 counts 0 1
	compose start
	began 1
}

@test "a container of run has the volume of its service, for as long as it is there" {
	local id
	rule
	id=$(compose run -d --rm --no-deps web)
	[[ $(said "$id" 1) == "1 1" ]]
	docker kill "$id"
	within 10 has_no_attachments
	write_tool
	docker hostvol attach hvt_data "compose:$PROJECT/tool:/mnt"
	run -0 compose run --rm -T tool
	[[ $output == *content ]]
	within 10 has_no_attachments
}

# One whose program fails unless the volume is there when it begins.
write_tool() {
	{
		echo services:
		printf '  %s\n' tool: "  image: $IMAGE" "  command: [cat, /mnt/file]" "  network_mode: none" \
			"  pull_policy: never" "  labels: ['$LABEL']"
	} >"$TMP/project/compose.yaml"
}

@test "services that wait for others, which wait for the volume, are started" {
	{
		echo services:
		service web "depends_on:" "  db: { condition: service_healthy }" \
			"  first: { condition: service_completed_successfully }"
		printf '  %s\n' first: "  image: $IMAGE" "  command: [test, -e, /a/file]" "  network_mode: none" \
			"  labels: ['$LABEL']" \
			db: "  image: $IMAGE" "  command: [sleep, '100000']" "  network_mode: none" \
			"  stop_signal: SIGKILL" "  labels: ['$LABEL']" \
			"  healthcheck: { test: [CMD, test, -e, /a/file], interval: 1s }"
	} >"$TMP/project/compose.yaml"
	rule "compose:$PROJECT" # all of them
	compose up -d
	each_said web 1 1
	counts 2 1 # first has ended
	compose up -d --force-recreate
	each_said web 1 1
	compose down
	within 10 is_clean
}

@test "a project is selected by the name that Compose makes of its directory, a service by its own" {
	local dir="$TMP/Hvt My.Shop_1-x"
	mkdir "$dir"
	{ echo services: && service Web.1_b-c; } >"$dir/compose.yaml"
	(cd "$dir" && docker compose up -d)
	PROJECT=hvtmyshop_1-x
	run -0 docker hostvol check hvt_data "compose:Hvt My.Shop_1-x/Web.1_b-c:/a"
	[[ $output == *"selects 0 containers"*com.docker.compose.project=*$PROJECT* ]]
	rule "compose:$PROJECT/Web.1_b-c"
	counts 1 0
	(cd "$dir" && docker compose up -d --force-recreate)
	each_said Web.1_b-c 1 1
	PROJECT=hvt_0-other # by its side, from the same directory
	(cd "$dir" && docker compose -p $PROJECT up -d)
	each_said Web.1_b-c 1 0
	rule "compose:$PROJECT/Web.1_b-c"
	(cd "$dir" && docker compose -p $PROJECT up -d --force-recreate)
	each_said Web.1_b-c 1 1
}

@test "a file that brings its own rule has it from the first up to down -v" {
	{
		cat "$TMP/project/compose.yaml"
		service other 'volumes: ["hot:/v"]'
		printf '%s\n' volumes: "  hot:" "    name: hvt_hot" "    driver: hostvol" "    driver_opts:" \
			"      path: $TMP/src" "      attach: compose:$PROJECT/web:/a"
	} >"$TMP/compose.yaml"
	mv "$TMP/compose.yaml" "$TMP/project"
	compose up -d --scale web=2
	each_said web 2 1
	each_said db 1 0
	compose down
	counts 0 0
	compose up -d
	each_said web 1 1
	compose down -v
	[[ -z $(our_rules) ]]
	within 10 is_clean
	run ! docker volume inspect hvt_hot
	[[ -e $TMP/src/file ]]
}

@test "a misspelt service is told those that there are" {
	compose up -d --scale web=2
	run -0 docker hostvol check hvt_data "compose:$PROJECT/wbe:/a"
	[[ $output == *"selects 0 containers"*"com.docker.compose.service=cache, db, web" ]]
	run -0 --separate-stderr rule "compose:$PROJECT/wbe"
	[[ $output == '' && $stderr == *"no container is selected now"*"com.docker.compose.service=cache, db, web" ]]
	counts 0 0
	fails_with 1 "compose:$PROJECT/web" -- docker hostvol detach "compose:$PROJECT/web:/a"
	docker hostvol detach "compose:$PROJECT/wbe:/a"
	run -0 docker hostvol check hvt_data "compose:$PROJECT/web:/a"
	[[ $output == *"selects 2 containers"*"$PROJECT-web-1: "*"$PROJECT-web-2: "* ||
		$output == *"selects 2 containers"*"$PROJECT-web-2: "*"$PROJECT-web-1: "* ]]
	run docker hostvol check hvt_data "compose:$PROJECT/web/1:/a"
	[[ $status -ne 0 && $output == *"part too many"* ]]
}

is_refused() {
	[[ $(docker hostvol ls) == *"$PROJECT-web-1"*"was refused, because this is required"* ]]
}

@test "up fails if a service cannot have what it requires, and ls says why" {
	rule "compose:$PROJECT/web" --required
	mv "$TMP/src" "$TMP/gone"
	run compose up -d
	[[ $status -ne 0 && -z $(containers web) ]]
	within 10 is_refused
	mv "$TMP/gone" "$TMP/src"
	compose up -d
	began 1
}
