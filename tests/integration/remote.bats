# SPDX-License-Identifier: Apache-2.0
load helpers
load engine

# Attaching for who has only the Docker Engine: options of `docker volume create`, and the commands
# through the Engine, without root or from another machine.

setup() {
	common_setup
	SOURCE=$TMP/source
	mkdir "$SOURCE"
	echo content >"$SOURCE/file"
	docker run -d --network none --label "$LABEL" --name hvt_web "$IMAGE" sleep 100000
}

teardown() {
	docker context use default >/dev/null
	docker context rm -f hvt-far far >/dev/null 2>&1 || true
	[[ -z ${ENGINE:-} ]] || engine_teardown
	common_teardown
}

end_sleeper() {
	docker top hvt_web -o pid,args | awk '/sleep 1000$/ { print $1 }' | xargs kill
}

mounts_inside() {
	docker exec hvt_web cat /proc/self/mountinfo
}

@test "a volume created with attach= is in the container, and out of it after rm" {
	local before
	before=$(mounts_inside)
	docker volume create -d hostvol -o path="$SOURCE" -o attach=hvt_web:/mnt/hot hvt_hot
	[[ $(docker exec hvt_web cat /mnt/hot/file) == content ]]
	[[ $(docker volume inspect -f '{{json .Status.attachments}}' hvt_hot) == *'"container":"hvt_web"'*'"target":"/mnt/hot"'* ]]
	run -0 docker hostvol ls
	[[ $output == *hvt_hot*hvt_web*/mnt/hot*attached* ]]
	docker volume rm hvt_hot
	[[ $(mounts_inside) == "$before" ]]
	run ! docker exec hvt_web ls /mnt/hot
	[[ -e $SOURCE/file ]]
}

@test "attach= with :ro, and again after a restart of the container" {
	docker volume create -d hostvol -o path="$SOURCE" -o attach=hvt_web:/mnt/hot:ro hvt_hot
	run ! docker exec hvt_web touch /mnt/hot/no
	docker restart -t 0 hvt_web
	eventually docker exec hvt_web cat /mnt/hot/file
	run ! docker exec hvt_web touch /mnt/hot/no
	docker volume rm hvt_hot
}

@test "attach= to a container that does not run: there when it starts; rm while it is stopped" {
	docker stop -t 0 hvt_web
	docker volume create -d hostvol -o path="$SOURCE" -o attach=hvt_web:/mnt/hot hvt_hot
	docker start hvt_web
	eventually docker exec hvt_web cat /mnt/hot/file
	docker stop -t 0 hvt_web
	docker volume rm hvt_hot
	docker start hvt_web
	run ! docker exec hvt_web cat /mnt/hot/file
}

@test "a create whose attach fails leaves no volume and says why" {
	for place in nope:/x hvt_web:/proc hvt_web:x hvt_web; do
		run -1 --separate-stderr docker volume create -d hostvol -o path="$SOURCE" \
			-o attach="$place" hvt_hot
		[[ $stderr == *"no such container"* || $stderr == *"nothing may be mounted"* ||
			$stderr == *"CONTAINER:TARGET"* ]]
		run ! docker volume inspect hvt_hot
	done
}

@test "rm of a volume that came with its attachment is refused while that is busy, and detaches nothing else" {
	docker volume create -d hostvol -o path="$SOURCE" -o attach=hvt_web:/mnt/hot hvt_hot
	docker exec -d -w /mnt/hot hvt_web sleep 1000
	eventually fails docker volume rm hvt_hot
	[[ $(docker exec hvt_web cat /mnt/hot/file) == content ]]
	end_sleeper
	docker hostvol attach hvt_hot hvt_web:/mnt/second
	run -1 --separate-stderr docker volume rm hvt_hot
	[[ $stderr == *"'hvt_web' at /mnt/second"* ]]
	[[ $(docker exec hvt_web cat /mnt/hot/file) == content ]]
	docker hostvol detach hvt_web:/mnt/second
	docker volume rm hvt_hot
}

fails() {
	! "$@" 2>/dev/null
}

@test "from= is another name for the same data, and keeps it" {
	docker volume create -d hostvol hvt_data
	docker run --rm --network none -v hvt_data:/d "$IMAGE" sh -c 'echo same >/d/f'
	docker volume create -d hostvol -o from=hvt_data -o attach=hvt_web:/mnt/hot hvt_alias
	[[ $(docker exec hvt_web cat /mnt/hot/f) == same ]]
	run -1 --separate-stderr docker volume rm hvt_data
	[[ $stderr == *"'hvt_alias' is another name"* ]]
	docker volume rm hvt_alias
	[[ $(docker run --rm --network none -v hvt_data:/d "$IMAGE" cat /d/f) == same ]]
	docker volume rm hvt_data
	run -1 --separate-stderr docker volume create -d hostvol -o from=hvt_data hvt_alias
	[[ $stderr == *"no volume 'hvt_data'"* ]]
}

# same COMMAND...: a member of the group gets what root gets: output, sentence, exit status. Only
# an age ("3 seconds ago") may have grown between the two.
same() {
	local as_root as_other age='(Less than a|About an?|[0-9]+) [a-z]+ ago'
	run --separate-stderr docker "$@"
	as_root=$(sed -E "s/$age */AGE /" <<<"$status|$output|$stderr")
	run --separate-stderr as_member docker "$@"
	as_other=$(sed -E "s/$age */AGE /" <<<"$status|$output|$stderr")
	[[ $as_root == "$as_other" ]] || {
		printf 'root:   %s\nmember: %s\n' "$as_root" "$as_other"
		return 1
	}
}

sleeper_runs() {
	docker top hvt_web -o pid,args | grep -q 'sleep 1000$'
}

@test "a member of the docker group needs no root for anything" {
	install_for_all
	[[ $(stat -c %a /run/docker.sock) == 660 ]]
	docker volume create -d hostvol -o path="$SOURCE" hvt_data
	run -0 as_member docker hostvol attach hvt_data hvt_web:/mnt/data
	[[ $output == hvt_web:/mnt/data ]]
	[[ $(docker exec hvt_web cat /mnt/data/file) == content ]]
	same hostvol ls
	same hostvol ls --format json
	same hostvol inspect hvt_web:/mnt/data
	same hostvol inspect hvt_web:/mnt/none
	same hostvol doctor
	same hostvol check hvt_data hvt_web:/mnt/other
	same hostvol check hvt_data hvt_web:/proc
	same hostvol attach hvt_data hvt_web:/mnt/data
	same hostvol attach nope hvt_web:/mnt/x
	same hostvol attach hvt_data nope:/mnt/x
	same hostvol attach hvt_data hvt_web:/proc
	same hostvol detach hvt_web:/mnt/none
	same hostvol detach hvt_web
	same hostvol set hvt_data mode=0751
	same hostvol set hvt_data ro=perhaps
	same hostvol set nope ro=true
	run -0 as_member docker hostvol version
	[[ $output == *"Mode:        managed"* ]]
	docker exec -d -w /mnt/data hvt_web sleep 1000
	eventually sleeper_runs
	same hostvol detach hvt_web:/mnt/data
	end_sleeper
	run -0 as_member docker hostvol detach --wait 10 hvt_web:/mnt/data
	run -0 as_member docker addvol "$SOURCE" hvt_web /mnt/added
	[[ $(docker exec hvt_web cat /mnt/added/file) == content ]]
	run -0 as_member docker hostvol detach hvt_web:/mnt/added
	[[ $(docker volume ls -q) != *hostvol-request* ]]
}

# same_far ARGUMENT...: as root gets it over the plugin's socket.
same_far() {
	local near far
	run --separate-stderr in_engine docker -H "unix://$ENGINE/docker.sock" hostvol "$@"
	near=$(timeless "$status|$output|$stderr")
	run --separate-stderr far hostvol "$@"
	far=$(timeless "$status|$output|$stderr")
	[[ $near == "$far" ]] || {
		printf 'near: %s\nfar:  %s\n' "$near" "$far"
		return 1
	}
}

# timeless TEXT: without "1 second ago", which is another by the time the next command runs.
timeless() {
	sed -E 's/(Less than a|About an?|[0-9]+) [a-z]+ ago/AGO/' <<<"$1"
}

@test "through a context over TCP every command works, on the Engine of that context" {
	engine_setup -H tcp://127.0.0.1:23750
	engine_plugin
	docker run -d --network none --name hvt_far "$IMAGE" sleep 100000
	in_engine docker context create far --docker host=tcp://127.0.0.1:23750
	unset DOCKER_HOST
	far() { in_engine docker --context far "$@"; }
	far volume create -d hostvol -o path="$SOURCE" hvt_data
	run -0 far hostvol attach hvt_data hvt_far:/mnt/data
	[[ $output == hvt_far:/mnt/data ]]
	[[ $(far exec hvt_far cat /mnt/data/file) == content ]]
	run -0 far hostvol ls
	[[ $output == *hvt_far*/mnt/data*attached* ]]
	for command in "ls" "ls --format json" "inspect hvt_far:/mnt/data" "inspect hvt_far:/none" \
		"check hvt_data hvt_far:/mnt/x" "check hvt_data hvt_far:/proc" "doctor" "detach hvt_far" \
		"attach nope hvt_far:/mnt/x" "attach hvt_data hvt_far:/proc" "detach hvt_far:/none"; do
		same_far $command
	done
	run -1 --separate-stderr far hostvol attach hvt_data hvt_web:/mnt/x # of the other Engine
	[[ $stderr == *"no such container: hvt_web"*"hint: "* ]]
	run -0 far addvol "$SOURCE" hvt_far /mnt/added
	[[ $(far exec hvt_far cat /mnt/added/file) == content ]]
	run -1 --separate-stderr far addvol source hvt_far /mnt/added
	[[ $stderr == *"not an absolute path"* ]]
	run -0 far hostvol detach hvt_far:/mnt/data
	run ! far exec hvt_far cat /mnt/data/file
}

@test "HOSTVOL_REMOTE_ATTACH=deny switches both off" {
	engine_setup
	engine_plugin
	docker plugin disable hostvol
	docker plugin set hostvol HOSTVOL_REMOTE_ATTACH=deny
	enable_plugin
	docker run -d --network none --name hvt_far "$IMAGE" sleep 100000
	run -1 --separate-stderr docker volume create -d hostvol -o path="$SOURCE" \
		-o attach=hvt_far:/mnt/hot hvt_hot
	[[ $stderr == *HOSTVOL_REMOTE_ATTACH* ]]
	run ! docker volume inspect hvt_hot
	run -1 --separate-stderr docker volume create -d hostvol \
		-o 'request={"Endpoint":"/HotInfo","Body":{}}' hostvol-request-1
	[[ $stderr == *HOSTVOL_REMOTE_ATTACH* ]]
	docker volume create -d hostvol -o path="$SOURCE" hvt_data
	run -0 engine_hostvol attach hvt_data hvt_far:/mnt/data # over the socket
}

# Both Engines have a container hvt_web and a volume hvt_data; what is in that says whose it is.
two_engines() {
	mkdir "$TMP/far" "$TMP/third"
	echo third >"$TMP/third/file"
	echo near >"$SOURCE/file"
	echo far >"$TMP/far/file"
	docker volume create -d hostvol -o path="$SOURCE" hvt_data
	engine_setup
	engine_plugin
	docker volume create -d hostvol -o path="$TMP/far" hvt_data
	docker run -d --network none --name hvt_web "$IMAGE" sleep 100000
	FAR=$DOCKER_HOST
	unset DOCKER_HOST
	docker context create hvt-far --docker "host=$FAR"
}

# reaches near|far COMMAND...: every command, with this way to an Engine.
reaches() {
	local whose=$1 other=near name
	shift
	[[ $whose == far ]] || other=far
	run -0 "$@" hostvol attach hvt_data hvt_web:/mnt/data
	[[ $("on_$whose" cat /mnt/data/file) == "$whose" ]] || return 1
	[[ $("on_$other" ls /mnt) == '' ]] || return 1
	run -0 "$@" hostvol ls --container hvt_web
	[[ $(grep -c /mnt/data <<<"$output") == 1 ]] || return 1
	run -0 "$@" hostvol inspect hvt_web:/mnt/data
	[[ $output == *"$([[ $whose == far ]] && echo "$TMP/far" || echo "$SOURCE")"* ]] || return 1
	run -0 "$@" hostvol check hvt_data hvt_web:/mnt/other
	run -0 "$@" hostvol doctor
	run -0 "$@" addvol "$TMP/third" hvt_web /mnt/added
	[[ $("on_$whose" cat /mnt/added/file) == third ]] || return 1
	[[ $("on_$other" ls /mnt) == '' ]] || return 1
	name=$("$@" hostvol inspect hvt_web:/mnt/added | jq -r '.[0].Volume')
	run -0 "$@" hostvol detach hvt_web:/mnt/added
	run -0 "$@" hostvol detach hvt_web:/mnt/data
	[[ $("on_$whose" ls /mnt) == '' ]] || return 1
	run -0 "$@" volume rm "$name"
}

on_near() { docker -H unix:///var/run/docker.sock exec hvt_web "$@"; }
on_far() { docker -H "$FAR" exec hvt_web "$@"; }

@test "with two Engines on one machine each command reaches that of its context" {
	two_engines
	reaches near docker
	reaches far docker -H "$FAR"
	reaches far docker --context hvt-far
	reaches near docker --context default
	docker context use hvt-far
	reaches far docker
	reaches near docker -H unix:///var/run/docker.sock
	docker context use default
	reaches far env DOCKER_HOST="$FAR" docker
	reaches far env DOCKER_CONTEXT=hvt-far docker
	reaches near env DOCKER_CONTEXT=default docker
}

compose() {
	if command -v docker-compose >/dev/null; then
		docker-compose -f "$TMP/project/docker-compose.yml" "$@"
	else
		docker compose -f "$TMP/project/docker-compose.yml" "$@"
	fi
}

# compose_file ATTACH: a project whose volume is attached as part of its creation.
compose_file() {
	mkdir -p "$TMP/project"
	cat >"$TMP/project/docker-compose.yml" <<-END
		version: "3.4"
		services:
		  app:
		    image: $IMAGE
		    container_name: hvt_app
		    command: ["sleep", "100000"]
		    network_mode: none
		    labels: ["$LABEL"]
		    volumes: ["hot:/data"]
		volumes:
		  hot:
		    name: hvt_hot
		    driver: hostvol:latest
		    driver_opts:
		      path: $SOURCE
		      attach: "$1"
	END
}

@test "a Compose file's volume is attached to a container of another project" {
	compose_file hvt_web:/mnt/hot
	run -0 compose up -d
	[[ $(docker exec hvt_app cat /data/file) == content ]]
	[[ $(docker exec hvt_web cat /mnt/hot/file) == content ]]
	run -0 docker hostvol ls
	[[ $output == *hvt_hot*hvt_web*/mnt/hot*attached* ]]
	run -0 compose up -d # nothing has changed
	run -0 compose down -v
	run ! docker volume inspect hvt_hot
	[[ $(docker exec hvt_web ls /mnt) == '' ]]
	[[ -e $SOURCE/file ]]
}

@test "the Compose file of docs/recipes.md attaches, and detaches with down -v" {
	mkdir "$TMP/project"
	awk '/^#/ { is_it = /outside the file$/ } is_it' "$BATS_TEST_DIRNAME/../../docs/recipes.md" |
		sed -n '/^```yaml$/,/^```$/{/^```/!p}' |
		sed "s|image: busybox|image: $IMAGE|; s|driver: hostvol|&:latest|
			s|path: /srv/data|path: $SOURCE|; s|web:/mnt/data|hvt_web:/mnt/hot|
			s|^  hot:|&\n    name: hvt_hot|" >"$TMP/project/docker-compose.yml"
	run -0 compose up -d
	[[ $(docker exec hvt_web cat /mnt/hot/file) == content ]]
	run -0 compose down -v
	run ! docker volume inspect hvt_hot
	[[ $(docker exec hvt_web ls /mnt) == '' ]]
}

@test "a Compose file that attaches to its own service, which does not exist yet, is told what to do" {
	compose_file hvt_app:/mnt/hot
	run compose up -d
	[[ $status -ne 0 ]]
	[[ $output == *"no such container: hvt_app"*"volumes:"* ]]
	run ! docker volume inspect hvt_hot
	compose down -v || true
}

@test "what docker cp, commit, inspect and diff show of an attachment" {
	docker volume create -d hostvol -o path="$SOURCE" --label hvt=prune hvt_data
	docker hostvol attach hvt_data hvt_web:/mnt/made
	[[ $(docker inspect -f '{{json .Mounts}}' hvt_web) == '[]' ]] # what it was created with
	run -0 docker diff hvt_web
	[[ $output == *"A /mnt/made"* && $output != *file* ]] # the mountpoint, which was made
	run ! docker cp hvt_web:/mnt/made/file "$TMP/copy" # what is below the mountpoint
	docker cp "$SOURCE/file" hvt_web:/mnt/made/hidden
	[[ ! -e $SOURCE/hidden ]]
	run ! docker exec hvt_web cat /mnt/made/hidden
	docker exec hvt_web tar -c -f - -C /mnt/made file | tar -x -C "$TMP" # this is the way
	[[ $(cat "$TMP/file") == content ]]
	[[ $(docker volume ls -q -f dangling=true) == *hvt_data* ]]
	docker volume prune -f --filter label=hvt=prune # of the machine's own volumes none goes
	fails_with 1 "'hvt_web' at /mnt/made" -- docker volume rm hvt_data
	docker commit hvt_web hvt_image
	run -0 docker run --rm --network none hvt_image find /mnt/made
	[[ $output == $'/mnt/made\n/mnt/made/hidden' ]]
	docker rmi hvt_image
	[[ $(docker inspect -f '{{(index .Mounts 0).Name}}' "$(docker run -d --label "$LABEL" \
		--network none -v hvt_data:/d "$IMAGE" sleep 100)") == hvt_data ]]
}
