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

# The commands where nobody but root can look.
install_for_all() {
	local dir
	dir=$(dirname "$(readlink -f "$(command -v docker-hostvol)")")
	chmod 755 "$TMP"
	mkdir -p "$TMP/cli" "$TMP/config"
	cp -P "$dir/docker-hostvol" "$dir/docker-addvol" "$TMP/cli/"
	printf '{ "cliPluginsExtraDirs": ["%s"] }\n' "$TMP/cli" >"$TMP/config/config.json"
	chmod -R go+rX "$TMP/cli" "$TMP/config"
}

# Someone in the group that may use the Docker socket.
as_member() {
	setpriv --reuid 65534 --regid 65534 --groups "$(stat -c %g /run/docker.sock)" \
		env HOME=/nonexistent DOCKER_CONFIG="$TMP/config" "$@"
}

# same COMMAND...: a member of the group gets what root gets: output, sentence, exit status.
same() {
	local as_root as_other
	run --separate-stderr docker "$@"
	as_root="$status|$output|$stderr"
	run --separate-stderr as_member docker "$@"
	as_other="$status|$output|$stderr"
	[[ $as_root == "$as_other" ]] || {
		printf 'root:   %s\nmember: %s\n' "$as_root" "$as_other"
		return 1
	}
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
	run -0 as_member docker hostvol version
	[[ $output == *"Mode:        managed"* ]]
	docker exec -d -w /mnt/data hvt_web sleep 1000
	eventually grep -q "sleep" <(docker top hvt_web)
	same hostvol detach hvt_web:/mnt/data
	end_sleeper
	run -0 as_member docker hostvol detach --wait 10 hvt_web:/mnt/data
	run -0 as_member docker addvol "$SOURCE" hvt_web /mnt/added
	[[ $(docker exec hvt_web cat /mnt/added/file) == content ]]
	run -0 as_member docker hostvol detach hvt_web:/mnt/added
	[[ $(docker volume ls -q) != *hostvol-request* ]]
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
	run -1 --separate-stderr far hostvol attach hvt_data hvt_web:/mnt/x # of the other Engine
	[[ $stderr == *"no such container: hvt_web"*"hint: "* ]]
	run -0 far addvol "$SOURCE" hvt_far /mnt/added
	[[ $(far exec hvt_far cat /mnt/added/file) == content ]]
	run -1 --separate-stderr far addvol source hvt_far /mnt/added
	[[ $stderr == *"not an absolute path"* ]]
	run -0 far hostvol detach hvt_far:/mnt/data
	run ! far exec hvt_far cat /mnt/data/file
	in_engine docker context rm -f far
	export DOCKER_HOST=unix://$ENGINE/docker.sock
}

@test "HOSTVOL_REMOTE_ATTACH=deny switches both off" {
	engine_setup
	engine_plugin
	docker plugin disable hostvol
	docker plugin set hostvol HOSTVOL_REMOTE_ATTACH=deny
	docker plugin enable hostvol
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
