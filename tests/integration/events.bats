# SPDX-License-Identifier: Apache-2.0
load helpers
load plain

# docker hostvol events: what happens to attachments of real containers.

setup() {
	plain_setup
	mkdir "$TMP/src"
	SINCE=$(date +%s.%N)
}

teardown() {
	[[ -z ${FOLLOWER:-} ]] || kill "$FOLLOWER" 2>/dev/null || true
	plain_teardown
}

# events [OPTION...]: those of this test up to now.
events() {
	docker hostvol events --since "$SINCE" --until 0s -f volume=hvt_data "$@"
}

# actions [OPTION...]: their words in a line, but for late, which a busy machine may add.
actions() {
	events --format '{{.Action}}' "$@" | grep -v '^late$' | paste -sd ' '
}

# are WORDS [OPTION...]
are() {
	local wanted=$1
	shift
	[[ $(actions "$@") == "$wanted" ]]
}

volume() {
	docker volume create -d hostvol -o path="$TMP/src" hvt_data
}

# follow FILE [OPTION...]: in the background; without docker in front, which would have to be ended as well.
follow() {
	local file=$1
	shift
	docker-hostvol events "$@" >"$file" 2>&1 3>&- &
	FOLLOWER=$!
}

# Of the plain daemon.
hostvol() {
	HOSTVOL_SOCKET=$PLAIN/socket "$BUILD/cli/docker-hostvol" "$@"
}

@test "attach, restart, stop, start and detach are told in their order" {
	volume
	start hvt_web
	docker hostvol attach hvt_data hvt_web:/mnt/d
	are attach
	docker restart -t 0 hvt_web
	eventually are 'attach pending reattach'
	docker stop -t 0 hvt_web
	eventually are 'attach pending reattach pending'
	docker start hvt_web
	eventually are 'attach pending reattach pending reattach'
	docker hostvol detach hvt_web:/mnt/d
	are 'attach pending reattach pending reattach detach'
	# Each has a higher number than the one before, a time, and its names.
	events --format json | jq -es 'length >= 6 and ([.[].Seq] | . == (sort | unique)) and
		all(.Volume == "hvt_data" and .ContainerName == "hvt_web" and .Target == "/mnt/d" and
			(.ID | length) == 12 and (.Time | test("^20.*\\.[0-9]{9}Z$")))'
	run events -f action=detach
	[[ $output == 20*"Z detach hvt_data hvt_web:/mnt/d" ]]
	are attach -f action=attach -f container=hvt_web
	are '' -f container=hvt_none
	are '' -f target=/mnt/e
}

@test "the end of a container ends its attachments" {
	volume
	start hvt_web
	docker hostvol attach hvt_data hvt_web:/mnt/d
	docker rm -f hvt_web
	has_ended() { [[ $(actions) == attach*end ]]; }
	eventually has_ended
}

@test "an attachment that ends with its start" {
	volume
	start hvt_web
	docker hostvol attach --once hvt_data hvt_web:/mnt/d
	docker stop -t 0 hvt_web
	eventually are 'attach end'
}

@test "what is unmounted, mounted over and uncovered inside is told, and why" {
	volume
	start hvt_web --cap-add SYS_ADMIN --security-opt apparmor=unconfined
	docker hostvol attach hvt_data hvt_web:/mnt/d
	docker exec hvt_web mount -t tmpfs over /mnt/d
	docker hostvol ls # which has it looked at, and writes nothing itself
	eventually are 'attach covered'
	docker exec hvt_web umount /mnt/d
	docker hostvol ls
	eventually are 'attach covered uncovered'
	docker exec hvt_web umount /mnt/d
	docker hostvol ls
	eventually are 'attach covered uncovered missing'
	for _ in 1 2 3; do docker hostvol ls; done
	are 'attach covered uncovered missing'
	[[ $(events -f action=missing --format '{{.Detail}}') == "it was unmounted"* ]]
}

@test "a replaced volume is detached" {
	volume
	mkdir "$TMP/other"
	docker volume create -d hostvol -o path="$TMP/other" hvt_other
	start hvt_web
	docker hostvol attach hvt_data hvt_web:/mnt/d
	docker hostvol attach --replace hvt_other hvt_web:/mnt/d
	are 'attach detach'
	[[ $(events -f action=detach --format '{{.Detail}}') == "another attachment has taken its place" ]]
}

@test "the end of a lease is a detach, and a path of the host is told by its name" {
	start hvt_web
	docker hostvol attach --for 2s "$TMP/src" hvt_web:/mnt/d
	lent() { docker hostvol events --since "$SINCE" --until 0s -f volume="$TMP/src" --format '{{.Action}} {{.Detail}}'; }
	is_told() { [[ $(lent) == $'attach \ndetach its lease ended at 20'*Z ]]; }
	within 10 is_told
}

@test "a failed attach is no event" {
	volume
	start hvt_web
	run ! docker hostvol attach hvt_data hvt_web:/proc/d
	run ! docker hostvol attach --no-mkdir hvt_data hvt_web:/mnt/d
	are ''
}

@test "a stream shows an event as it happens" {
	volume
	start hvt_web
	follow "$TMP/out" --since "$SINCE" -f volume=hvt_data --format '{{.Action}} {{.Target}}'
	docker hostvol attach hvt_data hvt_web:/mnt/d
	eventually grep -x 'attach /mnt/d' "$TMP/out" # it has begun
	begin=$(date +%s%N)
	docker hostvol detach hvt_web:/mnt/d
	within 2 grep -x 'detach /mnt/d' "$TMP/out"
	echo "after $((($(date +%s%N) - begin) / 1000000)) ms"
	kill "$FOLLOWER"
	[[ $(cat "$TMP/out") == $'attach /mnt/d\ndetach /mnt/d' ]]
}

@test "without --since it begins with the present, and --until ends it" {
	volume
	start hvt_web
	docker hostvol attach hvt_data hvt_web:/mnt/d
	run -0 docker hostvol events --until 0s
	[[ -z $output ]]
	begin=$SECONDS
	run -0 docker hostvol events --until "$(date -d '+3 seconds' +%s)" -f volume=hvt_data
	[[ -z $output && $((SECONDS - begin)) -ge 2 && $((SECONDS - begin)) -le 15 ]]
}

@test "through the Engine: a request, and the stream of a member of the group docker" {
	volume
	start hvt_web
	docker hostvol attach hvt_data hvt_web:/mnt/d
	docker volume create -d hostvol -o 'request={"Endpoint":"/HotEvents","Body":{"Limit":1}}' hostvol-request-hvt
	docker volume inspect -f '{{.Status.reply}}' hostvol-request-hvt |
		jq -e '.Err == "" and (.Events | length) == 1 and .Last >= 1'
	docker volume rm hostvol-request-hvt
	install_for_all
	as_member "$TMP/cli/docker-hostvol" events --since "$SINCE" --format '{{.Action}} {{.Volume}} {{.Target}}' \
		>"$TMP/out" 2>&1 3>&- &
	FOLLOWER=$!
	eventually grep -x 'attach hvt_data /mnt/d' "$TMP/out"
	docker hostvol detach hvt_web:/mnt/d
	within 5 grep -x 'detach hvt_data /mnt/d' "$TMP/out"
}

@test "events survive a restart of hostvold, also by SIGKILL" {
	run_daemon
	start hvt_web
	mkdir "$TMP/d"
	must Create "{\"Name\":\"hvt_data\",\"Opts\":{\"path\":\"$TMP/d\"}}"
	must HotAttach '{"Volume":"hvt_data","Container":"hvt_web","Target":"/mnt/d"}'
	kill -9 "$DAEMON"
	wait "$DAEMON" || true
	run_daemon
	send HotEvents '{}'
	[[ $(jq -r '[.Events[].Action] | join(" ")' <<<"$ANSWER") == attach ]]
	last=$(jq .Last <<<"$ANSWER")
	must HotDetach '{"Container":"hvt_web","Target":"/mnt/d"}'
	send HotEvents "{\"After\":$last}"
	[[ $(jq -r '[.Events[].Action] | join(" ")' <<<"$ANSWER") == detach ]]
	[[ $(jq .Last <<<"$ANSWER") -gt $last ]]
}

@test "a request that waits does not hold the daemon's end up" {
	run_daemon
	curl -s --max-time 90 --unix-socket "$PLAIN/socket" --data '{"After":-1,"WaitSeconds":60}' \
		http://hostvol/HotEvents >"$TMP/out" 3>&- &
	local client=$! begin
	waits() { awk -v socket="$PLAIN/socket" '$8 == socket && $6 == "03" { found = 1 } END { exit !found }' /proc/net/unix; }
	eventually waits
	begin=$(date +%s%N)
	stop_daemon
	[[ $((($(date +%s%N) - begin) / 1000000)) -lt 3000 ]]
	wait "$client"
	[[ $(jq -c .Events "$TMP/out") == '[]' ]]
}

@test "a start that is refused is told, and that it was late" {
	HOSTVOL_HOLD_MS=0 run_daemon
	must Create "{\"Name\":\"hvt_data\",\"Opts\":{\"path\":\"$TMP/src\"}}"
	docker create --label "$LABEL" --network none --name hvt_web "$IMAGE" sleep 100000
	hostvol attach hvt_data hvt_web:/mnt/d
	docker start hvt_web
	is_late() { [[ $(hostvol events --since "$SINCE" --until 0s --format '{{.Action}}' | paste -sd ' ') == 'attach pending reattach late' ]]; }
	eventually is_late
	[[ $(hostvol events --since "$SINCE" --until 0s -f action=late --format '{{.Detail}}') == *" ms after its program began" ]]
	stop_daemon
	docker rm -f hvt_web
	run_daemon
	docker create --label "$LABEL" --network none --name hvt_no "$IMAGE" sleep 100000
	hostvol attach --required hvt_data hvt_no:/mnt/d
	mv "$TMP/src" "$TMP/away"
	holds_starts() { send HotInfo '{}' && [[ $ANSWER == *'"Held":true'* ]]; }
	eventually holds_starts
	run ! docker start hvt_no
	is_refused() { hostvol events --since "$SINCE" --until 0s -f container=hvt_no -f action=refused | grep -F "the start of container 'hvt_no' was refused"; }
	eventually is_refused
}
