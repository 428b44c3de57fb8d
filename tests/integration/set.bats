# SPDX-License-Identifier: Apache-2.0
load helpers

# Options that change (docker hostvol set), and what becomes of the data with the volume (on-remove).

setup() { common_setup; }
teardown() { common_teardown; }

@test "set changes an option of a volume, and Status shows what is true; its data stays" {
	docker volume create -d hostvol -o uid=7 hvt_data
	run_in -v hvt_data:/d "$IMAGE" sh -c 'echo kept >/d/f'
	run -0 docker hostvol set hvt_data gid=9 mode=0710 uid=
	[[ $output == hvt_data ]]
	run -0 docker volume inspect -f '{{json .Status.options}}' hvt_data
	[[ $output == '{"gid":"9","mode":"0710"}' ]]
	source=$(docker volume inspect -f '{{.Status.source}}' hvt_data)
	[[ $(stat -c '%u %g %a' "$source") == "7 9 710" && $(cat "$source/f") == kept ]]
	docker hostvol set hvt_data ro=true
	fails_with 1 Read-only -- run_in -v hvt_data:/d "$IMAGE" touch /d/g
	kill -KILL "$(daemon_pid)"
	within 20 docker hostvol ls
	fails_with 1 Read-only -- run_in -v hvt_data:/d "$IMAGE" touch /d/g
	docker hostvol set hvt_data ro=
	run_in -v hvt_data:/d "$IMAGE" touch /d/g
}

@test "set refuses what would not be so, or would surprise who uses it, and changes nothing" {
	mkdir "$TMP/x"
	docker volume create -d hostvol -o path="$TMP/x" hvt_x
	docker volume create -d hostvol -o from=hvt_x hvt_alias
	before=$(docker volume inspect hvt_x; stat -c '%u %g %a' "$TMP/x")
	fails_with 1 "path" "cannot be changed" "change uid, gid, mode" -- docker hostvol set hvt_x path=/etc
	fails_with 1 "attach" "cannot be changed" -- docker hostvol set hvt_x attach=a:/b
	fails_with 1 "'foo'" -- docker hostvol set hvt_x foo=1
	fails_with 1 "not a number" -- docker hostvol set hvt_x gid=5 uid=root
	fails_with 1 "keep nor purge" -- docker hostvol set hvt_x on-remove=maybe
	fails_with 1 "$TMP/x was not made for" -- docker hostvol set hvt_x on-remove=purge
	fails_with 1 "hvt_alias" -- docker hostvol set hvt_x ro=true
	fails_with 1 "no such volume: hvt_none" -- docker hostvol set hvt_none ro=true
	fails_with 2 "KEY=VALUE" -- docker hostvol set hvt_x ro
	fails_with 2 "twice" -- docker hostvol set hvt_x ro=true ro=false
	fails_with 2 "arguments" -- docker hostvol set hvt_x
	docker volume rm hvt_alias
	start hvt_web
	docker hostvol attach hvt_x hvt_web:/x
	fails_with 1 "while it is attached" -- docker hostvol set hvt_x ro=true
	docker hostvol detach hvt_web:/x
	start hvt_user -v hvt_x:/x
	fails_with 1 "while a container uses it" -- docker hostvol set hvt_x ro=true
	[[ $before == "$(docker volume inspect hvt_x; stat -c '%u %g %a' "$TMP/x")" ]]
}

@test "on-remove=keep: the data of a managed volume is there for the next one of its name" {
	docker volume create -d hostvol -o on-remove=keep hvt_data
	run_in -v hvt_data:/d "$IMAGE" sh -c 'echo kept >/d/f'
	docker volume rm hvt_data
	[[ -z $(docker volume ls -q --filter name=hvt_data) ]]
	docker volume create -d hostvol hvt_data
	[[ $(run_in -v hvt_data:/d "$IMAGE" cat /d/f) == kept ]]
	docker volume rm hvt_data
	[[ ! -e /var/lib/hostvol/volumes/hvt_data ]]
}

@test "on-remove=purge deletes the directory that was made for the volume, and its parents" {
	mkdir "$TMP/there"
	docker volume create -d hostvol -o path="$TMP/there/a/b" -o mkdir=true -o on-remove=purge hvt_x
	run_in -v hvt_x:/d "$IMAGE" sh -c 'mkdir -p /d/x/y/z /d/.0; echo data >/d/x/y/f; ln -s /d /d/link'
	ln -s "$TMP" "$TMP/there/a/b/out"
	docker volume rm hvt_x
	[[ -d $TMP/there && ! -e $TMP/there/a ]]
}

@test "on-remove=purge spares what it does not own" {
	mkdir "$TMP/there"
	fails_with 1 "$TMP/there was not made for this volume" mkdir -- \
		docker volume create -d hostvol -o path="$TMP/there" -o on-remove=purge hvt_x
	fails_with 1 "on-remove goes without from" -- docker volume create -d hostvol -o from=hvt_x -o on-remove=purge hvt_y
	purged() {
		docker volume create -d hostvol -o path="$TMP/p" -o mkdir=true -o on-remove=purge hvt_x
		echo data >"$TMP/p/f"
	}
	purged # something is mounted in it
	mkdir "$TMP/p/sub"
	mount -t tmpfs none "$TMP/p/sub"
	touch "$TMP/p/sub/precious"
	fails_with 1 "$TMP/p/sub" "on-remove=keep" -- docker volume rm hvt_x
	[[ -e $TMP/p/sub/precious && -e $TMP/p/f ]]
	umount "$TMP/p/sub"
	docker volume create -d hostvol -o path="$TMP/p/sub" hvt_inner # or another volume
	fails_with 1 hvt_inner -- docker volume rm hvt_x
	docker volume rm hvt_inner
	mv "$TMP/p" "$TMP/moved" # or it is another directory by now
	mkdir "$TMP/p"
	echo other >"$TMP/p/f"
	docker volume rm hvt_x
	[[ $(cat "$TMP/p/f") == other && $(cat "$TMP/moved/f") == data ]]
	rm -r "$TMP/p"
	purged # or it was set otherwise since
	docker hostvol set hvt_x on-remove=keep
	docker volume rm hvt_x
	[[ $(cat "$TMP/p/f") == data ]]
}

# With SIGKILL as soon as something is deleted; true if not all was.
cut_purge_short() {
	local client entries socket pid
	docker volume create -d hostvol -o path="$TMP/p" -o mkdir=true -o on-remove=purge hvt_x
	mkdir -p "$TMP/p"/{1..8000}/e
	socket=$(daemon_socket) pid=$(daemon_pid)
	curl -s --max-time 20 --unix-socket "$socket" -d '{"Name":"hvt_x"}' http://h/VolumeDriver.Remove 3>&- &
	client=$!
	until entries=("$TMP/p"/*) && [[ ${#entries[@]} -lt 8000 ]]; do [[ -d /proc/$client ]] || break; done
	kill -KILL "$pid"
	wait $client || true
	[[ -e $TMP/p ]]
}

@test "what is left of a purge that was cut short by SIGKILL goes at the next start" {
	cut_purge_short || cut_purge_short || cut_purge_short
	within 20 docker hostvol ls
	[[ -z $(docker volume ls -q -f name=hvt_x) ]]
	within 20 test ! -e "$TMP/p" # by a thread, after the start
}
