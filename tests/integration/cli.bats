# SPDX-License-Identifier: Apache-2.0
load helpers

setup() {
	common_setup
	mkdir "$TMP/data"
	echo hello >"$TMP/data/f"
}
teardown() { common_teardown; }

@test "docker --help lists both commands with a line each" {
	run -0 docker --help
	[[ $output =~ hostvol\*?\ +Put\ volumes\ into\ running\ containers ]]
	[[ $output =~ addvol\*?\ +Add\ a\ host\ directory\ to\ a\ running\ container ]]
}

@test "docker hostvol --help, and of each command" {
	for command in "" attach check detach doctor inspect ls version; do
		# shellcheck disable=SC2086
		run -0 docker hostvol $command --help
		[[ $output == *Usage:* ]]
	done
}

@test "version tells both versions and what the kernel has" {
	run -0 docker hostvol version
	[[ $output == *Client:* && $output == *Daemon:* && $output == *"open_tree: yes"* ]]
	run -0 docker hostvol version --format json
	echo "$output" | python3 -m json.tool
	[[ $output == *'"Mode": "managed"'* || $output == *'"Mode":"managed"'* ]]
}

@test "ls --format json is one JSON document" {
	start hvt_web
	docker addvol "$TMP/data" hvt_web /mnt/d
	docker hostvol ls --container hvt_web --format json | python3 -c '
import json, sys
items = json.load(sys.stdin)
assert len(items) == 1 and items[0]["Target"] == "/mnt/d" and items[0]["State"] == "attached"'
}

@test "addvol adds a directory and defines one volume for it" {
	start hvt_web
	run -0 docker addvol "$TMP/data" hvt_web /mnt/d
	[[ $output == hvt_web:/mnt/d ]]
	[[ $(docker exec hvt_web cat /mnt/d/f) == hello ]]
	docker addvol "$TMP/data" hvt_web /mnt/e
	name=$(our_volumes)
	[[ $name =~ ^data-[0-9a-f]{8}$ ]] # and no second one
	docker hostvol detach hvt_web:/mnt/d
	docker hostvol detach hvt_web:/mnt/e
	docker volume rm "$name"
}

# Those of this test: the machine may have others.
our_volumes() {
	local name
	for name in $(docker volume ls -q --filter driver=hostvol:latest); do
		[[ $(docker volume inspect -f '{{.Status.source}}' "$name") != "$TMP"/* ]] || echo "$name"
	done
}

@test "addvol uses a volume that stands for the directory, symlinks resolved" {
	start hvt_web
	docker volume create -d hostvol -o path="$TMP/data" hvt_named
	ln -s "$TMP/data" "$TMP/link"
	(cd "$TMP" && docker addvol link hvt_web /mnt/d)
	run -0 docker hostvol ls
	[[ $output == *hvt_named* ]]
	[[ $(our_volumes) == hvt_named ]]
}

@test "addvol with two arguments, and in the wrong order" {
	start hvt_web
	fails_with 2 "Usage:" "three arguments are needed" -- docker addvol "$TMP/data" hvt_web
	fails_with 2 "Usage:" "write HOSTPATH CONTAINER TARGET in this order" -- \
		docker addvol hvt_web "$TMP/data" /mnt/d
	fails_with 1 "docker start" -- docker addvol "$TMP/data" \
		"$(docker create --label "$LABEL" $IMAGE true)" /mnt/d
	fails_with 1 "hint:" -- docker addvol "$TMP/nope" hvt_web /mnt/d
	fails_with 1 "directory" -- docker addvol "$TMP/data/f" hvt_web /mnt/d
	[[ -z $(our_volumes) ]]
}

@test "addvol that fails to attach leaves no volume" {
	start hvt_web
	fails_with 1 "nothing may be mounted" -- docker addvol "$TMP/data" hvt_web /proc
	[[ -z $(our_volumes) ]]
}

@test "a volume of the driver local is attached by its name" {
	start hvt_web
	docker volume create hvt_local
	run_in -v hvt_local:/d $IMAGE sh -c 'echo local >/d/f'
	docker hostvol attach hvt_local hvt_web:/mnt/d
	[[ $(docker exec hvt_web cat /mnt/d/f) == local ]]
	[[ $(docker hostvol inspect hvt_web:/mnt/d | jq -r '.[0] | "\(.Volume) \(.Driver)"') == "hvt_local local" ]]
	fails_with 1 "hvt_local" -- docker addvol hvt_local hvt_web /mnt/e
	docker hostvol detach hvt_web:/mnt/d
	docker volume rm hvt_local
}

@test "ls by a name that does not exist says so" {
	start hvt_web
	fails_with 1 "no such container: hvt_wbe" -- docker hostvol ls --container hvt_wbe
	fails_with 1 "no such volume: hvt_dta" -- docker hostvol ls --volume hvt_dta
	run -0 docker hostvol ls --container hvt_web
	[[ $output == ID*VOLUME* && $output != *hvt_web* ]]
}

@test "ls -q, --filter and --format show what was asked for" {
	start hvt_web
	start hvt_db
	docker volume create -d hostvol hvt_data
	docker volume create -d hostvol hvt_conf
	docker hostvol attach hvt_data hvt_web:/mnt/a
	docker hostvol attach hvt_conf hvt_web:/mnt/b
	docker hostvol attach hvt_data hvt_db:/mnt/a
	docker stop -t 0 hvt_db
	id=$(docker inspect -f '{{.Id}}' hvt_web)

	run -0 docker hostvol ls -q --filter container=hvt_web
	[[ ${#lines[@]} -eq 2 && ${lines[0]} =~ ^[0-9a-f]{12}$ && ${lines[1]} =~ ^[0-9a-f]{12}$ ]]
	run -0 docker hostvol ls -f volume=hvt_data -f container=hvt_web --format '{{.ContainerName}}:{{.Target}}'
	[[ $output == hvt_web:/mnt/a ]]
	run -0 docker hostvol ls -f "container=${id:0:12}" -f target=/mnt/b/ --format '{{.Volume}} {{.ContainerID}}'
	[[ $output == "hvt_conf ${id:0:12}" ]]
	run -0 docker hostvol ls --no-trunc -f "container=$id" -f target=/mnt/b --format '{{.ContainerID}}'
	[[ $output == "$id" ]]
	run -0 docker hostvol ls -f container=hvt_db -f state=pending --format '{{.State}}'
	[[ $output == pending ]]
	run -0 docker hostvol ls -q -f container=hvt_db -f state=attached
	[[ -z $output ]]
	run -0 docker hostvol ls -f container=hvt_web -f container=hvt_db --format '{{json .}}'
	[[ ${#lines[@]} -eq 3 && $(jq -rs 'map(.Volume) | sort | join(" ")' <<<"$output") == "hvt_conf hvt_data hvt_data" ]]
	run -0 docker hostvol ls -f target=/mnt/b -f container=hvt_web --format 'table {{.Volume}}\t{{.ContainerName}}'
	[[ ${lines[0]} =~ ^VOLUME\ +CONTAINER\ NAME$ && ${lines[1]} =~ ^hvt_conf\ +hvt_web$ ]]
}

@test "ls names the words that it knows" {
	fails_with 2 "container, state, target and volume" -- docker hostvol ls --filter label=x
	fails_with 2 "hint: did you mean: --filter volume=hvt_data" -- docker hostvol ls --filter volum=hvt_data
	fails_with 2 "hint: did you mean: --filter state=attached" -- docker hostvol ls --filter state=atached
	fails_with 2 "hint: did you mean: {{.Volume}}" "ContainerName" -- docker hostvol ls --format '{{.Volum}}'
	fails_with 2 "{{json .FIELD}}" -- docker hostvol ls --format '{{range .Volume}}{{end}}'
	fails_with 2 "hint: did you mean: --filter" -- docker hostvol ls --fliter volume=hvt_data
}

@test "detach and inspect take several attachments" {
	start hvt_web
	docker volume create -d hostvol hvt_data
	for target in a b c; do docker hostvol attach hvt_data hvt_web:/mnt/$target; done

	run -0 docker hostvol inspect -f '{{.Target}} {{.State}}' hvt_web:/mnt/b hvt_web:/mnt/a
	[[ $output == "/mnt/b attached"$'\n'"/mnt/a attached" ]]
	# shellcheck disable=SC2046
	run -0 docker hostvol inspect $(docker hostvol ls -q -f container=hvt_web)
	[[ $(jq length <<<"$output") -eq 3 ]]
	fails_with 1 "/mnt/a" "hostvol: hvt_web:/mnt/x: no volume is attached at /mnt/x" -- \
		docker hostvol inspect -f '{{.Target}}' hvt_web:/mnt/x hvt_web:/mnt/a

	fails_with 2 "has no colon" -- docker hostvol detach hvt_web:/mnt/a nonsense
	[[ $(docker hostvol ls -q -f container=hvt_web | wc -l) -eq 3 ]]
	fails_with 1 "hvt_web:/mnt/a" "hostvol: hvt_web:/mnt/x: " -- \
		docker hostvol detach hvt_web:/mnt/a hvt_web:/mnt/x hvt_web:/mnt/b
	run -0 docker hostvol ls -f container=hvt_web --format '{{.Target}}'
	[[ $output == /mnt/c ]]
	# shellcheck disable=SC2046
	run -0 docker hostvol detach $(docker hostvol ls -q -f container=hvt_web)
	[[ $output == hvt_web:/mnt/c ]]
	[[ -z $(docker hostvol ls -q -f container=hvt_web) ]]
}

@test "a target with a colon in it" {
	start hvt_web
	docker volume create -d hostvol hvt_data
	docker hostvol attach --target '/mnt/a:b' hvt_data hvt_web
	docker exec hvt_web ls -d '/mnt/a:b'
	docker hostvol detach --target '/mnt/a:b' hvt_web
}

@test "completion offers the commands" {
	run -0 docker __complete hostvol ""
	[[ $output == *attach* && $output == *detach* ]]
}

@test "completion offers attachments and filters" {
	start hvt_web
	docker volume create -d hostvol hvt_data
	docker hostvol attach hvt_data hvt_web:/mnt/a
	run -0 docker __complete hostvol detach hvt_
	[[ $output == *"hvt_web:/mnt/a"*"hvt_data, attached"* ]]
	run -0 docker __complete hostvol ls --filter vol
	[[ $output == *volume=* ]]
	run -0 docker __complete hostvol ls --filter volume=hvt_
	[[ $output == *volume=hvt_data* ]]
	run -0 docker __complete hostvol ls --filter state=cov
	[[ $output == *state=covered* ]]
}

@test "without a right to the Docker socket the error says what to do" {
	chmod 755 "$TMP"
	cp "$(command -v docker-hostvol)" "$TMP/docker-hostvol"
	run -1 env -u DOCKER_CONFIG HOME=/ \
		setpriv --reuid 65534 --regid 65534 --clear-groups "$TMP/docker-hostvol" ls
	[[ $output == *hostvol:* && $output == *hint:* ]]
}

@test "an Engine that does not answer is named" {
	fails_with 1 "hostvol:" "$TMP/nope.sock" -- docker-hostvol -H "unix://$TMP/nope.sock" ls
}
