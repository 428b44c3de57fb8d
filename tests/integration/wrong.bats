load helpers

# Wrong input: a sentence, a hint where there is something to do, exit 1 or 2, and nothing changed.

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
	docker hostvol ls --format json
	docker diff hvt_web | sort
	cat "/proc/$(pid_of hvt_web)/mountinfo"
	host_mounts
	ls -A /var/lib/hostvol/volumes "$TMP/data"
	ls "/proc/$(pgrep -f '/usr/bin/hostvold --managed' | head -n 1)/fd" | wc -l
}

unchanged() {
	diff <(echo "$before") <(snapshot)
}

attach_fails() {
	fails_with "$@"
	unchanged
}

@test "no such volume" {
	attach_fails 1 "hostvol: no such volume: nope" "hint:" -- \
		docker hostvol attach nope hvt_web:/mnt/data
}

@test "a volume of another driver" {
	docker volume create hvt_local
	before=$(snapshot)
	attach_fails 1 "no such volume: hvt_local" "docker addvol" -- \
		docker hostvol attach hvt_local hvt_web:/mnt/data
}

@test "no such container" {
	attach_fails 1 "no such container: nope" -- docker hostvol attach hvt_data nope:/mnt/data
	attach_fails 1 "no such container" -- docker hostvol attach hvt_data '../x:/mnt/data'
	attach_fails 1 "no such container" -- docker hostvol detach nope:/mnt/data
}

@test "an ambiguous prefix" {
	local prefix=''
	# Seventeen IDs and sixteen digits: two begin with the same one.
	for i in $(seq 17); do
		docker create --label "$LABEL" $IMAGE true
	done
	prefix=$(docker ps -aq | cut -c 1 | sort | uniq -d | head -n 1)
	before=$(snapshot)
	attach_fails 1 "more than one container's ID begins with '$prefix'" "hint:" -- \
		docker hostvol attach hvt_data "$prefix:/mnt/data"
}

@test "--once and a container that is not running" {
	docker create --label "$LABEL" --name hvt_stopped $IMAGE true
	attach_fails 1 "container 'hvt_stopped' is not running" "docker start hvt_stopped" -- \
		docker hostvol attach --once hvt_data hvt_stopped:/mnt/data
}

@test "a relative target" {
	attach_fails 1 "not an absolute path" "hint:" -- docker hostvol attach hvt_data hvt_web:mnt/data
}

@test "targets where nothing may be mounted" {
	for target in / /proc /proc/x /sys /sys/fs /dev /dev/x /dev/shm/x //proc /x/../proc /.; do
		attach_fails 1 "nothing may be mounted at" "hint:" -- \
			docker hostvol attach hvt_data "hvt_web:$target"
	done
}

@test "a link to a place where nothing may be mounted" {
	docker exec hvt_web sh -c 'ln -s /proc /tmp/p; ln -s / /tmp/r; ln -s /proc/self/root /tmp/m; ln -s /nowhere /tmp/n'
	before=$(snapshot)
	attach_fails 1 "nothing may be mounted at" -- docker hostvol attach hvt_data hvt_web:/tmp/p
	attach_fails 1 "nothing may be mounted at" -- docker hostvol attach hvt_data hvt_web:/tmp/p/x
	attach_fails 1 "nothing may be mounted at" -- docker hostvol attach hvt_data hvt_web:/tmp/r
	attach_fails 1 "link that is refused" -- docker hostvol attach hvt_data hvt_web:/tmp/m/x
	attach_fails 1 "link that is refused" -- docker hostvol attach hvt_data hvt_web:/tmp/n
}

@test "a target that is a file, or below one, or a mount" {
	attach_fails 1 "is not a directory" -- docker hostvol attach hvt_data hvt_web:/bin/busybox
	attach_fails 1 "is a file" -- docker hostvol attach hvt_data hvt_web:/bin/busybox/x
	docker hostvol attach hvt_data hvt_web:/mnt/a
	docker volume create -d hostvol hvt_b
	before=$(snapshot)
	attach_fails 1 "already" "docker hostvol detach hvt_web:/mnt/a" -- \
		docker hostvol attach hvt_b hvt_web:/mnt/a
}

@test "--no-mkdir and a target that is missing" {
	attach_fails 1 "there is no directory /mnt/x" -- \
		docker hostvol attach --no-mkdir hvt_data hvt_web:/mnt/x
}

@test "a target path that is far too long" {
	local long=$(printf '/%0200d' $(seq 30) | tr -d '\n')
	attach_fails 1 "too long" -- docker hostvol attach hvt_data "hvt_web:$long"
}

@test "the source directory is gone" {
	rmdir "$TMP/data"
	fails_with 1 "the directory $TMP/data of volume 'hvt_data' is not there" "hint:" -- \
		docker hostvol attach hvt_data hvt_web:/mnt/data
	mkdir "$TMP/data"
	unchanged
	rmdir "$TMP/data"
	docker volume inspect hvt_data # still there: Docker would forget it otherwise
	mkdir "$TMP/data"
}

@test "detach of what is not attached" {
	attach_fails 1 "no volume is attached at /mnt/x in container 'hvt_web'" "hint:" -- \
		docker hostvol detach hvt_web:/mnt/x
	attach_fails 1 "no such attachment" -- docker hostvol detach 0123456789ab
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
	attach_fails 1 "unknown option 'foo'" "path, mkdir, ro, from and attach" -- \
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

@test "malformed requests" {
	for body in '' ' ' '{' '[]' '"x"' '{"Volume":1}' '{"Volume":"a\u0000b"}' '{} x' 'nonsense' \
		'{"Volume":"hvt_data","Container":"hvt_web","Target":"/x","Readonly":true}' \
		'{"Volume":"hvt_data","Container":"hvt_web"}'; do
		run -0 post /HotAttach "$body"
		echo "$body: $output"
		[[ ${lines[-1]} == 400 && ${lines[0]} == '{"Err":"'*'"Code":"bad-request"'* ]]
	done
	unchanged
}

@test "a 10 MB body, a wrong method, an unknown endpoint" {
	head -c 10000000 /dev/zero >"$TMP/big"
	run -0 post /HotAttach "@$TMP/big"
	[[ ${lines[-1]} == 413 && ${lines[0]} == *"longer than"* ]]
	rm "$TMP/big"
	run -0 post /HotAttach '{}' -X GET
	[[ ${lines[-1]} == 400 && ${lines[0]} == *"is called with POST"* ]]
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
	attach_fails 2 "Usage:" -- docker hostvol detach hvt_web:/a hvt_web:/b
	attach_fails 2 "Usage:" -- docker hostvol ls extra
	attach_fails 2 "unknown command" -- docker hostvol nonsense
}

@test "an option that this version does not have is refused, not ignored" {
	run -0 post /HotAttach '{"Volume":"hvt_data","Container":"hvt_web","Target":"/x","Propagation":"slave"}'
	[[ ${lines[-1]} == 501 && ${lines[0]} == *'"Code":"unsupported"'* ]]
	unchanged
}
