# SPDX-License-Identifier: Apache-2.0
load helpers
load engine

# The plugin as it is published: pushed to a registry, installed from it, set, upgraded.

setup() {
	TMP=$(mktemp -d -p /srv hvt.XXXXXX)
	engine_setup
	engine_registry
	engine_push one
}

teardown() {
	engine_teardown
	rm -rf "$TMP"
}

# What the user is asked, line by line, and nothing else.
PRIVILEGES=' - network: [host]
 - host pid namespace: [true]
 - allow-all-devices: [true]
 - capabilities: [CAP_SYS_ADMIN CAP_SYS_PTRACE]'

@test "install shows the privileges that are documented, and takes no for an answer" {
	run docker plugin install "$REGISTRY/hostvol:one" <<<n
	echo "$output"
	[[ $(grep '^ - ' <<<"$output") == "$PRIVILEGES" ]]
	[[ -z $(docker plugin ls -q) ]]
	while read -r _ privilege; do
		grep -qF "$privilege" "$BATS_TEST_DIRNAME/../../docs/security.md" || { echo "docs/security.md lacks: $privilege" && return 1; }
	done <<<"$PRIVILEGES"
}

install() {
	docker plugin install --grant-all-permissions --alias hostvol "$REGISTRY/hostvol:one" \
		"HOSTVOL_STATE=$ENGINE/state" "HOSTVOL_ENGINE=$ENGINE/docker.sock"
}

@test "install --disable, and what follows one by one" {
	docker plugin install --disable --grant-all-permissions --alias hostvol "$REGISTRY/hostvol:one" \
		"HOSTVOL_STATE=$ENGINE/state"
	[[ $(docker plugin ls --format '{{.Name}} {{.Enabled}}') == "hostvol:latest false" ]]
	[[ $(docker plugin inspect -f '{{.Settings.Env}}' hostvol) == *"HOSTVOL_STATE=$ENGINE/state"* ]]
	docker volume ls
	enable_plugin
	docker volume create -d hostvol hvt_data
	docker volume rm hvt_data
	docker plugin disable hostvol
	docker plugin rm hostvol
	run -0 docker events --since 10m --until "$(($(date +%s) + 1))" -f type=plugin --format '{{.Action}}'
	[[ $(xargs <<<"$output") == *"pull"*"enable"*"disable"*"remove"* ]]
}

@test "install with settings; set changes them; what makes no sense is told when it is enabled" {
	install
	docker volume create -d hostvol hvt_data
	[[ -d $ENGINE/state/volumes/hvt_data/_data ]]
	docker volume rm hvt_data
	docker plugin disable hostvol
	mkdir "$TMP/in" "$TMP/out"
	docker plugin set hostvol "HOSTVOL_ALLOW=$TMP/in"
	enable_plugin
	docker volume create -d hostvol -o path="$TMP/in" hvt_in
	fails_with 1 HOSTVOL_ALLOW -- docker volume create -d hostvol -o path="$TMP/out" hvt_out
	docker volume rm hvt_in
	docker plugin disable hostvol
	fails_with 1 NOSUCH -- docker plugin set hostvol NOSUCH=1
	docker plugin set hostvol HOSTVOL_LOG=loud
	fails_with 1 "" -- docker plugin enable hostvol
	within 5 grep -q "HOSTVOL_LOG=loud is not error, warn, info or debug" "$ENGINE/log"
	docker plugin set hostvol HOSTVOL_LOG=info
	within 20 enabled_again
}

# After a start that failed Docker 20.10 may take the plugin for enabled, or its container for there.
enabled_again() {
	docker plugin disable -f hostvol || true
	enable_plugin
}

@test "upgrade keeps 100 volumes and 20 live attachments" {
	install
	mkdir -p "$TMP/shared"
	for i in $(seq 50); do
		docker volume create -d hostvol "hvt_managed$i"
		docker volume create -d hostvol -o path="$TMP/path/$i" -o mkdir=true --label "n=$i" "hvt_path$i"
	done >/dev/null
	for c in $(seq 5); do
		docker run -d --network none --name "hvt_c$c" "$IMAGE" sleep 100000
		for t in $(seq 4); do
			engine_hostvol attach "hvt_path$((c * 4 + t))" "hvt_c$c:/mnt/$t"
			docker exec "hvt_c$c" sh -c "echo $c.$t >/mnt/$t/f"
		done
	done
	[[ $(docker volume ls -q | wc -l) == 100 ]]
	engine_push two
	engine_hostvol ls --format json | jq -S . >"$TMP/before"
	[[ $(published) == one ]]
	docker run -d --network none --name hvt_user -v hvt_managed1:/d -v hvt_path1:/e "$IMAGE" sleep 100000
	docker exec hvt_user touch /d/f /e/f
	fails_with 1 "disabled before upgrading" -- \
		docker plugin upgrade --grant-all-permissions --skip-remote-check hostvol "$REGISTRY/hostvol:two"
	docker plugin disable -f hostvol
	docker plugin upgrade --grant-all-permissions --skip-remote-check hostvol "$REGISTRY/hostvol:two"
	[[ $(docker exec hvt_c1 cat /mnt/1/f) == 1.1 ]] # while it is away
	docker exec hvt_user ls /d/f /e/f
	enable_plugin
	[[ $(published) == two ]]
	[[ $(docker volume ls -q | wc -l) == 100 ]]
	[[ $(docker volume inspect -f '{{json .Labels}} {{.Status.source}}' hvt_path7) == \
		'{"n":"7"} '"$TMP/path/7" ]]
	engine_hostvol ls --format json | jq -S . >"$TMP/after"
	diff "$TMP/before" "$TMP/after"
	[[ $(jq '[.[] | select(.State == "attached")] | length' "$TMP/after") == 20 ]]
	for c in $(seq 5); do
		for t in $(seq 4); do
			[[ $(docker exec "hvt_c$c" cat "/mnt/$t/f") == "$c.$t" ]]
		done
	done
	docker restart -t 0 hvt_c3
	within 10 docker exec hvt_c3 grep -q 3.4 /mnt/4/f
	engine_hostvol detach hvt_c1:/mnt/1
	docker exec hvt_c1 sh -c '[ ! -e /mnt/1 ]'
	docker volume rm hvt_path5 hvt_managed50
	[[ $(docker run --rm --network none -v hvt_managed1:/d "$IMAGE" ls /d) == f ]]
	docker exec hvt_user ls /d/f /e/f # not hidden by another mount
	docker restart -t 0 hvt_user
	docker exec hvt_user ls /d/f /e/f
}
