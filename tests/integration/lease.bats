# SPDX-License-Identifier: Apache-2.0
load helpers
load plain

# Attachments that end at a date.

setup() {
	plain_setup
	mkdir "$TMP/src"
	echo here >"$TMP/src/f"
	run_daemon
	must Create '{"Name":"hvt_lent","Opts":{"path":"'"$TMP"'/src"}}'
}

teardown() { plain_teardown; }

hostvol() {
	HOSTVOL_SOCKET=$PLAIN/socket "$BUILD/cli/docker-hostvol" "$@"
}

# field NAME: of the attachment.
field() {
	hostvol inspect hvt_web:/data | jq -r ".[0].$1"
}

# is_over UNTIL
is_over() {
	[[ $(date +%s) -gt $(date -d "$1" +%s) ]]
}

is_mounted() {
	grep -q ' /data ' "/proc/$(pid_of hvt_web)/mountinfo"
}

is_listed() {
	[[ -n $(hostvol ls -q) ]]
}

is_gone() {
	! is_listed && ! is_mounted
}

is_dropped() {
	! is_listed
}

has_problem() {
	[[ $(field State) == attached && $(field Problem) == *"$1"* ]]
}

# use: a process of the container has a file of the volume open.
use() {
	docker exec -d hvt_web sh -c 'exec 3</data/f; touch /using; exec sleep 77777'
	within 5 docker exec hvt_web test -e /using
}

user_pid() {
	pgrep -fx 'sleep 77777'
}

@test "a lease that ends takes the volume out" {
	start hvt_web
	[[ $(hostvol attach --for 2s hvt_lent hvt_web:/data) == hvt_web:/data ]]
	[[ $(docker exec hvt_web cat /data/f) == here ]]
	within 5 is_gone
	docker exec hvt_web test ! -e /data
	[[ $(cat "$TMP/src/f") == here ]]
	grep -q "detached, with the end of its lease" "$PLAIN/log"
}

@test "a volume in use stays, with its user told, and goes when that lets go of it" {
	start hvt_web
	hostvol attach --for 2s hvt_lent hvt_web:/data
	use
	within 5 has_problem "its lease ended at $(field Until), and it is in use by process $(user_pid) of the host (sleep)"
	is_mounted
	[[ $(hostvol ls) == *"TIME LEFT"*over* ]]
	kill "$(user_pid)"
	within 10 is_gone
}

@test "when the grace is over the volume goes, and what is open stays open" {
	start hvt_web
	hostvol attach --for 2s --grace 2s hvt_lent hvt_web:/data
	use
	within 10 is_gone
	[[ $(cat "/proc/$(user_pid)/fd/3") == here ]]
}

@test "without a grace the volume goes at once" {
	start hvt_web
	hostvol attach --for 4s --grace 0 hvt_lent hvt_web:/data
	use
	within 10 is_gone
	[[ $(cat "/proc/$(user_pid)/fd/3") == here ]]
}

@test "a lease that ends while hostvold is down ends when that is back" {
	local until
	start hvt_web
	hostvol attach --for 3s hvt_lent hvt_web:/data
	until=$(field Until)
	kill -9 "$DAEMON"
	wait "$DAEMON" || true
	within 5 is_over "$until"
	is_mounted
	run_daemon
	within 5 is_gone
}

@test "a container that starts after the end does not get the volume, whether hostvold sees the start or not" {
	local until
	docker create --label "$LABEL" --network none --name hvt_web -v "$TMP:/notes" "$IMAGE" \
		sh -c 'cat /data/f >>/notes/ran 2>/dev/null; echo . >>/notes/ran; exec sleep 100000'
	hostvol attach --for 9s hvt_lent hvt_web:/data
	[[ $(field State) == pending ]]
	docker start hvt_web
	within 5 grep -q . "$TMP/ran"
	[[ $(<"$TMP/ran") == $'here\n.' ]]
	until=$(field Until)
	docker restart -t 0 hvt_web # within the lease
	[[ $(field Until) == "$until" ]]
	kill -9 "$DAEMON"
	wait "$DAEMON" || true
	within 10 is_over "$until"
	rm "$TMP/ran"
	docker restart -t 0 hvt_web
	run_daemon
	within 5 is_gone
	within 5 grep -q . "$TMP/ran"
	[[ $(<"$TMP/ran") == . ]]
	# Of a container that is stopped when the lease ends the record goes.
	docker stop -t 0 hvt_web
	hostvol attach --for 1s hvt_lent hvt_web:/data
	within 5 is_dropped
	docker start hvt_web
	run ! is_mounted
	must Remove '{"Name":"hvt_lent"}'
}

@test "a container does not need a required volume when the lease is over" {
	docker create --label "$LABEL" --network none --name hvt_web "$IMAGE" sleep 100000
	hostvol attach --required --for 6s hvt_lent hvt_web:/data
	mv "$TMP/src" "$TMP/away"
	fails_with 1 -- docker start hvt_web
	within 5 is_dropped
	docker start hvt_web
	run ! is_mounted
}

@test "attach again renews the lease, or leaves it and says so" {
	local id first
	start hvt_web
	hostvol attach --once hvt_lent hvt_web:/lasting
	[[ $(hostvol ls) != *"TIME LEFT"* ]]
	hostvol attach --for 1h --grace 5m hvt_lent hvt_web:/data
	id=$(field ID) first=$(field Until)
	[[ $(field Grace) == 300 && $(hostvol ls) == *"TIME LEFT"*"About an hour"* ]]
	fails_with 0 "note: it is attached already, until $first" -- hostvol attach hvt_lent hvt_web:/data
	[[ $(field Until) == "$first" ]]
	hostvol check --for 3h hvt_lent hvt_web:/data
	[[ $(field Until) == "$first" ]]
	hostvol attach --for 3h hvt_lent hvt_web:/data
	[[ $(field ID) == "$id" && $(field Until) > $first && $(field Grace) == 600 ]]
	[[ $(hostvol ls) == *"3 hours"* ]]
	fails_with 2 "--for takes a duration" "write the unit: --for 90s" -- \
		hostvol attach --for 90 hvt_lent hvt_web:/data
	fails_with 2 "--grace says nothing without --for" -- \
		hostvol attach --grace 1m hvt_lent hvt_web:/data
	send HotAttach '{"Volume":"hvt_lent","Container":"hvt_web","Target":"/data","Grace":7}'
	[[ $STATUS == 400 && $ANSWER == *'\"Grace\" says nothing without \"For\"'* ]]
	# Of an earlier end than before.
	hostvol attach --for 1s hvt_lent hvt_web:/data
	within 5 is_only_lasting
}

is_only_lasting() {
	! is_mounted && [[ $(hostvol ls --format '{{.Target}}') == /lasting ]]
}
