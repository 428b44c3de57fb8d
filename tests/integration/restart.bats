# SPDX-License-Identifier: Apache-2.0
load helpers
load engine

# What happens to volumes and their data when the plugin and the Engine come and go.

setup() {
	common_tmp
	engine_setup
	engine_plugin
	docker volume create -d hostvol hvt_managed
	docker volume create -d hostvol -o path="$TMP" hvt_path
	docker run -d --network none --name hvt_web -v hvt_managed:/m -v hvt_path:/p "$IMAGE" sleep 100000
	docker exec hvt_web sh -c 'echo managed >/m/f; echo path >/p/f'
}

teardown() {
	engine_teardown
	rm -rf "$TMP"
}

common_tmp() {
	TMP=$(mktemp -d -p /srv hvt.XXXXXX)
}

data_on_host() {
	[[ $(cat "$ENGINE/state/volumes/hvt_managed/_data/f") == managed ]]
	[[ $(cat "$TMP/f") == path ]]
}

everything_is_back() {
	run -0 docker volume ls -q
	[[ $output == *hvt_managed* && $output == *hvt_path* ]]
	[[ $(docker volume inspect -f '{{.Status.source}}' hvt_path) == "$TMP" ]]
	[[ $(docker run --rm --network none -v hvt_managed:/m -v hvt_path:/p "$IMAGE" cat /m/f /p/f) == \
		$'managed\npath' ]]
	data_on_host
}

@test "disable and enable again: every volume is known, with its data" {
	docker rm -f hvt_web
	docker plugin disable -f hostvol
	data_on_host
	enable_plugin
	everything_is_back
	docker volume rm hvt_managed hvt_path
	[[ ! -e $ENGINE/state/volumes/hvt_managed && -e $TMP/f ]]
}

@test "disable -f under a running container: it keeps its data, and all is back after enable" {
	engine_hostvol attach hvt_path hvt_web:/hot
	docker plugin disable -f hostvol
	[[ $(docker exec hvt_web cat /m/f /p/f /hot/f) == $'managed\npath\npath' ]]
	docker exec hvt_web touch /m/while-disabled
	data_on_host
	enable_plugin
	[[ $(docker exec hvt_web cat /m/f /p/f /hot/f) == $'managed\npath\npath' ]]
	everything_is_back
	[[ $(docker exec hvt_web cat /m/f) == managed ]] # not hidden by the second container's mount
	run -0 engine_hostvol ls
	[[ $output == *attached* ]]
	engine_hostvol detach hvt_web:/hot
	docker rm -f hvt_web
	docker volume rm hvt_managed hvt_path
}

@test "rm -f under a running container loses no file, and re-created it knows every volume" {
	engine_hostvol attach hvt_path hvt_web:/hot
	docker plugin rm -f hostvol
	data_on_host
	[[ $(docker exec hvt_web cat /m/f /p/f /hot/f) == $'managed\npath\npath' ]]
	engine_plugin
	everything_is_back
	run -0 engine_hostvol ls
	[[ $output == *hvt_path*attached* ]]
}

@test "no data of the host can be reached through the plugin's directory when it is deleted" {
	engine_hostvol attach hvt_path hvt_web:/hot
	id=$(docker plugin inspect -f '{{.ID}}' hostvol)
	docker plugin disable -f hostvol
	run -0 in_engine cat /proc/self/mountinfo
	[[ $output != *"/plugins/$id/"* ]]
	run -0 in_engine find "$ENGINE/data/plugins/$id" -name f
	[[ -z $output ]]
}

@test "dockerd restarted: every volume is known, with its data" {
	engine_stop TERM
	engine_start
	docker start hvt_web
	[[ $(docker exec hvt_web cat /m/f /p/f) == $'managed\npath' ]]
	everything_is_back
}

@test "dockerd killed with SIGKILL: every volume is known, with its data" {
	engine_stop KILL
	engine_start
	docker start hvt_web
	[[ $(docker exec hvt_web cat /m/f /p/f) == $'managed\npath' ]]
	everything_is_back
	docker rm -f hvt_web
	docker volume rm hvt_managed hvt_path
	run ! in_engine grep -E '/propagated-mount/[^ ]' /proc/self/mountinfo
}

@test "hostvold killed with SIGKILL is back at once and knows everything" {
	engine_hostvol attach hvt_path hvt_web:/hot
	in_engine pkill -KILL -f "^/usr/bin/hostvold --managed" -P "$(shim_pid)"
	for _ in $(seq 100); do
		engine_hostvol ls >/dev/null 2>&1 && break
		sleep 0.1
	done
	run -0 engine_hostvol ls
	[[ $output == *attached* ]]
	[[ $(docker exec hvt_web cat /m/f /p/f /hot/f) == $'managed\npath\npath' ]]
	everything_is_back
	engine_hostvol detach hvt_web:/hot
}

# The shim that is the parent of this Engine's plugin.
shim_pid() {
	pgrep -f "containerd-shim.*$(docker plugin inspect -f '{{.ID}}' hostvol)"
}
