# SPDX-License-Identifier: Apache-2.0
load helpers
load plain
load first

# Rules: a volume in all containers that a selector selects, now and later, before their first instruction.
# HOSTVOL_RULE_ROUNDS: how often a container is created anew.

ROUNDS=${HOSTVOL_RULE_ROUNDS:-20}
SELECTOR=label:hvt.tier=front

setup() {
	plain_setup
	mkdir "$TMP/src" "$TMP/other"
	RUNS=0
	run_and_wait
	must Create '{"Name":"hvt_data","Opts":{"path":"'"$TMP/src"'"}}'
	must Create '{"Name":"hvt_other","Opts":{"path":"'"$TMP/other"'"}}'
	make_first
}

teardown() {
	plain_teardown
	docker image rm -f hvt-first >/dev/null 2>&1 || true
}

run_and_wait() {
	run_daemon
	RUNS=$((RUNS + 1))
	within 10 holds_starts
	within 10 is_told
}

holds_starts() {
	send HotInfo '{}'
	[[ $ANSWER == *'"Held":true'* ]]
}

is_told() {
	[[ $(grep -c "the Docker Engine tells its events" "$PLAIN/log") -ge $RUNS ]]
}

# rule SELECTOR [FIELDS [VOLUME]]: at /a.
rule() {
	must HotAttach '{"Volume":"'"${3:-hvt_data}"'","Selector":"'"$1"'","Target":"/a"'"${2:-}"'}'
}

# end_rule SELECTOR
end_rule() {
	must HotDetach '{"Selector":"'"$1"'","Target":"/a"}'
}

# first NAME [OPTION...]: one that tells first of all whether /a is mounted.
first() {
	docker run -d --label "$LABEL" --network none --name "$1" "${@:2}" hvt-first /first /a >/dev/null
}

FRONT=(--label hvt.tier=front)

# has NAME [SOURCE]: the volume of that directory is at /a.
has() {
	grep -q " /a " "/proc/$(pid_of "$1")/mountinfo" &&
		[[ -z ${2:-} || -e /proc/$(pid_of "$1")/root/a/$2 ]]
}

counts() {
	must HotRules '{}'
	[[ $ANSWER == *"\"Attached\":$1,\"Pending\":$2,\"Failed\":$3,\"Skipped\":$4"* ]] || { echo "$ANSWER" && return 1; }
}

@test "a rule holds in containers that run, and in those to come before their first instruction" {
	first hvt_now "${FRONT[@]}"
	first hvt_never --label hvt.tier=back
	rule "$SELECTOR"
	[[ $ANSWER == *'"ContainerName":"hvt_now"'* && $ANSWER != *hvt_never* ]]
	has hvt_now
	run ! has hvt_never
	first hvt_later "${FRONT[@]}"
	[[ $(said hvt_later 1) == "1 1" ]]
	restart_often hvt_later 2
	[[ $(said hvt_later 3) == "3 1" ]]
	first hvt_no
	[[ $(said hvt_no 1) == "1 0" ]]
	counts 2 0 0 0
	docker rm -f hvt_now
	end_rule "$SELECTOR"
	run ! has hvt_later
	first hvt_after "${FRONT[@]}"
	[[ $(said hvt_after 1) == "1 0" ]]
}

lists_none() {
	must HotList '{}'
	[[ $ANSWER == *'"Attachments":[]'* ]]
}

@test "a container that is created anew again and again is never late" {
	local late=0 i
	rule compose:hvt/web
	for i in $(seq "$ROUNDS"); do
		first hvt_web --label com.docker.compose.project=hvt --label com.docker.compose.service=web
		[[ $(said hvt_web 1) == "1 1" ]] || late=$((late + 1))
		docker rm -f hvt_web >/dev/null
	done
	echo "late: $late of $ROUNDS"
	[[ $late -eq 0 ]]
	within 10 lists_none
	first hvt_db --label com.docker.compose.project=hvt --label com.docker.compose.service=db
	[[ $(said hvt_db 1) == "1 0" ]]
	rule service:hvt
	first hvt_task --label com.docker.swarm.service.name=hvt
	[[ $(said hvt_task 1) == "1 1" ]]
}

@test "many that are created at once are in time" {
	rule "$SELECTOR"
	seq 10 | xargs -P 10 -I '{}' docker run -d --label "$LABEL" --label hvt.tier=front --network none \
		--name 'hvt_{}' hvt-first /first /a >/dev/null
	for i in $(seq 10); do [[ $(said "hvt_$i" 1) == "1 1" ]]; done
	counts 10 0 0 0
}

@test "a rule outlives the daemon, and meets containers that came while it was away" {
	rule "$SELECTOR"
	stop_daemon
	first hvt_unseen "${FRONT[@]}"
	docker create --label "$LABEL" --network none --name hvt_stopped "${FRONT[@]}" hvt-first /first /a >/dev/null
	[[ $(said hvt_unseen 1) == "1 0" ]]
	run_and_wait
	within 10 has hvt_unseen
	within 10 counts 1 1 0 0
	docker start hvt_stopped
	[[ $(said hvt_stopped 1) == "1 1" ]]
	kill -KILL "$DAEMON"
	wait "$DAEMON" || true
	run_and_wait
	first hvt_later "${FRONT[@]}"
	[[ $(said hvt_later 1) == "1 1" ]]
	counts 3 0 0 0
}

@test "if one container refuses nothing is done, unless each is asked for" {
	first hvt_one "${FRONT[@]}"
	docker run -d --label "$LABEL" --network none --name hvt_two "${FRONT[@]}" --tmpfs /a hvt-first /first /a
	send HotAttach '{"Volume":"hvt_data","Selector":"'"$SELECTOR"'","Target":"/a"}'
	[[ $STATUS == 409 && $ANSWER == *hvt_two* && $ANSWER == *--each* ]]
	run ! has hvt_one
	must HotRules '{}'
	[[ $ANSWER == *'"Rules":[]'* ]]
	rule "$SELECTOR" ',"Each":true'
	[[ $ANSWER == *'"Failed":[{'*hvt_two* ]]
	has hvt_one
	counts 1 0 1 0
}

@test "an attachment of one container goes before a rule, an older rule before a younger one" {
	echo other >"$TMP/other/who"
	echo data >"$TMP/src/what"
	first hvt_one "${FRONT[@]}"
	must HotAttach '{"Volume":"hvt_other","Container":"hvt_one","Target":"/a"}'
	rule "$SELECTOR"
	[[ $ANSWER == *'"Skipped":[{'*hvt_one* ]]
	has hvt_one who
	rule label:hvt.tier '' hvt_other
	first hvt_two "${FRONT[@]}"
	[[ $(said hvt_two 1) == "1 1" ]]
	has hvt_two what
	must HotDetach '{"Container":"hvt_one","Target":"/a"}'
	within 10 has hvt_one what
	send HotDetach '{"Container":"hvt_one","Target":"/a"}'
	[[ $STATUS == 400 && $ANSWER == *"by rule"* ]]
}

@test "a volume that a rule needs stays, and a rule with a busy attachment" {
	start hvt_busy "${FRONT[@]}"
	rule "$SELECTOR"
	send Remove '{"Name":"hvt_data"}'
	[[ $STATUS == 409 && $ANSWER == *"$SELECTOR"* ]]
	docker exec -d hvt_busy sh -c 'cd /a && sleep 1000'
	within 5 is_inside hvt_busy
	send HotDetach '{"Selector":"'"$SELECTOR"'","Target":"/a"}'
	[[ $STATUS == 409 && $ANSWER == *stays* && $ANSWER == *'"Busy"'* ]]
	counts 1 0 0 0
	must HotDetach '{"Selector":"'"$SELECTOR"'","Target":"/a","Lazy":true}'
	docker rm -f hvt_busy
	must Remove '{"Name":"hvt_data"}'
}

# A process of it has its working directory in the volume.
is_inside() {
	local pid
	for pid in $(docker top "$1" -eo pid | tail -n +2); do
		[[ $(readlink "/proc/$pid/cwd") != /a ]] || return 0
	done
	return 1
}

@test "option attach takes a selector, and the rule ends with the volume" {
	first hvt_one "${FRONT[@]}"
	must Create '{"Name":"hvt_own","Opts":{"path":"'"$TMP/src"'","attach":"'"$SELECTOR"':/a:ro"}}'
	has hvt_one
	first hvt_two "${FRONT[@]}"
	[[ $(said hvt_two 1) == "1 1" ]]
	must Remove '{"Name":"hvt_own"}'
	run ! has hvt_one
	must HotRules '{}'
	[[ $ANSWER == *'"Rules":[]'* ]]
}

@test "a rule takes a directory of the host, which nothing else knows" {
	echo other >"$TMP/other/who"
	must HotAttach '{"Source":{"Path":"'"$TMP/other"'"},"Selector":"'"$SELECTOR"'","Target":"/a"}'
	first hvt_one "${FRONT[@]}"
	[[ $(said hvt_one 1) == "1 1" ]]
	has hvt_one who
	counts 1 0 0 0
	end_rule "$SELECTOR"
	run ! has hvt_one
	must HotRules '{}'
	[[ $ANSWER == *'"Rules":[]'* ]]
	send HotAttach '{"Volume":"hvt_data","Selector":"'"$SELECTOR"'","Target":"/a","For":60}'
	[[ $STATUS == 400 && $ANSWER == *lease* ]]
}

@test "a container that requires what a rule cannot give does not start" {
	rule "$SELECTOR" ',"Required":true'
	mv "$TMP/src" "$TMP/gone"
	run first hvt_one "${FRONT[@]}"
	[[ $status -ne 0 && -z $(docker logs hvt_one) ]]
	mv "$TMP/gone" "$TMP/src"
	docker start hvt_one
	[[ $(said hvt_one 1) == "1 1" ]]
}
