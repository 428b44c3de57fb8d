# SPDX-License-Identifier: Apache-2.0
load helpers
load engine

# Many volumes, and many who use them at once.

setup() {
	TMP=$(mktemp -d -p /srv hvt.XXXXXX)
	engine_setup
	engine_plugin
	socket=/run/docker/plugins/$(docker plugin inspect -f '{{.ID}}' hostvol)/hostvol.sock
}

teardown() {
	engine_teardown
	rm -rf "$TMP"
}

# many CALL COUNT: for a volume of each number.
many() {
	in_engine python3 - "$socket" "$@" "$TMP" <<-'END'
		import http.client, json, socket, sys
		path, call, count, directory = sys.argv[1:]
		connection = http.client.HTTPConnection("hostvol")
		connection.sock = socket.socket(socket.AF_UNIX)
		connection.sock.connect(path)
		for number in range(int(count)):
		    body = {"Name": f"hvt_{number:05}", "Opts": {"path": directory}}
		    connection.request("POST", "/VolumeDriver." + call, json.dumps(body))
		    answer = json.loads(connection.getresponse().read())
		    if answer["Err"]:
		        sys.exit(f"{call} {number}: {answer}")
	END
}

@test "docker volume ls with 10 000 volumes, and what is done to one of them" {
	many Create 10000
	[[ $(docker volume ls -q | wc -l) == 10000 ]]
	[[ $(docker volume ls -q -f name=hvt_09999) == hvt_09999 ]]
	[[ $(docker volume inspect -f '{{.Status.source}}' hvt_05000) == "$TMP" ]]
	docker run --rm --network none -v hvt_05000:/d "$IMAGE" touch /d/f
	docker volume create -d hostvol hvt_more
	docker volume rm hvt_more hvt_00000
	[[ $(docker volume ls -q | wc -l) == 9999 ]]
	kill -KILL "$(daemon_pid)"
	[[ $(docker volume ls -q | wc -l) == 9999 ]]
	engine_stop TERM
	engine_start
	[[ $(docker volume ls -q | wc -l) == 9999 ]]
}

@test "eight clients that create, mount and remove at once: no error, and no record lost" {
	seconds=4
	[[ ${HOSTVOL_ROUNDS:-0} -lt 1000 ]] || seconds=60
	in_engine python3 "$BATS_TEST_DIRNAME/load.py" "$socket" 8 $seconds hvt_ >"$TMP/left"
	kill -KILL "$(daemon_pid)"
	within 10 docker volume inspect "$(head -1 "$TMP/left")"
	diff <(sort "$TMP/left") <(docker volume ls -q | grep -v shared | sort)
	run -1 grep " $ENGINE/.*/propagated-mount/" "/proc/$(cat "$ENGINE/holder")/mountinfo"
}

# Each turn: create, Mount and Unmount (Docker copies the image's content), remove; some are left.
client() {
	local turn=0 name end=$((SECONDS + $2))
	while [[ $SECONDS -lt $end ]]; do
		name=hvt_c$1_$turn
		docker volume create -d hostvol "$name"
		docker create --name "$name" -v "$name:/content" hvt_content
		docker rm "$name"
		[[ $(ls "$ENGINE/state/volumes/$name/_data") == f ]] || return 1
		if [[ $((turn % 5)) == 0 ]]; then
			echo "$name" >>"$TMP/left.$1"
		else
			docker volume rm "$name"
		fi
		turn=$((turn + 1))
	done
}

@test "eight clients of Docker that do the same by the docker command" {
	seconds=4
	[[ ${HOSTVOL_ROUNDS:-0} -lt 1000 ]] || seconds=60
	docker run --name hvt_make --network none "$IMAGE" sh -c 'mkdir /content; touch /content/f'
	docker commit hvt_make hvt_content
	docker rm hvt_make
	for i in $(seq 8); do
		client "$i" $seconds >/dev/null 3>&- &
		clients+=($!)
	done
	for client in "${clients[@]}"; do wait "$client"; done
	cat "$TMP"/left.* | sort >"$TMP/left"
	[[ $(wc -l <"$TMP/left") -ge 8 ]]
	diff "$TMP/left" <(docker volume ls -q | sort)
	engine_stop KILL
	engine_start
	diff "$TMP/left" <(docker volume ls -q | sort)
	run -1 grep " $ENGINE/.*/propagated-mount/" "/proc/$(cat "$ENGINE/holder")/mountinfo"
}
