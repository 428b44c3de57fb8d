# SPDX-License-Identifier: Apache-2.0
load helpers

# Every refusal of the hot-attach API, one row each: status, Code, sentence and hint, and nothing is
# changed by it. docs/api.md has the codes. A row that fails is named in the output.

setup_file() {
	common_setup
	export TMP DATA=$TMP/data VILLAIN=$TMP/villain
	make_villain "$VILLAIN"
	mkdir -p "$DATA/sub"
	echo whole >"$DATA/f"
	docker volume create -d hostvol -o path="$DATA" hvt_data
	docker volume create -d hostvol hvt_other
	start hvt_web
	use_plugin
}

teardown_file() {
	common_teardown
}

teardown() {
	# shellcheck disable=SC2086
	end_all ${VILLAINS:-}
	end_plain
	restore_mount_max
}

# --- the table ------------------------------------------------------------------------------

# The daemon that the rows ask: the plugin's, or one that start_plain started.
use_plugin() {
	SOCKET=$(daemon_socket)
	DAEMON=$(daemon_pid)
	export SOCKET DAEMON
	warm_up hvt_data hvt_web
}

# Make it have what it keeps, so that what a row leaks is seen.
warm_up() {
	send /HotAttach "{\"Volume\":\"$1\",\"Container\":\"$2\",\"Target\":\"/mnt/warm/up\"}"
	send /HotDetach "{\"Container\":\"$2\",\"Target\":\"/mnt/warm/up\"}"
	HOLDS=$(daemon_quiet "$DAEMON")
	export HOLDS
}

# send ENDPOINT BODY: the answer in $answer, and its status in $http.
send() {
	answer=$(curl -s --max-time 30 --unix-socket "$SOCKET" -w '\n%{http_code}' \
		--data-binary @- "http://hostvol$1" <<<"$2")
	http=${answer##*$'\n'}
	answer=${answer%$'\n'*}
}

# text_of FIELD: a string of $answer; the last one of that name.
text_of() {
	local pattern="^.*\"$1\":\"(([^\"\\\\]|\\\\.)*)\""
	[[ $answer =~ $pattern ]] && printf '%s' "${BASH_REMATCH[1]//\\\"/\"}"
}

# Everything that a refusal must not change, but for what the daemon holds: the attachments, the
# containers' own changes (as docker diff tells them), mount tables, the directory of this file.
snapshot() (
	local name next=()
	trap - DEBUG # bats notes each command, which takes many times as long
	for name in ${WATCH:-hvt_web}; do
		[[ $(curl -s --unix-socket /run/docker.sock "http://docker/containers/$name/json") =~ \"Pid\":([0-9]+) ]]
		echo "$(<"/proc/${BASH_REMATCH[1]}/mountinfo")"
		next+=(--next -s --unix-socket /run/docker.sock "http://docker/containers/$name/changes")
	done
	curl -s --unix-socket "$SOCKET" -d '{}' http://hostvol/HotList "${next[@]}" |
		sed 's/[][]//g; s/,*{"\(Path\|ID\)"/\n&/g; s/\n,/\n/g' | grep -Ev '^\{"ID":.*"Volume":"([^h]|h[^v]|hv[^t])' | sort
	grep -v -e ' /var/lib/docker/' -e ' /run/docker/netns/' /proc/self/mountinfo # the Engine's own come and go
	echo "$(<"/proc/$DAEMON/mountinfo")"
	find "$TMP" -xdev -not -path "$TMP/plain*"
)

# make_body FIELD=TEXT|FIELD:=JSON|-FIELD|{BODY...: a JSON object in $body.
make_body() {
	local field name
	declare -A values=()
	[[ $endpoint != /HotAttach ]] ||
		values=([Volume]='"hvt_data"' [Container]='"hvt_web"' [Target]='"/mnt/x"')
	body=
	for field in "$@"; do
		case $field in
		-*) unset "values[${field#-}]" ;;
		[!A-Z]* | '') body=$field && return ;;
		*:=*) values[${field%%:=*}]=${field#*:=} ;;
		*=*) values[${field%%=*}]=\"${field#*=}\" ;;
		esac
	done
	for name in "${!values[@]}"; do
		body+=,\"$name\":${values[$name]}
	done
	body={${body#,}}
}

# matches WHAT TEXT PATTERN: the whole text is what the pattern says; '-' is no text.
matches() {
	if [[ $3 == - ]]; then
		[[ -z $2 ]] || wrong+=("there is a $1: $2")
	else
		[[ $2 =~ ^($3)$ ]] || wrong+=("the $1 is: $2")
	fi
}

report() {
	if [[ ${#wrong[@]} -eq 0 ]]; then
		echo "ok: $1"
		return
	fi
	failed=1
	printf 'FAILED: %s\n  request: %s\n  answer: %s %s\n' "$1" "${body:0:500}" "$http" "$answer"
	printf '  %s\n' "${wrong[@]}"
}

# unchanged BEFORE
unchanged() {
	local now
	now=$(snapshot)
	seen=$now
	[[ $now == "$1" ]] ||
		wrong+=("it changed something: $(diff <(echo "$1") <(echo "$now") || true)")
	[[ -n $HOLDS ]] || return 0
	now=$(daemon_quiet "$DAEMON" "$HOLDS")
	[[ $now == "$HOLDS" ]] ||
		wrong+=("the daemon holds: $(diff <(echo "$HOLDS") <(echo "$now") || true)")
}

# row ENDPOINT NAME STATUS CODE SENTENCE HINT [FIELD...]: with $still the test changes nothing between its
# rows: all is as it was after the one before.
row() {
	local endpoint=$1 name=$2 wrong=() body before
	shift 2
	make_body "${@:5}"
	before=${still:+${seen:-}}
	[[ -n $before ]] || before=$(snapshot)
	send "$endpoint" "$body"
	[[ $http == "$1" ]] || wrong+=("the status is not $1")
	matches Code "$(text_of Code)" "$2"
	matches sentence "$(text_of Err)" "$3"
	matches hint "$(text_of Hint)" "$4"
	unchanged "$before"
	report "$name"
}

# attach_row NAME STATUS CODE SENTENCE HINT [FIELD...]: HotAttach refuses, and HotCheck says the same.
attach_row() {
	row /HotAttach "$@"
	check_row "$@"
}

check_row() {
	local endpoint=/HotAttach name="check: $1" wrong=() body detail=$4
	[[ $5 == - ]] || detail+=" \\($5\\)"
	make_body "${@:6}"
	send /HotCheck "$body"
	if [[ $http == 400 ]]; then
		matches sentence "$(text_of Err)" "$4"
	else
		[[ $http == 200 && $answer == *'"OK":false'*'}]}' ]] || wrong+=("all is well")
		matches detail "$(text_of Detail)" "$detail"
	fi
	unchanged "$seen"
	report "$name"
}

detach_row() {
	row /HotDetach "$@"
}

# At the end of each test.
all_ok() {
	[[ -z ${failed:-} ]]
}

# --- daemons and limits of the tests' own ---------------------------------------------------

# start_plain [-w "WRAPPER..."] OPTION...: a daemon that is not Docker's, with a state of its own and
# a volume hvt_data in it; the rows ask it until end_plain.
start_plain() {
	local wrapper=()
	[[ $1 != -w ]] || { read -ra wrapper <<<"$2" && shift 2; }
	PLAIN=${PLAIN:-$(mktemp -d "$TMP/plain.XXXXXX")}
	SOCKET=$PLAIN/socket
	"${wrapper[@]}" "$BATS_TEST_DIRNAME/../../build/release/driver/daemon/hostvold" \
		--socket "$SOCKET" --state "$PLAIN/state" --mount-root "$PLAIN/mounts" "$@" \
		>"$PLAIN/log" 2>&1 3>&- &
	DAEMON=$!
	for _ in $(seq 100); do
		[[ ! -S $SOCKET ]] || break
		sleep 0.05
	done
	send /VolumeDriver.Create "{\"Name\":\"hvt_data\",\"Opts\":{\"path\":\"$DATA\"}}"
	HOLDS=$(daemon_quiet "$DAEMON")
}

# The next one has its state.
stop_plain() {
	kill "$DAEMON"
	wait "$DAEMON" || true
	rm -f "$SOCKET"
}

end_plain() {
	[[ -n ${PLAIN:-} ]] || return 0
	stop_plain || true
	end_all ${FAKE:+"$FAKE"}
	PLAIN='' FAKE=''
}

# end_all PID...
end_all() {
	[[ $# -gt 0 ]] || return 0
	kill "$@" 2>/dev/null || true
	wait "$@" 2>/dev/null || true
}

# fake_engine FILE...: an Engine that answers so, in turn; its socket in $ENGINE_SOCKET.
fake_engine() {
	ENGINE_SOCKET=$(mktemp -u "$TMP/plain.engine.XXXXXX")
	python3 "$BATS_TEST_DIRNAME/fake_engine.py" "$ENGINE_SOCKET" "$@" 3>&- &
	FAKE=$!
	for _ in $(seq 100); do
		[[ ! -S $ENGINE_SOCKET ]] || break
		sleep 0.05
	done
}

# say_container PID [STARTED]: what an Engine says about a container called hvt_fake.
say_container() {
	local file
	file=$(mktemp "$TMP/plain.answer.XXXXXX")
	printf '{"Id":"%064d","Name":"/hvt_fake","State":{"Running":true,"Pid":%d,"StartedAt":"%s"}}' \
		1 "$1" "${2:-$(date -u -d '1 hour' +%Y-%m-%dT%H:%M:%SZ)}" >"$file"
	echo "$file"
}

set_mount_max() {
	cp /proc/sys/fs/mount-max "$TMP/plain.mount-max"
	echo "$1" >/proc/sys/fs/mount-max
}

restore_mount_max() {
	[[ ! -e $TMP/plain.mount-max ]] || cat "$TMP/plain.mount-max" >/proc/sys/fs/mount-max
	rm -f "$TMP/plain.mount-max"
}

# --- the rows -------------------------------------------------------------------------------

@test "requests that make no sense" {
	local long still=yes
	attach_row "no body" 400 bad-request "the request body is empty; a JSON object is needed" - ""
	attach_row "spaces" 400 bad-request "the request body is empty; .*" - "  "
	attach_row "half an object" 400 bad-request "the request body is cut off in the middle" - "{"
	attach_row "no JSON" 400 bad-request "the request body is not valid JSON: .*" - nonsense
	attach_row "an array" 400 bad-request "the request body must be a JSON object" - "[]"
	attach_row "a string" 400 bad-request "the request body must be a JSON object" - '"x"'
	attach_row "text behind it" 400 bad-request "there is text after the JSON object" - "{} x"
	attach_row "an unknown field" 400 bad-request 'unknown field "Readonly"' - Readonly:=true
	attach_row "no Volume" 400 bad-request '"Volume" is missing' - -Volume
	attach_row "no Container" 400 bad-request '"Container" is missing' - -Container
	attach_row "no Target" 400 bad-request '"Target" is missing' - -Target
	attach_row "an empty Target" 400 bad-request '"Target" is empty' - Target=
	attach_row "null for Volume" 400 bad-request '"Volume" is missing' - Volume:=null
	attach_row "a number for Volume" 400 bad-request '"Volume" must be a string' - Volume:=1
	attach_row "a list for Target" 400 bad-request '"Target" must be a string' - 'Target:=["/x"]'
	attach_row "a string for ReadOnly" 400 bad-request '"ReadOnly" must be true or false' - ReadOnly=yes
	attach_row "a number for NoSuid" 400 bad-request '"NoSuid" must be true or false' - NoSuid:=1
	attach_row "a string for Mkdir" 400 bad-request '"Mkdir" must be true or false' - Mkdir=false
	attach_row "a number for Persist" 400 bad-request '"Persist" must be true or false' - Persist:=0
	attach_row "NUL in Volume" 400 bad-request '.* NUL character .*' - 'Volume=hvt_data\u0000x'
	attach_row "NUL in Target" 400 bad-request '.* NUL character .*' - 'Target=/mnt\u0000/x'
	attach_row "NUL in Subpath" 400 bad-request '.* NUL character .*' - 'Subpath=sub\u0000/x'
	attach_row "a newline in Target" 400 bad-request \
		"the target path has a control character in it" - 'Target=/mnt/a\nb'
	attach_row "DEL in Target" 400 bad-request \
		"the target path has a control character in it" - 'Target=/mnt/\u007f'
	attach_row "no UTF-8" 400 bad-request "the request body is not valid JSON: .*" - $'Target=/mnt/\xff'
	attach_row "a relative Target" 400 bad-request \
		"the target 'mnt/data' is not an absolute path" \
		"write it from the container's root: /mnt/data" Target=mnt/data
	long=$(printf '/%0200d' $(seq 30) | tr -d '\n')
	attach_row "a Target that is too long" 400 bad-request "the target path is too long" - "Target=$long"
	attach_row "a component that is too long" 400 bad-request \
		"the target path has a name in it that is longer than 255 bytes" - "Target=/mnt/$(printf %0256d 0)"
	attach_row "an absolute Subpath" 400 bad-request \
		"the subpath '/etc' must be relative to the volume's directory" - Subpath=/etc
	attach_row "a Subpath that goes up" 400 bad-request "the subpath 'sub/../..' has '..' in it" - \
		Subpath=sub/../..
	attach_row "a Subpath that is too long" 400 bad-request "the subpath is too long" - "Subpath=${long#/}"
	attach_row "an unknown IDMap" 400 bad-request \
		'"IDMap" must be auto, always or never, not "maybe"' - IDMap=maybe
	attach_row "an As that is a name" 400 bad-request \
		'"As" must be UID or UID:GID, in numbers from 0 to 4294967294, not "www-data"' \
		"give the numbers, since names differ between containers: docker exec CONTAINER id" As=www-data
	attach_row "an unknown Propagation" 400 bad-request '"Propagation" must be private or slave' - \
		Propagation=shared
	attach_row "an unknown Replace" 400 bad-request '"Replace" must be true, false or "nonatomic"' - \
		Replace=please
	attach_row "a number for Replace" 400 bad-request '"Replace" must be .*' - Replace:=1
	attach_row "Propagation slave of a read-only attachment" 400 bad-request \
		'"ReadOnly" contradicts "Propagation" slave: mounts that the host makes below the source later would not be so' \
		"leave out --ro, or --propagation slave" Propagation=slave ReadOnly:=true
	detach_row "nothing to detach" 400 bad-request '"ID", or "Container" and "Target", is needed' - "{}"
	detach_row "Container alone" 400 bad-request '"ID", or "Container" and "Target", is needed' - \
		Container=hvt_web
	detach_row "ID and Container" 400 bad-request '"ID" goes without "Container" and "Target"' - \
		ID=0123456789ab Container=hvt_web Target=/mnt/x
	detach_row "a relative Target to detach" 400 bad-request "the target 'x' is not an absolute path" - \
		Container=hvt_web Target=x
	detach_row "a Target to detach that is too long" 400 bad-request "the target path is too long" - \
		Container=hvt_web "Target=$long"
	detach_row "WaitSeconds below 0" 400 bad-request '"WaitSeconds" must be from 0 to 86400' - \
		ID=0123456789ab WaitSeconds:=-1
	detach_row "WaitSeconds above a day" 400 bad-request '"WaitSeconds" must be from 0 to 86400' - \
		ID=0123456789ab WaitSeconds:=86401
	detach_row "a string for WaitSeconds" 400 bad-request '"WaitSeconds" must be a whole number' - \
		ID=0123456789ab WaitSeconds=1
	detach_row "an unknown field to detach" 400 bad-request 'unknown field "Force"' - Force:=true
	row /HotList "an unknown field to list" 400 bad-request 'unknown field "Name"' - Name=x
	row /HotList "a number for Volume to list" 400 bad-request '"Volume" must be a string' - Volume:=1
	row /HotNonsense "no such endpoint" 404 no-such-endpoint "no such endpoint: /HotNonsense" - "{}"
	all_ok
}

@test "volumes and their directories" {
	local WATCH=hvt_web
	docker volume create -o type=tmpfs -o device=tmpfs hvt_local
	docker volume create -d hostvol -o path="$DATA/sub" hvt_sub
	attach_row "no such volume" 404 no-such-volume "no such volume: nope" \
		"list the volumes .* docker volume ls; if you mean a directory .*: docker hostvol attach /DIRECTORY hvt_web:/mnt/x" Volume=nope
	attach_row "a volume name that cannot be" 404 no-such-volume "no such volume: \.\./x" ".*/DIRECTORY.*" \
		Volume=../x
	attach_row "a volume of another driver that is not mounted" 404 source-missing \
		"volume 'hvt_local' is not mounted on the host: .*" \
		"attach it while a container uses it" Volume=hvt_local

	rmdir "$DATA/sub"
	attach_row "the source is gone" 404 source-missing \
		"the directory $DATA/sub of volume 'hvt_sub' is not there" \
		"create it again, or remove the volume: docker volume rm hvt_sub" Volume=hvt_sub
	ln -s /etc "$DATA/sub"
	attach_row "the source is a symlink now" 403 source-refused \
		"the path $DATA/sub of volume 'hvt_sub' has a symlink in it .*" \
		"put the directory back, or create the volume again" Volume=hvt_sub
	rm "$DATA/sub"
	touch "$DATA/sub"
	attach_row "the source is a file now" 403 source-refused \
		"$DATA/sub, which volume 'hvt_sub' stands for, is not a directory" \
		"put the directory back, or create the volume again" Volume=hvt_sub
	rm "$DATA/sub"
	mkdir "$DATA/sub"

	ln -s /etc "$DATA/out"
	ln -s ../.. "$DATA/sub/up"
	ln -s /proc/self/root "$DATA/magic"
	ln -s nowhere "$DATA/dangling"
	attach_row "no such subpath" 404 source-missing "there is no such subpath in volume 'hvt_data': nope/x" \
		"choose a path that exists in the volume's directory on the host: $DATA" Subpath=nope/x
	attach_row "a subpath that leads nowhere" 404 source-missing \
		"there is no such subpath in volume 'hvt_data': dangling" ".* $DATA" Subpath=dangling
	for subpath in out out/apt sub/up sub/up/etc magic magic/etc; do
		attach_row "a subpath that leads out: $subpath" 403 source-refused \
			"the subpath $subpath of volume 'hvt_data' goes through a symlink that leads out of it" \
			- "Subpath=$subpath"
	done
	attach_row "a subpath below a file" 403 source-refused \
		"the subpath f/x of volume 'hvt_data' cannot be opened: Not a directory" - Subpath=f/x
	attach_row "a subpath with a name that is too long" 403 source-refused \
		"the subpath 0{300} of volume 'hvt_data' cannot be opened: File name too long" - \
		"Subpath=$(printf %0300d 0)"
	rm "$DATA"/{out,sub/up,magic,dangling}

	mount -t tmpfs hvt "$DATA/sub"
	mount --make-unbindable "$DATA/sub"
	attach_row "an unbindable source" 403 source-refused \
		"the directory $DATA/sub of volume 'hvt_sub' is on a mount that cannot be cloned: it is unbindable.*" \
		"make the mount bindable .*: findmnt .* -T $DATA/sub" Volume=hvt_sub
	umount "$DATA/sub"
	mount -t tmpfs hvt "$DATA/sub"
	mount --make-private "$DATA/sub"
	touch "$DATA/sub/ns"
	# Its own: numbers of namespaces that were made on different processors have no order.
	start hvt_later
	mount --bind "/proc/$(pid_of hvt_later)/ns/mnt" "$DATA/sub/ns"
	WATCH=hvt_later
	row /HotAttach "a mount namespace's file in the source" 403 source-refused \
		"the directory $DATA/sub of volume 'hvt_sub' has a mount namespace's file mounted in it, one not newer than that of container 'hvt_later'" \
		"unmount the file, .*: findmnt -R -t nsfs $DATA/sub" Volume=hvt_sub Container=hvt_later
	umount -R "$DATA/sub"
	all_ok
}

@test "containers" {
	local prefix
	attach_row "no such container" 404 no-such-container "no such container: nope" \
		"list the containers: docker ps -a" Container=nope
	attach_row "a container name that cannot be" 404 no-such-container "no such container: \.\./x" \
		"list the containers: docker ps -a" Container=../x
	detach_row "no such container to detach from" 404 no-such-container "no such container: nope" \
		"list the containers: docker ps -a" Container=nope Target=/mnt/x
	docker create --label "$LABEL" --name hvt_stopped "$IMAGE" true
	attach_row "a container that was never started" 409 not-running \
		"container 'hvt_stopped' is not running" "leave out --once to attach it at the next start, or start the container first: docker start hvt_stopped" \
		Container=hvt_stopped Persist:=false
	docker run --label "$LABEL" --name hvt_ended --network none "$IMAGE" true
	attach_row "a container that has ended" 409 not-running \
		"container 'hvt_ended' is not running" "leave out --once to attach it at the next start, or start the container first: docker start hvt_ended" \
		Container=hvt_ended Persist:=false
	# Seventeen IDs and sixteen digits: two begin with the same one.
	for _ in $(seq 14); do
		docker create --label "$LABEL" "$IMAGE" true
	done
	for prefix in $(docker ps -aq | cut -c 1 | sort | uniq -d); do
		[[ -n $(docker ps -aq --filter "name=^$prefix\$") ]] || break # nobody's name
	done
	attach_row "an ambiguous prefix" 409 ambiguous \
		"more than one container's ID begins with '$prefix'" \
		"give more of the ID, or the container's name" "Container=$prefix"
	detach_row "an ambiguous prefix to detach from" 409 ambiguous \
		"more than one container's ID begins with '$prefix'" \
		"give more of the ID, or the container's name" "Container=$prefix" Target=/mnt/x
	all_ok
}

@test "targets" {
	local WATCH="hvt_web hvt_ro hvt_shared"
	local elsewhere="choose a path other than / and outside /proc, /sys and /dev"
	mkdir "$TMP/shared" "$TMP/readonly"
	mount -t tmpfs hvt "$TMP/shared"
	mount --make-shared "$TMP/shared"
	start hvt_ro --read-only -v hvt_other:/other:ro -v "$TMP/readonly:/host:ro" \
		--tmpfs /small:nr_inodes=1 --tmpfs /scratch
	start hvt_shared -v "$TMP/shared:/shared:rshared"
	for target in / /proc /proc/x /sys /sys/fs /dev /dev/x /dev/shm/x //proc /x/../proc /. /..; do
		attach_row "the target $target" 403 target-refused \
			"nothing may be mounted at (/|/proc|/sys|/dev)[a-z/]* in a container" "$elsewhere" "Target=$target"
	done

	docker exec hvt_web sh -c 'cd /tmp; ln -s /proc p; ln -s / r; ln -s /proc/self/root m
		ln -s /proc/1/cwd c; ln -s /nowhere n; ln -s loop loop; ln -s ../../../dev d'
	for target in /tmp/p /tmp/p/x /tmp/r /tmp/d/shm /tmp/r/sys; do
		attach_row "a link to where nothing may be mounted: $target" 403 target-refused \
			"nothing may be mounted at $target in container 'hvt_web': it leads to /, /proc, /sys or /dev" \
			"$elsewhere" "Target=$target"
	done
	for target in /tmp/m/x /tmp/c/x /tmp/n /tmp/n/x /tmp/loop; do
		attach_row "a link that is refused: $target" 403 target-refused \
			"the path $target in container 'hvt_web' goes through a link that leads nowhere or out of the container" \
			- "Target=$target"
	done
	attach_row "a shared mount" 403 target-refused \
		"/shared/x in container 'hvt_shared' lies on a shared mount: a mount there would spread to the host or to other containers" \
		"choose a path on the container's own file system" Container=hvt_shared Target=/shared/x

	attach_row "a directory on a file" 409 type-mismatch \
		"/bin/busybox in container 'hvt_web' is not a directory" \
		"to mount over a file, name a file of the volume with --subpath" Target=/bin/busybox
	attach_row "below a file" 409 type-mismatch \
		"a part of the path /bin/busybox/x in container 'hvt_web' is a file, not a directory" - \
		Target=/bin/busybox/x
	attach_row "a file on a directory" 409 type-mismatch \
		"/etc in container 'hvt_web' is a directory, and a file cannot be mounted on it" \
		"add the file's name to the target" Subpath=f Target=/etc
	attach_row "missing, and Mkdir false" 404 target-missing \
		"there is no directory /mnt/x in container 'hvt_web'" \
		"leave out --no-mkdir to create it" Mkdir:=false
	for target in /other/new /host/new/deep; do
		row /HotAttach "missing on a read-only volume: $target" 404 target-missing \
			"there is no directory $target in container 'hvt_ro', and the mount at $(cut -d / -f -2 <<<"$target") \\([a-z0-9]+\\) is read-only" \
			"create the directory in the source of the mount at $(cut -d / -f -2 <<<"$target")" \
			Container=hvt_ro "Target=$target"
	done
	row /HotAttach "missing on a full file system" 404 target-missing \
		"there is no directory /small/x in container 'hvt_ro', and it cannot be made: No space left on device" \
		"choose a directory that exists in the container" \
		Container=hvt_ro Target=/small/x
	row /HotAttach "missing in too many parts" 403 target-refused \
		"too many directories of the path /scratch/[a/]* are missing in container 'hvt_ro'" \
		"create some of them in the container first" Container=hvt_ro "Target=/scratch$(printf '/a%.0s' $(seq 200))"
	all_ok
}

@test "targets that are taken" {
	local WATCH="hvt_web hvt_taken"
	start hvt_taken -v hvt_other:/other
	attach hvt_data hvt_web /mnt/a
	mkdir -p "$DATA/sub"
	attach_row "another volume at an attachment" 409 target-exists \
		"volume 'hvt_data' is attached at /mnt/a in container 'hvt_web' already" \
		"attach with --replace, or detach first: docker hostvol detach hvt_web:/mnt/a" \
		Volume=hvt_other Target=/mnt/a
	for option in ReadOnly:=true NoSuid:=true NoDev:=true NoExec:=true Subpath=sub Persist:=false; do
		attach_row "the same volume with $option" 409 target-exists \
			"volume 'hvt_data' is attached at /mnt/a in container 'hvt_web' already, with other options" \
			"attach with --replace, or detach first: docker hostvol detach hvt_web:/mnt/a" Target=/mnt/a "$option"
	done
	attach_row "a mount that is not ours" 409 target-exists \
		"something is mounted at /other in container 'hvt_taken' already" \
		"choose another path, or attach with --replace: the mount there stays covered until the volume is detached" \
		Container=hvt_taken Target=/other
	attach_row "a file that is mounted" 409 target-exists \
		"something is mounted at /etc/hosts in container 'hvt_taken' already" \
		"choose another path, or attach with --replace: the mount there stays covered until the volume is detached" \
		Container=hvt_taken Target=/etc/hosts Subpath=f
	row /VolumeDriver.Remove "removing a volume that is attached" 409 volume-in-use \
		"volume 'hvt_data' is attached to container 'hvt_web' at /mnt/a \(docker hostvol detach hvt_web:/mnt/a\)" \
		"docker hostvol detach hvt_web:/mnt/a" Name=hvt_data
	docker hostvol detach hvt_web:/mnt/a
	all_ok
}

attach() {
	docker hostvol attach "$1" "$2:$3"
}

@test "detaching" {
	local WATCH="hvt_web hvt_mounts" pid
	start hvt_mounts --cap-add SYS_ADMIN --security-opt apparmor=unconfined
	detach_row "nothing is attached there" 404 no-such-attachment \
		"no volume is attached at /mnt/x in container 'hvt_web'" \
		"list the attachments \(a docker run -v mount lasts as long as the container\): docker hostvol ls --container hvt_web" \
		Container=hvt_web Target=/mnt/x
	detach_row "no such ID" 404 no-such-attachment "no such attachment: 0123456789ab" \
		"list the attachments: docker hostvol ls" ID=0123456789ab
	detach_row "an ID that cannot be" 404 no-such-attachment "no such attachment: x'y" \
		"list the attachments: docker hostvol ls" "ID=x'y"

	attach hvt_data hvt_web /mnt/a
	docker exec -d hvt_web sh -c 'cd /mnt/a && exec sleep 1000'
	until pid=$(docker top hvt_web -o pid,args | awk '/sleep 1000$/ { print $1 }') &&
		[[ $(readlink "/proc/$pid/cwd") == /mnt/a ]]; do :; done
	for wait in 0 1; do
		detach_row "in use, WaitSeconds $wait" 409 busy \
			"volume 'hvt_data' is in use at /mnt/a in container 'hvt_web'" \
			"end its uses \(.*\), or detach with --lazy" \
			Container=hvt_web Target=/mnt/a "WaitSeconds:=$wait"
		[[ $answer == *"\"Busy\":[{\"Pid\":$pid,\"Command\":\"sleep\",\"Why\":\"cwd\"}]"* ]]
	done
	kill "$pid"
	docker hostvol detach --wait 10 hvt_web:/mnt/a

	attach hvt_data hvt_mounts /mnt/a
	docker exec hvt_mounts mount -t tmpfs over /mnt/a
	for lazy in false true; do
		detach_row "covered, Lazy $lazy" 409 busy \
			"volume 'hvt_data' at /mnt/a in container 'hvt_mounts' is covered by a mount at /mnt/a \(tmpfs\)(, by process [0-9]+ \(mount\))?" \
			"unmount that first, in the container" Container=hvt_mounts Target=/mnt/a "Lazy:=$lazy"
	done
	docker exec hvt_mounts umount /mnt/a
	docker exec hvt_mounts mount -t tmpfs below /mnt/a/sub
	detach_row "a mount below it" 409 busy \
		"volume 'hvt_data' is in use at /mnt/a in container 'hvt_mounts'" \
		"end its uses \(.*a mount below it\), or detach with --lazy" \
		Container=hvt_mounts Target=/mnt/a
	docker exec hvt_mounts umount /mnt/a/sub
	docker hostvol detach hvt_mounts:/mnt/a
	all_ok
}

@test "as many mounts as the kernel allows: a thousand of them are in nobody's way" {
	local WATCH=hvt_full
	start hvt_full
	"$VILLAIN" mounts 1000 /full "$(pid_of hvt_full)"
	attach hvt_data hvt_full /mnt/a
	docker exec hvt_full cat /mnt/a/f
	[[ $(docker hostvol ls --container hvt_full) == *" attached "* ]]
	docker hostvol detach hvt_full:/mnt/a
	# More than the host and the other containers have, which go on.
	set_mount_max "$(wc -l <"/proc/$(pid_of hvt_full)/mountinfo")"
	for target in /mnt /mnt/new/deep; do
		row /HotAttach "too many mounts: $target" 501 unsupported \
			"volume 'hvt_data' cannot be mounted at $target: container 'hvt_full' would have more mounts than the kernel allows" \
			"raise the limit: sysctl -w fs.mount-max=NUMBER" Container=hvt_full "Target=$target"
	done
	restore_mount_max
	attach hvt_data hvt_full /mnt/new/deep
	docker hostvol detach hvt_full:/mnt/new/deep
	all_ok
}

engine_row() {
	fake_engine -
	start_plain --engine "$ENGINE_SOCKET"
	row /HotAttach "an Engine that does not answer" 504 timeout \
		"the Docker Engine at $ENGINE_SOCKET did not answer in time" \
		"nothing was changed; try again when docker ps answers"
	end_plain
}

@test "servers that never answer" {
	local WATCH="hvt_web hvt_silent" host container first second
	start hvt_silent
	docker exec hvt_silent mkdir /fuse
	mkdir "$TMP.fuse" # not where a snapshot looks
	docker volume create -d hostvol -o path="$TMP.fuse" hvt_fuse
	"$VILLAIN" silent "$TMP.fuse" $$ >/dev/null 2>&1 3>&- &
	host=$!
	"$VILLAIN" silent /fuse "$(pid_of hvt_silent)" >/dev/null 2>&1 3>&- &
	container=$!
	VILLAINS="$host $container"
	until grep -q "$TMP.fuse" /proc/self/mountinfo &&
		grep -q ' /fuse ' "/proc/$(pid_of hvt_silent)/mountinfo"; do :; done
	# Each takes the ten seconds that a helper has: at the same time. The helpers end with the servers.
	HOLDS=
	row /HotAttach "a source that does not answer" 504 timeout \
		"a file system on the way to $TMP.fuse \(volume 'hvt_fuse'\) or to /mnt/x in container 'hvt_web' does not answer" \
		"nothing was changed; check that its server is running" Volume=hvt_fuse Subpath=x >"$TMP/plain.row" &
	first=$!
	engine_row >"$TMP/plain.engine-row" 2>&1 3>&- &
	second=$!
	row /HotAttach "a target that does not answer" 504 timeout \
		"a file system on the way to $DATA \(volume 'hvt_data'\) or to /fuse/x in container 'hvt_silent' does not answer" \
		"nothing was changed; check that its server is running" Container=hvt_silent Target=/fuse/x
	wait "$first"
	wait "$second"
	cat "$TMP/plain.row" "$TMP/plain.engine-row"
	kill "$host" "$container"
	umount "$TMP.fuse"
	rmdir "$TMP.fuse"
	[[ $(<"$TMP/plain.row") == ok:* && $(<"$TMP/plain.engine-row") == ok:* ]]
	warm_up hvt_data hvt_web
	attach_row "another helper, with none left behind" 409 target-exists \
		"something is mounted at /etc/hosts in container 'hvt_silent' already" ".*" \
		Container=hvt_silent Target=/etc/hosts Subpath=f
	[[ $HOLDS == *"children: " ]]
	all_ok
}

@test "another daemon: directories that are not allowed, kernels and rights that do not do" {
	local deny="$BATS_TEST_DIRNAME/../../build/release/tests/support/deny_syscall"
	start hvt_user --user 1000
	start_plain --allow "$TMP/elsewhere:$TMP"
	stop_plain
	start_plain --allow "$TMP/elsewhere"
	attach_row "a directory that is not allowed any more" 403 source-refused \
		"the directory $DATA of volume 'hvt_data' is not in a directory that volumes may be in" \
		"ask the administrator to add the directory to HOSTVOL_ALLOW"
	end_plain

	for call in open_tree move_mount; do
		start_plain
		stop_plain
		start_plain -w "$deny $call ENOSYS --"
		row /HotAttach "a kernel without $call" 501 unsupported \
			"volume 'hvt_data' cannot be mounted at /mnt/x in container 'hvt_web': this kernel, or a seccomp filter around hostvol, lacks a system call that is needed" \
			"use Linux 5.2 or newer, or set HOSTVOL_LEGACY=1; see which call is missing: docker hostvol version"
		end_plain
	done

	start_plain -w "setpriv --bounding-set=-sys_ptrace --inh-caps=-sys_ptrace"
	attach_row "no right to look at the container's process" 403 denied \
		"the mount namespace of container 'hvt_user' cannot be opened: Permission denied" \
		"give hostvol CAP_SYS_ADMIN and CAP_SYS_PTRACE; .*" Container=hvt_user
	end_plain
	all_ok
}

@test "another Engine: processes that are not the container's" {
	local ended alien own now mapped
	sleep 0 &
	ended=$!
	wait "$ended"
	sleep 1000 3>&- &
	own=$!
	unshare -m sleep 1000 3>&- &
	alien=$!
	unshare -U -r -m sleep 1000 3>&- &
	mapped=$!
	VILLAINS="$own $alien $mapped"
	until [[ $(readlink "/proc/$alien/ns/mnt") != $(readlink /proc/self/ns/mnt) &&
		$(readlink "/proc/$mapped/ns/mnt") != $(readlink /proc/self/ns/mnt) ]]; do :; done
	now=$(say_container "$alien")

	fake_engine "$(say_container "$ended")"
	start_plain --engine "$ENGINE_SOCKET"
	attach_row "it ended meanwhile" 409 not-running "container 'hvt_fake' ended meanwhile" \
		"nothing was changed; start it first: docker start hvt_fake" Container=hvt_fake Persist:=false
	end_plain
	fake_engine "$(say_container "$own")"
	start_plain --engine "$ENGINE_SOCKET"
	attach_row "it has the host's mount namespace" 403 target-refused \
		"container 'hvt_fake' has no mount namespace of its own" - Container=hvt_fake
	end_plain
	fake_engine "$(say_container "$alien" 2020-01-01T00:00:00Z)"
	start_plain --engine "$ENGINE_SOCKET"
	attach_row "the process is another's" 409 container-changed \
		"container 'hvt_fake' was stopped or restarted meanwhile" "nothing was changed; try again" \
		Container=hvt_fake
	end_plain
	fake_engine "$now" "$(say_container "$own")" "$now" "$(say_container "$alien" 2099-01-01T00:00:00Z)"
	start_plain --engine "$ENGINE_SOCKET"
	attach_row "it restarts while it is looked at" 409 container-changed \
		"container 'hvt_fake' was stopped or restarted meanwhile" "nothing was changed; try again" \
		Container=hvt_fake
	end_plain
	fake_engine "$(say_container "$mapped")"
	start_plain --engine "$ENGINE_SOCKET"
	mkdir "$TMP/low" "$TMP/lower"
	mount -t overlay -o "lowerdir=$TMP/low:$TMP/lower" hvt "$DATA/sub"
	attach_row "owners that cannot be mapped" 501 unsupported \
		"the file system of $DATA, or of a mount in it, cannot map owners for the user namespace of container 'hvt_fake'" \
		"attach with --idmap never: .*" Container=hvt_fake IDMap=always
	attach_row "an owner that the container does not have" 400 bad-request \
		"the owner of volume 'hvt_data' cannot be shown as 4294967294: the container's user namespace has no such user or group" \
		"choose IDs .*" Container=hvt_fake As=4294967294
	umount "$DATA/sub"
	end_plain
	fake_engine "$DATA/f"
	start_plain --engine "$ENGINE_SOCKET"
	attach_row "an Engine that talks nonsense" 500 internal \
		"the Docker Engine's answer about the container makes no sense: .*" -
	end_plain
	start_plain --engine "$TMP/nowhere.sock"
	attach_row "no Engine" 500 internal \
		"the Docker Engine's socket $TMP/nowhere.sock cannot be opened: No such file or directory" \
		"check that dockerd runs and that HOSTVOL_ENGINE names its socket"
	end_plain
	all_ok
}

@test "a state directory that cannot be used" {
	touch "$TMP/plain.state"
	start_plain --state "$TMP/plain.state/x"
	row /HotAttach "attach without a state" 503 state-unreadable \
		"the state directory $TMP/plain.state/x cannot be used: .*: Not a directory" -
	detach_row "detach without a state" 503 state-unreadable \
		"the state directory $TMP/plain.state/x cannot be used: .*: Not a directory" - \
		Container=hvt_web Target=/mnt/x
	row /HotList "list without a state" 503 state-unreadable \
		"the state directory $TMP/plain.state/x cannot be used: .*: Not a directory" - {}
	end_plain
	all_ok
}
