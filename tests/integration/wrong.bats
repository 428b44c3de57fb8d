# SPDX-License-Identifier: Apache-2.0
load helpers

# Wrong input to the commands: a sentence, a hint where there is something to do, exit 1 or 2, and
# nothing changed. What the API refuses is in catalogue.bats.

setup() {
	common_setup
	mkdir "$TMP/data"
	docker volume create -d hostvol -o path="$TMP/data" hvt_data
	start hvt_web
	before=$(snapshot)
}
teardown() { common_teardown; }

snapshot() {
	docker volume ls -q
	docker hostvol ls --container hvt_web --format json
	docker diff hvt_web | sort
	cat "/proc/$(pid_of hvt_web)/mountinfo"
	host_mounts
	ls -A /var/lib/hostvol/volumes "$TMP/data"
	daemon_quiet "$(daemon_pid)"
}

unchanged() {
	diff <(echo "$before") <(snapshot)
}

attach_fails() {
	fails_with "$@"
	unchanged
}

@test "a refusal of the daemon is shown with its hint" {
	attach_fails 1 "hostvol: no such volume: nope" "hint:" "docker hostvol attach /DIRECTORY hvt_web:/mnt/data" -- \
		docker hostvol attach nope hvt_web:/mnt/data
	attach_fails 1 "hostvol: there is no directory /mnt/x" "hint: leave out --no-mkdir" -- \
		docker hostvol attach --no-mkdir hvt_data hvt_web:/mnt/x
	attach_fails 1 "no volume is attached at /mnt/x in container 'hvt_web'" "hint:" -- \
		docker hostvol detach hvt_web:/mnt/x
	attach_fails 1 "no such attachment" -- docker hostvol detach 0123456789ab
	attach_fails 1 "no such container" -- docker hostvol detach nope:/mnt/data
}

@test "a volume whose directory is gone can be inspected" {
	rmdir "$TMP/data"
	docker volume inspect hvt_data # still there: Docker would forget it otherwise
	mkdir "$TMP/data"
}

@test "volume names that cannot be" {
	long=$(printf 'x%.0s' $(seq 300))
	for name in ../x a/b ' a' 'a b' -x .x é; do
		attach_fails 1 "is not a volume name" -- docker volume create -d hostvol -- "$name"
	done
	attach_fails 1 "at most 255" -- docker volume create -d hostvol "$long"
	attach_fails 1 "too short" -- docker volume create -d hostvol x
	run -0 post /VolumeDriver.Create '{"Name":""}' -o "$TMP/answer"
	grep -q '"Name\\" is empty' "$TMP/answer"
	unchanged
}

@test "volume options that cannot be" {
	attach_fails 1 "unknown option 'foo'" "path, mkdir, subpath, from, uid, gid, mode, as, ro, require-mount, follow, size, on-remove, type, device, o and attach" -- \
		docker volume create -d hostvol -o foo=bar hvt_x
	attach_fails 1 "not an absolute path" -- docker volume create -d hostvol -o path=rel hvt_x
	attach_fails 1 "there is no directory $TMP/nope" "mkdir=true" -- \
		docker volume create -d hostvol -o path="$TMP/nope" hvt_x
	attach_fails 1 "mkdir needs option path" -- docker volume create -d hostvol -o mkdir=true hvt_x
	attach_fails 1 "neither true nor false" -- \
		docker volume create -d hostvol -o path="$TMP" -o ro=perhaps hvt_x
	attach_fails 1 "not a directory" -- docker volume create -d hostvol -o path=/etc/passwd hvt_x
	attach_fails 1 "not a directory" -- \
		docker volume create -d hostvol -o path=/etc/passwd/x -o mkdir=true hvt_x
	attach_fails 1 "belongs to hostvol itself" -- \
		docker volume create -d hostvol -o path=/var/lib/hostvol/volumes hvt_x
}

@test "a 10 MB body, a wrong method, an unknown endpoint" {
	head -c 10000000 /dev/zero >"$TMP/big"
	run -0 post /HotAttach "@$TMP/big"
	[[ ${lines[-1]} == 413 && ${lines[0]} == *"longer than"* ]]
	rm "$TMP/big"
	run -0 post /HotAttach '{}' -X GET
	[[ ${lines[-1]} == 405 && ${lines[0]} == *"is called with POST"* ]]
	run -0 post /Nonsense '{}'
	[[ ${lines[-1]} == 404 && ${lines[0]} == *"no such endpoint"* ]]
	unchanged
}

@test "too few, too many and unknown arguments" {
	attach_fails 2 "Usage:" -- docker hostvol attach
	attach_fails 2 "Usage:" -- docker hostvol attach hvt_data
	attach_fails 2 "Usage:" -- docker hostvol attach hvt_data hvt_web
	attach_fails 2 "Usage:" -- docker hostvol attach hvt_data hvt_web:/a extra
	attach_fails 2 "Usage:" -- docker hostvol attach --nonsense hvt_data hvt_web:/a
	attach_fails 2 "Usage:" -- docker hostvol detach
	attach_fails 1 "hvt_web:/b: no volume is attached at /b" -- docker hostvol detach hvt_web:/a hvt_web:/b
	attach_fails 2 "Usage:" -- docker hostvol ls extra
	attach_fails 2 "unknown command" -- docker hostvol nonsense
}
