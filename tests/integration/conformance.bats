# SPDX-License-Identifier: Apache-2.0
load helpers
load engine

# What the Engine's own test-suite asks of a volume driver, and what drivers are known to get wrong, once with
# the managed plugin and once with the plain daemon, by the docker command alone.
#
# A scenario is a function; `both` runs it with D=hostvol, the plugin, and D=hvplain, the daemon, behind
# recorder.py. `only_managed` and `only_plain` run one that is of one alone, for a reason that is printed.
# Not here, because they test the Engine and not a driver: spec files and TLS, authorization plugins, schema of
# images, Swarm. Elsewhere: privileges (plugin.bats), disable and rm -f under running containers, IDs
# used again after SIGKILL (restart.bats), live-restore and upgrade (lasting.bats), graceful stop (plain.bats).

setup_file() {
	engine_setup
	IMAGE_CONTENT=hostvol-test/content
	export IMAGE_CONTENT
	docker run --name make --network none "$IMAGE" sh -c 'mkdir /content; echo image >/content/file'
	docker commit make $IMAGE_CONTENT >/dev/null
	docker rm make >/dev/null
	managed_setup >/dev/null
	plain_setup
	echo 0 >"$ENGINE/count.hostvol"
	echo 0 >"$ENGINE/count.hvplain"
	: >"$ENGINE/alone"
}

managed_setup() {
	local dir
	dir=$(plugin_directory)
	docker plugin create hostvol "$dir"
	docker plugin set hostvol "HOSTVOL_STATE=$ENGINE/state" "HOSTVOL_ENGINE=$ENGINE/docker.sock" \
		HOSTVOL_LOG=debug
	enable_plugin
	mv "$dir" "$ENGINE/plugin"
}

plain_setup() {
	mkdir "$ENGINE/plain"
	: >"$ENGINE/plain/calls"
	plain_start
	recorder_start
}

plain_start() {
	setsid nsenter -t "$(cat "$ENGINE/holder")" -m -n "$BATS_TEST_DIRNAME/../../build/release/driver/daemon/hostvold" \
		--socket "$ENGINE/plain/socket" --state "$ENGINE/plain/state" --mount-root "$ENGINE/plain/mounts" \
		--engine "$ENGINE/docker.sock" >>"$ENGINE/plain/log" 2>&1 3>&- &
	echo $! >"$ENGINE/plain/pid"
	disown # it outlives the test
	within 10 in_engine curl -sf --unix-socket "$ENGINE/plain/socket" -d '{}' http://h/VolumeDriver.List
}

recorder_start() {
	in_engine rm -f /run/docker/plugins/hvplain.sock
	setsid nsenter -t "$(cat "$ENGINE/holder")" -m -n python3 "$BATS_TEST_DIRNAME/recorder.py" /run/docker/plugins/hvplain.sock \
		"$ENGINE/plain/socket" "$ENGINE/plain/calls" "$ENGINE/plain/fault" 3>&- &
	echo $! >"$ENGINE/plain/recorder"
	disown
	within 10 in_engine test -S /run/docker/plugins/hvplain.sock
}

teardown_file() {
	echo "# conformance: $(cat "$ENGINE/count.hostvol") scenarios with the managed plugin," \
		"$(cat "$ENGINE/count.hvplain") with the plain daemon, of which with one alone:" >&3
	sort -u "$ENGINE/alone" | sed 's/^/#   /' >&3
	kill "$(cat "$ENGINE/plain/recorder")" "$(cat "$ENGINE/plain/pid")" 2>/dev/null || true
	engine_teardown
}

setup() {
	TMP=$(mktemp -d -p /srv hvt.XXXXXX)
}

teardown() {
	clean
	rm -rf "$TMP"
}

clean() {
	engine_clear
	rm -f "$ENGINE/plain/fault"
}

# After a scenario: every volume could be removed, and nothing stays mounted.
nothing_is_left() {
	clean
	[[ -z $(docker volume ls -q) ]]
	run ! in_engine grep -E ' [^ ]*(/propagated-mount|/plain/mounts)/[^ ]' /proc/self/mountinfo
}

# A scenario that this Engine does not have says so in NOT_HERE, and does not count.
run_with() {
	local D=$1 NOT_HERE=''
	shift
	echo "--- with $D"
	rm -rf "${TMP:?}"/*
	mark
	"$@"
	nothing_is_left
	if [[ -n $NOT_HERE ]]; then
		echo "neither, $BATS_TEST_DESCRIPTION: $NOT_HERE" >>"$ENGINE/alone"
	else
		echo $(($(cat "$ENGINE/count.$D") + 1)) >"$ENGINE/count.$D"
	fi
}

# only_managed|only_plain REASON SCENARIO [ARGUMENT...]
only_managed() {
	echo "managed, $BATS_TEST_DESCRIPTION: $1" >>"$ENGINE/alone"
	run_with hostvol "${@:2}"
}

only_plain() {
	echo "plain, $BATS_TEST_DESCRIPTION: $1" >>"$ENGINE/alone"
	run_with hvplain "${@:2}"
}

both() {
	run_with hostvol "$@"
	run_with hvplain "$@"
}

PLUGIN="Docker enables, sets, upgrades and removes plugins; a plain daemon is none of its business"
FAULT="the fault is made between the Engine and the daemon; to a plugin the Engine itself connects"
SEEN="the recorder sees what the Engine sends, which a plugin does not log"

# What was called since: mark, then calls CALL.
mark() {
	MARK=$(wc -l <"$(record)")
}

record() {
	[[ $D == hostvol ]] && echo "$ENGINE/log" || echo "$ENGINE/plain/calls"
}

calls() {
	tail -n "+$((MARK + 1))" "$(record)" | grep -cE "^$1 |hostvol: [a-z]+: /VolumeDriver[.]$1: " || true
}

# called CALL TIMES: the log of the plugin takes its way through dockerd, so that none yet is no proof.
called() {
	local times
	[[ $2 != 0 || $D != hostvol ]] || sleep 0.5
	for _ in $(seq 200); do
		times=$(calls "$1")
		[[ $times != "$2" ]] || return 0
		sleep 0.05
	done
	echo "$1 was called $times times, not $2"
	return 1
}

# mount_ids: of how many IDs there were Mounts, since mark.
mount_ids() {
	tail -n "+$((MARK + 1))" "$ENGINE/plain/calls" | awk '$1 == "Mount" { print $3 }' | sort -u | wc -l
}

# balanced: every Mount that was made has had its Unmount.
balanced() {
	[[ $(calls Mount) -gt 0 && $(calls Mount) == $(calls Unmount) ]]
}

# all_end_well PID...: each of them ends with status 0.
all_end_well() {
	local client
	for client in "$@"; do
		wait "$client" || { echo "a command failed" && return 1; }
	done
}

# had_fault: the one that was ordered has been.
had_fault() {
	[[ ! -e $ENGINE/plain/fault ]]
}

fault() {
	echo "$1" "$2" >"$ENGINE/plain/fault"
}

# driver: its name as Docker shows it.
driver() {
	[[ $D == hostvol ]] && echo hostvol:latest || echo hvplain
}

daemon_of() {
	if [[ $D == hostvol ]]; then
		daemon_pid
	else
		cat "$ENGINE/plain/pid"
	fi
}

run_in() {
	docker run --rm --network none "$@"
}

# background NAME OPTION...
background() {
	docker run -d --network none --name "$@" "$IMAGE" sleep 100000 >/dev/null
}

source_of() {
	docker volume inspect -f '{{.Status.source}}' "$1"
}

# --- the life of a volume -----------------------------------------------------------------------

named() {
	run_in -v vol:/d --volume-driver $D "$IMAGE" sh -c 'echo one >/d/f'
	source=$(source_of vol)
	[[ $(cat "$source/f") == one ]]
	docker volume rm vol
	[[ ! -e $source ]]
	called Create 1
	called Mount 1
	called Unmount 1
	called Remove 1
}
@test "docker run makes a volume, mounts it, unmounts it; rm removes it" { both named; }

anonymous() {
	run_in -v /d --volume-driver $D "$IMAGE" touch /d/f
	[[ -z $(docker volume ls -q) ]]
	called Create 1
	called Mount 1
	called Unmount 1
	called Remove 1
}
@test "an anonymous volume goes with its container" { both anonymous; }

volumes_from() {
	docker run --name first --network none -v /d --volume-driver $D "$IMAGE" touch /d/f
	docker run --name second --network none --volumes-from first "$IMAGE" ls /d/f
	docker rm -fv first
	[[ $(docker volume ls -q | wc -l) == 1 ]] # the other one has it
	called Remove 0
	docker rm -fv second
	[[ -z $(docker volume ls -q) ]]
	called Create 1
	called Mount 2
	called Unmount 2
	called Remove 1
}
@test "--volumes-from, and rm -v by both" { both volumes_from; }

rm_v() {
	docker run --name first --network none -v /d --volume-driver $D "$IMAGE" true
	docker rm -fv first
	called Create 1
	called Mount 1
	called Unmount 1
	called Remove 1
}
@test "rm -v removes the anonymous volume" { both rm_v; }

must_be_unique() {
	docker volume create vol
	fails_with 1 "must be unique" -- docker volume create -d $D vol
	docker volume create vol
	docker volume rm vol
	docker volume create -d $D vol
	fails_with 1 "must be unique" -- docker volume create -d local vol
	docker volume create -d $D vol
}
@test "a name of another driver's volume must be unique" { both must_be_unique; }

shown_by_inspect() {
	docker volume create -d $D foo
	background web -v foo:/bar
	run -0 docker inspect -f '{{range .Mounts}}{{.Type}} {{.Name}} {{.Driver}} {{.Destination}}{{"\n"}}{{end}}' web
	[[ $output == "volume foo $(driver) /bar" ]]
}
@test "docker inspect shows one mount, with name and driver" { both shown_by_inspect; }

listed_once() {
	docker volume create -d $D abc3
	mark
	run -0 docker volume ls --format '{{.Driver}} {{.Name}}'
	[[ $output == "$(driver) abc3" ]]
	called List 1
}
@test "volume ls shows one line, by one List" { both listed_once; }

looked_up() {
	fails_with 1 "no such volume" -- docker volume inspect nothing
	called Get 1
	docker volume create -d $D vol
	run -0 docker volume inspect -f '{{.Scope}} {{.Status.kind}} {{.Driver}}' vol
	[[ $output == "local managed $(driver)" ]]
	run -0 docker volume inspect -f '{{.CreatedAt}}' vol
	[[ $(date -d "$output" +%s) -gt $(($(date +%s) - 60)) ]]
	docker volume ls -q
	called Path 0
}
@test "inspect: no such volume by one Get; scope, status and date of one that is there" { both looked_up; }

mount_id() {
	run_in -v vol:/d --volume-driver $D "$IMAGE" true
	id=$(tail -n "+$((MARK + 1))" "$ENGINE/plain/calls" | sed -n 's/^Mount vol \([^ ]*\) .*/\1/p')
	[[ $id =~ ^[0-9a-f]{64}$ ]]
	[[ $(tail -n "+$((MARK + 1))" "$ENGINE/plain/calls") == *"Unmount vol $id "* ]]
}
@test "Mount and Unmount have the same ID" { only_plain "$SEEN" mount_id; }

capabilities_once() {
	for name in a1 a2 a3; do
		docker volume create -d $D $name
		docker volume inspect $name >/dev/null
	done
	[[ $(grep -c ^Capabilities "$ENGINE/plain/calls") == 1 && $(grep -c ^Activate "$ENGINE/plain/calls") == 1 ]]
}
@test "a plain driver is activated and asked for its capabilities once" { only_plain "a plugin is asked before nearly every call" capabilities_once; }

behind_its_back() {
	docker volume create -d $D -o ro=true vol
	delete() {
		in_engine curl -s --unix-socket "$(socket_of)" -d '{"Name":"vol"}' http://h/VolumeDriver.Remove
	}
	fails_with 1 "must be unique" -- docker volume create -d local vol
	delete
	docker volume create -d $D -o uid=7 vol
	[[ $(docker volume inspect -f '{{json .Options}} {{json .Status.options}}' vol) == '{"uid":"7"} {"uid":"7"}' ]]
	delete
	docker volume create -d local vol
	[[ $(docker volume inspect -f '{{.Driver}} {{json .Options}}' vol) == "local {}" ||
		$(docker volume inspect -f '{{.Driver}} {{json .Options}}' vol) == "local null" ]]
}
socket_of() {
	if [[ $D == hostvol ]]; then
		echo "/run/docker/plugins/$(docker plugin inspect -f '{{.ID}}' hostvol)/hostvol.sock"
	else
		echo "$ENGINE/plain/socket"
	fi
}
@test "a volume that is removed behind the Engine's back is gone for it, with its options" { both behind_its_back; }

mount_fails() {
	mkdir "$TMP/x"
	docker volume create -d $D -o path="$TMP/x" its-name
	rmdir "$TMP/x"
	fails_with 125 "'its-name'" "$TMP/x" -- run_in -v its-name:/d "$IMAGE" true
	fails_with 125 "'its-name'" "$TMP/x" -- run_in -v its-name:/content -w /content $IMAGE_CONTENT true
	called Mount 2
	called Unmount 0
	mkdir "$TMP/x"
	run_in -v its-name:/d "$IMAGE" true
}
@test "a Mount that fails is told, and is followed by no Unmount" { both mount_fails; }

start_fails() {
	docker volume create -d $D vol
	run -127 run_in -v vol:/d "$IMAGE" /no/such/program
	called Mount 1
	called Unmount 1
	docker volume rm vol
}
@test "a container that does not start lets go of the volume" { both start_fails; }

cp_running() {
	docker volume create -d $D vol
	background web -v vol:/d
	docker exec web sh -c 'echo one >/d/f'
	docker cp web:/d/f "$TMP/f"
	[[ $(cat "$TMP/f") == one ]]
	called Mount 2
	called Unmount 1
	[[ $(docker exec web cat /d/f) == one ]]
	echo two >"$TMP/g"
	docker cp "$TMP/g" web:/d/g
	[[ $(docker exec web cat /d/g) == two ]]
	fails_with 1 "in use" -- docker volume rm vol
	docker kill web
	within 5 balanced
	docker rm web
	docker volume rm vol
}
@test "docker cp on a running container repeats its ID, and takes nothing away" { both cp_running; }

cp_stopped() {
	docker volume create -d $D vol
	docker create --name web -v vol:/d "$IMAGE"
	echo one >"$TMP/f"
	docker cp "$TMP/f" web:/d/f
	docker cp web:/d/f "$TMP/g"
	[[ $(cat "$TMP/g") == one ]]
	docker rm web
	docker volume rm vol
}
@test "docker cp on a stopped container" { both cp_stopped; }

copied_up() {
	run_in -v vol:/content --volume-driver $D $IMAGE_CONTENT sh -c 'cat /content/file; echo mine >/content/file'
	[[ $(run_in -v vol:/content $IMAGE_CONTENT cat /content/file) == mine ]]
	run -0 run_in -v other:/content:nocopy --volume-driver $D $IMAGE_CONTENT ls /content
	[[ -z $output ]]
	called Mount 5
	called Unmount 5
}
@test "the image's content is copied once, and not with nocopy" { both copied_up; }

two_places() {
	docker volume create -d $D vol
	run -0 run_in -v vol:/a -v vol:/b "$IMAGE" sh -c 'touch /a/f; ls /b'
	[[ $output == f ]]
	called Mount 2
	called Unmount 2
}
@test "one volume at two places" { both two_places; }

subpath() {
	docker volume create -d $D vol
	run_in -v vol:/d "$IMAGE" sh -c 'mkdir -p /d/dir/deep; echo one >/d/dir/f; ln -s dir /d/in; ln -s /etc /d/out'
	at() { run_in --mount "type=volume,src=vol,dst=/s,volume-subpath=$1" "$IMAGE" "${@:2}"; }
	if [[ $(docker version -f '{{.Server.APIVersion}}') < 1.45 ]]; then
		NOT_HERE="the Engine has it since API 1.45"
		return
	fi
	[[ $(at dir cat /s/f) == one && $(at in cat /s/f) == one && $(at dir/f cat /s) == one ]]
	at dir/deep touch /s/new
	fails_with 125 "relative path within" -- at ../.. true
	run -127 at none true
	[[ $output == *none* ]]
	run ! at out true
	[[ $output == *out* ]]
	[[ $(run_in -v vol:/d "$IMAGE" ls /d/dir/deep) == new ]]
	within 5 balanced
	docker volume rm vol
}
@test "volume-subpath, which the Engine resolves itself" { both subpath; }

new_id_at_restart() {
	docker volume create -d $D vol
	background web -v vol:/d
	docker exec web touch /d/f
	docker restart -t 0 web
	docker exec web ls /d/f
	called Mount 2
	called Unmount 1
	[[ $D == hostvol || $(mount_ids) == 2 ]] # a plugin's log has none
}
@test "restart: a new ID, the same data" { both new_id_at_restart; }

# --- lists and filters --------------------------------------------------------------------------

filters() {
	docker volume create -d $D --label color=red used
	docker volume create -d $D created
	docker volume create -d $D free
	docker volume create -d local other
	background web -v used:/d
	docker create --name idle -v created:/d "$IMAGE"
	for dangling in true 1; do
		[[ $(docker volume ls -q -f dangling=$dangling | xargs) == "free other" ]]
	done
	for dangling in false 0; do
		[[ $(docker volume ls -q -f dangling=$dangling | xargs) == "created used" ]]
	done
	[[ $(docker volume ls -q -f driver="$(driver)" | xargs) == "created free used" ]]
	[[ $(docker volume ls -q -f label=color=red) == used && $(docker volume ls -q -f name=fre) == free ]]
	run -0 docker volume inspect -f '{{.Name}} {{json .Labels}}' used free
	[[ ${lines[0]} == 'used {"color":"red"}' && ${lines[1]} == free* ]]
}
@test "ls by dangling, driver, name and label; inspect of several" { both filters; }

in_use() {
	docker volume create -d $D vol
	docker create --name web -v vol:/d "$IMAGE"
	for _ in 1 2; do
		fails_with 1 "in use" -- docker volume rm vol
		fails_with 1 "in use" -- docker volume rm -f vol
		[[ $(docker volume ls -q) == vol ]]
	done
	called Remove 0
	docker rm web
	docker volume rm vol
	docker volume rm -f vol
	fails_with 1 "no such volume" -- docker volume rm vol
}
@test "rm of a volume in use, by force too; rm of one that is not there" { both in_use; }

from_twice() {
	docker volume create -d $D vol
	docker create --name one -v vol:/d "$IMAGE"
	docker create --name two -v vol:/d "$IMAGE"
	docker create --name three --volumes-from one --volumes-from two "$IMAGE"
	[[ $(docker inspect -f '{{len .Mounts}} {{range .Mounts}}{{.Name}}{{end}}' three) == "1 vol" ]]
}
@test "--volumes-from two that have the same volume: one mount" { both from_twice; }

# Docker asks each driver for a name that it does not know.
unknown_name() {
	run_in -v nobody:/d "$IMAGE" true
	[[ $(docker volume inspect -f '{{.Driver}}' nobody) == local ]]
	called Create 0
	fails_with 1 "no such volume" -- docker volume inspect nothing
	[[ $(docker volume ls -q) == nobody ]]
}
@test "a name that the driver does not know is not taken by it" { both unknown_name; }

said_again() {
	docker volume create -d $D -o uid=7 vol
	docker volume create -d $D -o uid=9 vol
	[[ $(docker volume inspect -f '{{json .Options}} {{json .Status.options}}' vol) == '{"uid":"7"} {"uid":"7"}' ]]
	in_engine curl -s --unix-socket "$(socket_of)" -d '{"Name":"known","Opts":{"uid":"7"}}' http://h/VolumeDriver.Create
	docker volume create -d $D -o uid=9 known # Docker shows what it was told, Status what is true
	[[ $(docker volume inspect -f '{{json .Status.options}}' known) == '{"uid":"7"}' ]]
}
@test "created again with other options: Status shows those that are true" { both said_again; }

odd_values() {
	local dir="$TMP/a\"‹&é\\'b c"
	mkdir "$dir"
	docker volume create -d $D -o path="$dir" vol
	[[ $(docker volume inspect -f '{{.Status.source}}' vol) == "$dir" ]]
	run_in -v vol:/d "$IMAGE" touch /d/f
	[[ -e $dir/f ]]
	[[ $(docker volume ls -q) == vol ]]
	fails_with 1 "unknown option" -- docker volume create -d $D -o $'a\nb=c' other
}
@test "option values that JSON and shells have trouble with" { both odd_values; }

secrets() {
	docker volume create -d $D -o type=cifs -o device=//127.0.0.1/x -o o=username=u,password=SeCrEt vol
	run -125 run_in -v vol:/d "$IMAGE" true
	[[ $output != *SeCrEt* ]]
	run -0 docker volume inspect -f '{{json .Status}}' vol
	[[ $output != *SeCrEt* && $output == *username=u* ]]
	run ! grep SeCrEt "$ENGINE/log" "$ENGINE/plain/log"
}
@test "a password in o is in no message, no log and no Status" { both secrets; }

prune() {
	docker volume create -d $D vol
	docker volume prune -af || docker volume prune -f # without -a newer Engines leave what has a name
	docker system prune -f --volumes
	[[ $(docker volume ls -q) == vol ]]
	called Remove 0
}
@test "prune leaves the volumes of drivers alone" { both prune; }

labels_kept() {
	in_engine curl -s --unix-socket "$(socket_of)" -d '{"Name":"known"}' http://h/VolumeDriver.Create
	docker volume create -d $D --label a=b known
	[[ $(docker volume inspect -f '{{json .Labels}}' known) == '{"a":"b"}' ]]
	called Create "$([[ $D == hostvol ]] && echo 1 || echo 0)" # by us, past the recorder
}
@test "a volume that the driver has already takes the labels" { both labels_kept; }

create_fails() {
	fails_with 1 "VolumeDriver.Create" "unknown option 'foo'" -- docker volume create -d $D -o foo=bar vol
	[[ -z $(docker volume ls -q) ]]
	fails_with 125 "unknown option 'foo'" -- run_in --mount \
		type=volume,src=vol,dst=/d,volume-driver=$D,volume-opt=foo=bar "$IMAGE" true
}
@test "what the driver refuses is shown in its words" { both create_fails; }

odd_names() {
	for name in a/b ../../etc/x 'x y' $'new\nline' -- .hidden "$(printf '%0300d' 1)"; do
		run docker volume create -d $D -- "$name"
		[[ $status -ne 0 && $output =~ "is not a volume name"|"at most 255" ]] ||
			{ echo "'$name': $output" && return 1; }
	done
	[[ -z $(docker volume ls -q) ]]
}
@test "names that cannot be are refused" { both odd_names; }

# --- at once ------------------------------------------------------------------------------------

twenty() {
	docker volume create -d $D vol
	for i in $(seq 20); do
		run_in -v vol:/d "$IMAGE" touch "/d/$i" 3>&- &
		clients+=($!)
	done
	all_end_well "${clients[@]}"
	clients=()
	[[ $(run_in -v vol:/d "$IMAGE" ls /d | wc -l) == 20 ]]
	within 5 balanced
	docker volume rm vol
}
@test "twenty containers come and go on one volume at once" { both twenty; }

creates_at_once() {
	for i in $(seq 30); do
		docker volume create -d $D "v$((i % 10))x" 3>&- &
		clients+=($!)
	done
	all_end_well "${clients[@]}"
	clients=()
	[[ $(docker volume ls -q | wc -l) == 10 ]]
	docker volume ls -q | xargs -P 5 -n 1 docker volume rm
	[[ -z $(docker volume ls -q) ]]
}
@test "creates of the same names at once" { both creates_at_once; }

# --- the daemon comes and goes ------------------------------------------------------------------

kill_daemon() {
	local pid
	pid=$(daemon_of)
	kill -KILL "$pid"
	while live "$pid"; do sleep 0.01; done
	[[ $D == hostvol ]] || plain_start
}

# A zombie is none.
live() {
	[[ -d /proc/$1 && $(cut -d ' ' -f 3 "/proc/$1/stat" 2>/dev/null) != Z ]]
}

killed_while_mounted() {
	docker volume create -d $D vol
	background web -v vol:/d
	docker exec web sh -c 'echo one >/d/f'
	kill_daemon
	[[ $(run_in -v vol:/d "$IMAGE" cat /d/f) == one ]]
	[[ $(docker exec web cat /d/f) == one ]] # not hidden by a second mount
	docker exec web sh -c 'echo two >>/d/f'
	[[ $(cat "$(source_of vol)/f") == $'one\ntwo' ]]
	docker rm -f web
	docker volume rm vol
}
@test "SIGKILL while it is mounted: a second container hides nothing from the first" { both killed_while_mounted; }

killed_while_asked() {
	for i in $(seq 10); do
		docker volume create -d $D "v$i" >/dev/null
		touch "$(source_of "v$i")/mine"
	done
	kill_daemon
	[[ $(docker volume ls -q -f driver="$(driver)" | wc -l) == 10 ]]
	for i in $(seq 10); do
		run_in -v "v$i:/d" "$IMAGE" true 3>&- &
		clients+=($!)
		[[ $i != 5 ]] || kill_daemon
	done
	cut=0
	for client in "${clients[@]}"; do wait "$client" || cut=$((cut + 1)); done # and says so
	clients=()
	[[ $cut -le 5 ]]
	[[ $(docker volume ls -q -f driver="$(driver)" | wc -l) == 10 ]] # Docker makes a lost one again, as local
	for i in $(seq 10); do run_in -v "v$i:/d" "$IMAGE" ls /d/mine; done
	docker volume ls -q | xargs -n 1 docker volume rm
}
@test "SIGKILL among requests: Docker asks again, and no volume is lost" { both killed_while_asked; }

lost_unmount() {
	docker volume create -d $D vol
	background web -v vol:/d
	fault Unmount error
	docker stop -t 0 web
	called Unmount 1
	[[ -e $ENGINE/plain/mounts/vol ]]
	docker start web
	docker rm -f web
	docker volume rm vol
	[[ ! -e $ENGINE/plain/mounts/vol ]]
}
@test "an Unmount that got lost keeps nothing" { only_plain "$FAULT" lost_unmount; }

# What a plugin that is away loses: the Unmount of a stop.
stopped_while_away() {
	docker volume create -d $D --label a=b vol
	background web -v vol:/d
	docker exec web touch /d/f
	docker plugin disable -f hostvol
	docker stop -t 0 web
	fails_with 1 "disabled" -- docker start web
	enable_plugin
	docker start web
	docker exec web ls /d/f
	[[ $(docker volume inspect -f '{{json .Labels}}' vol) == '{"a":"b"}' ]]
	docker rm -f web
	docker volume rm vol
}
@test "a container that is stopped while the plugin is disabled, and started when it is back" {
	only_managed "$PLUGIN" stopped_while_away
}

unmounted_by_hand() {
	docker volume create -d $D vol
	background web -v vol:/d
	run -0 in_engine awk '$5 ~ "/(propagated-mount|plain/mounts)/vol$" { print $5 }' /proc/self/mountinfo
	[[ ${#lines[@]} -gt 0 ]]
	for mountpoint in "${lines[@]}"; do in_engine umount -l "$mountpoint" || true; done # one takes the other along
	nothing_mounted
	docker exec web touch /d/f
	[[ $(run_in -v vol:/d "$IMAGE" ls /d) == f ]]
	docker stop -t 0 web
	docker start web
	docker exec web ls /d/f
	docker rm -f web
	docker volume rm vol
}
@test "what an administrator unmounted is mounted again, and unmounting it is no error" { both unmounted_by_hand; }

frozen() {
	docker volume create -d $D vol
	daemon=$(daemon_of)
	kill -STOP "$daemon"
	docker volume create -d $D late 3>&- &
	client=$!
	sleep 0.5
	timeout 10 docker volume create -d local other
	live $client # and waits
	kill -CONT "$daemon"
	wait $client
	[[ $(docker volume ls -q | xargs) == "late other vol" ]]
}
@test "a daemon that does not answer holds no other driver up, and answers later" { both frozen; }

# To a dockerd that has not met the driver yet.
late_socket() {
	kill "$(cat "$ENGINE/plain/recorder")" "$(cat "$ENGINE/plain/pid")"
	in_engine rm -f /run/docker/plugins/hvplain.sock
	engine_stop TERM
	engine_start
	run_in -v vol:/d --volume-driver $D "$IMAGE" touch /d/f 3>&- &
	client=$!
	sleep 2
	live $client
	plain_start
	recorder_start
	wait $client
	[[ -e $(source_of vol)/f ]]
	docker volume rm vol
	for call in Create Mount Unmount Remove; do called $call 1; done
}
@test "a socket that comes two seconds late is waited for" {
	only_plain "a plugin that does not listen cannot be enabled" late_socket
}

# The socket is there, and nobody behind it.
dead_socket() {
	docker volume create -d $D vol
	kill -STOP "$(cat "$ENGINE/plain/recorder")"
	docker volume create -d $D late 3>&- &
	client=$!
	sleep 0.3
	timeout 10 docker volume create -d local other
	live $client
	kill -CONT "$(cat "$ENGINE/plain/recorder")"
	wait $client
	[[ $(docker volume ls -q | xargs) == "late other vol" ]]
}
@test "a driver whose socket answers nobody holds no other driver up" { only_plain "$FAULT" dead_socket; }

# Requests under way when the daemon is told to end: each is answered, or made by Docker again.
graceful() {
	for i in $(seq 12); do
		run_in -v "v$i:/d" --volume-driver $D "$IMAGE" touch /d/f 3>&- &
		clients+=($!)
	done
	within 20 some_are_done
	if [[ $D == hostvol ]]; then
		docker plugin disable -f hostvol
		enable_plugin
	else
		daemon=$(daemon_of)
		kill -TERM "$daemon"
		while live "$daemon"; do sleep 0.02; done
		plain_start
	fi
	done=()
	for i in $(seq 12); do # while it is disabled Docker refuses
		if wait "${clients[i - 1]}"; then done+=("v$i"); fi
	done
	clients=()
	[[ ${#done[@]} -gt 0 ]]
	for volume in "${done[@]}"; do
		[[ $(docker volume inspect -f '{{.Driver}}' "$volume") == "$(driver)" ]]
		[[ -e $(source_of "$volume")/f ]]
	done
	for volume in $(docker volume ls -q); do
		run_in -v "$volume:/d" "$IMAGE" touch /d/g
		docker volume rm "$volume"
	done
}
some_are_done() {
	local state=$ENGINE/state
	[[ $D == hostvol ]] || state=$ENGINE/plain/state
	[[ $(find "$state/volumes" -name f | wc -l) -ge 2 ]]
}
@test "SIGTERM among requests of Docker: no volume is half there" { both graceful; }

# --- faults on the way --------------------------------------------------------------------------

dropped() {
	for call in Create Get Mount Unmount Remove; do
		docker volume rm -f vol >/dev/null
		[[ $call == Create ]] || docker volume create -d $D --label a=b vol
		mark
		fault $call drop
		case $call in # a request that is sent again has lost its body: it must not be acted on
		Create) fails_with 1 "empty" -- docker volume create -d $D vol ;;
		Get)
			fails_with 1 "" -- docker volume inspect vol
			[[ $(docker volume inspect -f '{{json .Labels}}' vol) == '{"a":"b"}' ]] # which a "no" would cost
			;;
		Mount) fails_with 125 "empty" -- run_in -v vol:/d "$IMAGE" true ;;
		Unmount) run_in -v vol:/d "$IMAGE" true ;;
		Remove) fails_with 1 "empty" -- docker volume rm vol ;;
		esac
		had_fault
		tail -n "+$((MARK + 1))" "$ENGINE/plain/calls" | grep -q "^$call - - 0\$"
		docker volume create -d $D vol
		run_in -v vol:/d "$IMAGE" true
		docker volume rm vol
	done
}
@test "a connection that is dropped before the answer: what is sent again, empty, does no harm" {
	only_plain "$FAULT" dropped
}

answer_cut() {
	fault Create cut
	fails_with 1 "empty" -- docker volume create -d $D vol # it was made; what is sent again is empty
	had_fault
	docker volume create -d $D vol
	run_in -v vol:/d "$IMAGE" touch /d/f
	fault Mount cut
	fails_with 125 "empty" -- run_in -v vol:/d "$IMAGE" true
	had_fault
	run_in -v vol:/d "$IMAGE" ls /d/f
	fault Unmount cut
	run_in -v vol:/d "$IMAGE" true
	had_fault
	fault Remove cut
	fails_with 1 "empty" -- docker volume rm vol
	had_fault
	docker volume create -d $D vol
	[[ -z $(run_in -v vol:/d "$IMAGE" ls /d) ]] # another one
	docker volume rm vol
	[[ -z $(docker volume ls -q) && ! -e $ENGINE/plain/mounts/vol ]]
}
@test "an answer that is cut: the call can be made again" { only_plain "$FAULT" answer_cut; }

abandoned() {
	docker volume create -d $D -o type=tmpfs -o device=tmpfs vol
	fault Mount leave
	fails_with 125 "empty" -- run_in -v vol:/d "$IMAGE" true
	had_fault
	called Unmount 0
	within 5 nothing_mounted
	within 5 grep "nobody waits for the mount of volume 'vol'" "$ENGINE/plain/log"
	run ! in_engine grep "$ENGINE/plain/state" /proc/self/mountinfo # the file system neither
	run_in -v vol:/d "$IMAGE" touch /d/f
}
@test "a Mount whose answer nobody takes any more is taken back" { only_plain "$FAULT" abandoned; }

list_fails() {
	docker volume create -d $D vol
	docker volume create -d local other
	fault List error
	run -0 docker volume ls -q
	had_fault
	[[ $(xargs <<<"$output") == "other vol" ]] # it is remembered
	fault List error
	[[ $(curl -s --unix-socket "$ENGINE/docker.sock" http://h/volumes) == *Warnings*"the recorder says no"* ]]
	fault Capabilities error
	[[ $(docker volume inspect -f '{{.Scope}}' vol) == local ]]
	rm -f "$ENGINE/plain/fault" # it may not be asked again
	fault Remove error
	fails_with 1 "the recorder says no" -- docker volume rm vol
	fault Mount error
	fails_with 125 "the recorder says no" -- run_in -v vol:/d "$IMAGE" true
	run_in -v vol:/d "$IMAGE" true
	fault Get null
	fails_with 1 "no such volume" -- docker volume inspect vol
	docker volume inspect vol
}
@test "what another's error would do: it ends with the request" { only_plain "$FAULT" list_fails; }

# slow_volume: one whose directory is in a file system of which no server answers, so that a Mount takes its
# ten seconds.
slow_volume() {
	make_villain "$TMP/villain"
	mkdir -p "$TMP/fuse/dir"
	docker volume create -d $D -o path="$TMP/fuse/dir" slow
	"$TMP/villain" silent "$TMP/fuse" "$(cat "$ENGINE/holder")" 3>&- &
	VILLAIN=$!
	within 5 in_engine grep -q "$TMP/fuse" /proc/self/mountinfo
}

slow_volume_end() {
	kill $VILLAIN
	wait $VILLAIN || true
	in_engine umount -l "$TMP/fuse"
}

slow_mount() {
	docker volume create -d $D other
	slow_volume
	mark
	run_in -v slow:/d "$IMAGE" true 3>&- &
	client=$!
	sleep 1
	timeout 5 docker volume ls -q
	timeout 5 docker volume inspect slow
	timeout 8 docker run --rm --network none -v other:/d "$IMAGE" true
	live $client # it waits still
	ended=0
	wait $client || ended=$?
	[[ $ended == 125 ]]
	slow_volume_end
	run_in -v slow:/d "$IMAGE" touch /d/f
	[[ -e $TMP/fuse/dir/f ]]
}
@test "a slow Mount holds up neither ls nor inspect nor another volume" { both slow_mount; }

slow_create() {
	make_villain "$TMP/villain"
	mkdir "$TMP/x"
	background web
	docker exec web mkdir /fuse
	"$TMP/villain" silent /fuse "$(docker inspect -f '{{.State.Pid}}' web)" 3>&- &
	VILLAIN=$!
	within 5 docker exec web grep -q ' /fuse ' /proc/self/mountinfo
	docker volume create -d $D -o path="$TMP/x" -o attach=web:/fuse/x hot >"$TMP/said" 2>&1 3>&- &
	client=$!
	sleep 1
	[[ -z $(timeout 5 docker volume ls -q) ]]
	live $client # it waits still
	ended=0
	wait $client || ended=$?
	cat "$TMP/said"
	[[ $ended == 1 && $(cat "$TMP/said") == *"(volume 'hot')"*"/fuse/x in container 'web' does not answer"* ]]
	[[ -z $(docker volume ls -q) ]]
	kill $VILLAIN
	wait $VILLAIN || true
}
@test "a slow Create, with attach, does not hold up ls" { both slow_create; }

# --- the plugin as a plugin ---------------------------------------------------------------------

# Docker has each content once.
other_plugin() {
	cp -a "$ENGINE/plugin" "$TMP/other"
	echo "$BATS_TEST_NUMBER" >"$TMP/other/rootfs/etc/other"
	docker plugin create other "$TMP/other"
}

plugin_filters() {
	[[ $(docker plugin ls -f enabled=true --format '{{.Name}}') == hostvol:latest ]]
	other_plugin
	[[ $(docker plugin ls -f enabled=false --format '{{.Name}}') == other:latest ]]
	docker plugin rm other
	[[ -z $(docker plugin ls -f enabled=false -q) && -z $(docker plugin ls -f capability=authz -q) ]]
	[[ $(docker plugin ls -f capability=volumedriver --format '{{.Name}}') == hostvol:latest ]]
	id=$(docker plugin inspect -f '{{.ID}}' hostvol)
	for name in hostvol:latest "$id" "${id:0:12}"; do
		[[ $(docker plugin inspect -f '{{.Name}}' "$name") == hostvol:latest ]]
		[[ $(docker inspect --type plugin -f '{{.Name}}' "$name") == hostvol:latest ]]
	done
}
@test "plugin ls by its filters; inspect by name and ID" { only_managed "$PLUGIN" plugin_filters; }

plugin_in_use() {
	docker volume create -d $D vol
	fails_with 1 "in use" -- docker plugin disable hostvol
	fails_with 1 "in use" -- docker plugin rm hostvol
	fails_with 1 "already enabled" -- docker plugin enable hostvol
	docker volume rm vol
	fails_with 1 "is enabled" -- docker plugin rm hostvol
	fails_with 1 "unknown option" -- docker volume create -d $D -o foo=bar vol # and lets go of it
	local lines=$(wc -l <"$ENGINE/log")
	docker plugin disable "$(docker plugin inspect -f '{{.ID}}' hostvol | cut -c 1-12)"
	within 5 ends_by_itself "$lines"
	fails_with 1 "already disabled" -- docker plugin disable hostvol
	docker volume create -d local other # and volume ls work with it
	[[ $(docker volume ls -q) == other ]]
	docker plugin set hostvol HOSTVOL_LOG=debug
	[[ $(docker plugin inspect -f '{{.Settings.Env}}' hostvol) == *HOSTVOL_LOG=debug* ]]
	fails_with 1 "no-such-thing" -- docker plugin set hostvol no-such-thing=1
	enable_plugin
	fails_with 1 "cannot set on an active plugin" -- docker plugin set hostvol HOSTVOL_LOG=info
	fails_with 1 "already exists" -- docker plugin create hostvol "$ENGINE/plugin"
}
# ends_by_itself LINES: it said so in the log behind these lines; one that Docker has to kill does not.
ends_by_itself() {
	tail -n "+$(($1 + 1))" "$ENGINE/log" | grep "hostvold ends"
}
@test "plugin disable, enable, set, create and rm, when they can be" { only_managed "$PLUGIN" plugin_in_use; }

plugin_again() {
	docker volume create -d $D vol
	run_in -v vol:/d "$IMAGE" sh -c 'echo one >/d/f'
	docker plugin disable -f hostvol
	fails_with 1 "in use" -- docker plugin rm hostvol
	docker plugin rm -f hostvol
	run -0 docker volume ls -q
	managed_again
	[[ $(docker volume ls -q) == vol && $(run_in -v vol:/d "$IMAGE" cat /d/f) == one ]]
	id=$(docker plugin inspect -f '{{.ID}}' hostvol)
	docker plugin rm -f hostvol
	[[ ! -e $ENGINE/data/plugins/$id ]]
	managed_again
	[[ $(run_in -v vol:/d "$IMAGE" cat /d/f) == one ]]
	docker plugin disable -f hostvol
	enable_plugin
}
managed_again() {
	docker plugin create hostvol "$ENGINE/plugin"
	docker plugin set hostvol "HOSTVOL_STATE=$ENGINE/state" "HOSTVOL_ENGINE=$ENGINE/docker.sock" \
		HOSTVOL_LOG=debug
	enable_plugin
}
@test "plugin rm, by force too, and the plugin again: the volumes are there" { only_managed "$PLUGIN" plugin_again; }

plugin_events() {
	since=$(date +%s)
	docker plugin disable hostvol
	enable_plugin
	other_plugin
	docker plugin rm other
	run -0 docker events --since "$since" --until "$(($(date +%s) + 1))" -f type=plugin --format '{{.Action}}'
	[[ $output == *disable*enable*create*remove* ]]
}
@test "plugin events" { only_managed "$PLUGIN" plugin_events; }

# Docker waits for a Mount no longer than enable's --timeout, and never sends an Unmount for it.
given_up() {
	docker volume create -d $D --label a=b vol
	docker plugin disable -f hostvol
	docker plugin enable --timeout 3 hostvol
	slow_volume
	fails_with 125 "" -- run_in -v slow:/d "$IMAGE" true
	fails_with 125 "" -- run_in -v vol:/d -v slow:/e "$IMAGE" true
	slow_volume_end
	[[ $(docker volume inspect -f '{{json .Labels}}' vol) == '{"a":"b"}' ]]
	within 20 run_in -v slow:/d "$IMAGE" touch /d/f
	within 20 nothing_mounted
	docker volume rm vol slow
	docker plugin disable hostvol
	enable_plugin
}
nothing_mounted() {
	! in_engine grep -qE ' [^ ]*(/propagated-mount|/plain/mounts)/[^ ]' /proc/self/mountinfo
}
@test "a Mount that Docker does not wait for leaves no mount and takes no label" {
	only_managed "a plain driver has two minutes" given_up
}

both_of_one_name() {
	local second=$TMP/second
	docker volume create -d $D vol
	nsenter -t "$(cat "$ENGINE/holder")" -m -n "$BATS_TEST_DIRNAME/../../build/release/driver/daemon/hostvold" --socket "$second" \
		--state "$ENGINE/state" --mount-root "$TMP/mounts" --engine "$ENGINE/docker.sock" >"$TMP/log" 2>&1 3>&- &
	client=$!
	within 10 says_another "$second"
	run -52 in_engine curl -s --unix-socket "$second" -d '{"Name":"vol"}' http://h/VolumeDriver.Get # no answer
	[[ $(run_in -v vol:/d "$IMAGE" sh -c 'touch /d/f; ls /d') == f ]]
	kill $client
	wait $client || true
}
says_another() {
	in_engine curl -s --unix-socket "$1" -d '{"Name":"other"}' http://h/VolumeDriver.Create |
		grep "another hostvol daemon uses this state directory"
}
@test "a second daemon on the plugin's state is refused, and the plugin goes on" {
	only_managed "it is about both" both_of_one_name
}

# --- the Engine restarts ------------------------------------------------------------------------

engine_restarted() {
	docker volume create -d $D --label a=b -o uid=7 vol
	run_in -v vol:/d "$IMAGE" sh -c 'echo one >/d/f'
	engine_stop "$1"
	engine_start
	run -0 docker volume inspect -f '{{.Driver}} {{json .Labels}} {{json .Options}}' vol
	[[ $output == "$(driver) "'{"a":"b"} {"uid":"7"}' ]]
	run_in -v vol:/d "$IMAGE" cat /d/f
	background web -v vol:/d
	[[ $(docker inspect -f '{{(index .Mounts 0).Driver}}' web) == "$(driver)" ]]
	fails_with 1 "no such volume" -- docker volume inspect nothing
	fails_with 1 "in use" -- docker volume rm vol
	docker rm -f web
	docker volume rm vol
}
@test "dockerd restarted: options, labels, data and driver of a volume" { both engine_restarted TERM; }
@test "dockerd killed: the same" { both engine_restarted KILL; }

# live SIGNAL: with live-restore container and plugin outlive dockerd.
outlived() {
	engine_stop TERM
	engine_start --live-restore
	docker volume create -d $D vol
	for policy in no always on-failure unless-stopped; do
		background "web-$policy" --restart $policy -v vol:/d
	done
	docker exec web-no sh -c 'echo one >/d/f'
	daemon=$(daemon_of)
	engine_stop "$1"
	live "$daemon"
	engine_start --live-restore
	[[ $(daemon_of) == "$daemon" ]]
	fails_with 1 "in use" -- docker volume rm vol
	[[ $D != hostvol ]] || fails_with 1 "in use" -- docker plugin disable hostvol
	docker cp web-no:/d/f "$TMP/f"
	for policy in no always on-failure unless-stopped; do
		[[ $(docker exec web-$policy cat /d/f) == one ]]
	done
	[[ $(run_in -v vol:/d "$IMAGE" cat /d/f) == one ]]
	for policy in no always on-failure unless-stopped; do docker rm -f "web-$policy"; done
	docker volume rm vol
	if [[ $D == hostvol ]]; then # which is not in use any more
		docker plugin disable hostvol
		enable_plugin
	fi
	engine_stop TERM
	engine_start
}
@test "live-restore: the volume stays where it is, and in use, when dockerd is killed" { both outlived KILL; }

# dockerd killed with a container alive: the next start has the ID of the last one, and one Unmount follows.
killed_under_a_container() {
	docker volume create -d $D vol
	background web -v vol:/d
	docker exec web touch /d/f
	engine_stop KILL
	engine_start
	docker start web
	docker exec web ls /d/f
	called Mount 2
	[[ $(mount_ids) == 1 ]]
	docker rm -f web
	docker volume rm vol
}
@test "dockerd killed with a container on the volume: it starts again, and lets go" {
	only_plain "restart.bats has it with the plugin" killed_under_a_container
}

stays_disabled() {
	docker plugin disable hostvol
	engine_stop TERM
	engine_start
	[[ $(docker plugin inspect -f '{{.Enabled}}' hostvol) == false ]]
	enable_plugin
	daemon=$(daemon_of)
	engine_stop KILL
	[[ -d /proc/$daemon ]]
	engine_start
	[[ $(docker plugin inspect -f '{{.Enabled}}' hostvol) == true ]]
	docker volume create -d $D vol
	daemon=$(daemon_of)
	docker volume rm vol
	engine_stop TERM
	[[ ! -d /proc/$daemon ]]
	engine_start
	docker volume create -d $D vol
}
@test "a plugin stays enabled, or disabled, over dockerd's restart" { only_managed "$PLUGIN" stays_disabled; }

# Last, because a removal by force makes Docker count the plugin's volumes wrong: it may be disabled then.
refused_rm() {
	docker volume create -d $D vol
	docker volume create -d $D -o from=vol alias
	for _ in 1 2; do
		fails_with 1 "'alias' is another name" -- docker volume rm vol
		fails_with 1 "'alias' is another name" -- docker volume rm -f vol
		[[ $(docker volume ls -q | xargs) == "alias vol" ]]
	done
	docker volume rm alias
	docker volume rm vol
}
@test "rm that the driver refuses, by force too" { both refused_rm; }
