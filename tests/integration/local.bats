# SPDX-License-Identifier: Apache-2.0
load helpers

# Whoever moves from Docker's own driver `local` to hostvol finds nothing changed: the same commands on
# either end with the same status and print the same. A row is a name, what is to be the same, and
# the commands, in which $V is the volume and
#     create [OPTION...]   makes it with the driver
#     with [OPTION...]     runs a container, --rm; IMAGE and COMMAND follow
# What is to be the same:
#     =             output, and both succeed
#     =!            output, and both fail with the same status
#     status        both fail with the same status; what is printed then is each driver's own
#     REASON        hostvol fails and local does not, or later, for this reason
#     +REASON       local fails and hostvol does not
#     ~REASON       both succeed, and print something else

TABLE=(
	# Names.
	'a name of two characters|=|V=$TWO; create'
	'a name of one character|status|V=x; create'
	'all characters that are allowed|=|V=$V.b-C_9; create'
	'a name that begins with _|status|V=_x; create'
	'a name that begins with .|status|V=.x; create'
	'a name with a blank|status|V="a b"; create'
	'a name with a slash|status|V=a/b; create'
	'a name that leads up|status|V=../hvt_x; create'
	'a name that is not ASCII|status|V=hvt_é; create'
	'a name with a line break|status|V=$(printf "hvt\nx"); create'
	'a name of 255 characters|=|V=$(printf "%0255d" 1); create >/dev/null && docker volume rm "$V" >/dev/null'
	'a name of 256 characters|status|V=$(printf "%0256d" 1); create'
	'no name|=|n=$(docker volume create -d $DRIVER); echo ${#n}; docker volume rm $n >/dev/null'

	# Life.
	'create prints the name|=|create'
	'create again|=|create; create'
	'create again with other options|=|create; create -o type=tmpfs -o device=tmpfs; with -v $V:/d IMAGE sh -c "grep -c tmpfs.*/d /proc/mounts; true"'
	'inspect|=|create --label a=b >/dev/null; docker volume inspect -f "{{.Name}} {{.Scope}} {{json .Labels}} {{json .Options}}" $V'
	'inspect shows the options|=|create -o type=tmpfs -o device=tmpfs -o o=size=1m >/dev/null; docker volume inspect -f "{{json .Options}}" $V'
	'inspect shows a path of the host with the data in it|=|create >/dev/null; with -v $V:/d IMAGE touch /d/f; ls "$(docker volume inspect -f "{{.Mountpoint}}" $V)"'
	'inspect of what is not there|=!|docker volume inspect $V 2>/dev/null'
	'ls by name|=|create >/dev/null; docker volume ls -q -f name=$V'
	'ls of what dangles|=|create >/dev/null; docker volume ls -q -f name=$V -f dangling=true; docker create --name hvt_c --label $LABEL -v $V:/d IMAGE >/dev/null; docker volume ls -q -f name=$V -f dangling=true'
	'ls by label|=|create --label hvt=1 >/dev/null; docker volume ls -q -f label=hvt=1'
	'rm prints the name|=|create >/dev/null; docker volume rm $V'
	'rm deletes the data|=|create >/dev/null; p=$(docker volume inspect -f "{{.Mountpoint}}" $V); with -v $V:/d IMAGE touch /d/f; docker volume rm $V >/dev/null; [[ ! -e $p ]]'
	'rm of what is not there|=!|docker volume rm $V 2>/dev/null'
	'rm -f of what is not there|=|docker volume rm -f $V'
	'rm of what a container uses|=!|create; docker create --name hvt_c --label $LABEL -v $V:/d IMAGE >/dev/null; docker volume rm $V 2>/dev/null'
	'rm -f of what a container uses|=!|create; docker create --name hvt_c --label $LABEL -v $V:/d IMAGE >/dev/null; docker volume rm -f $V 2>/dev/null'
	'rm of two, one of which is not there|=!|create; docker volume rm $V hvt_none 2>/dev/null'

	'create again by another driver|status|create >/dev/null; docker volume create -d $([[ $DRIVER = local ]] && echo hostvol || echo local) $V'
	'labels, several, odd and empty ones|=|create --label a=b=c --label "d=e f" --label g >/dev/null; docker volume inspect -f "{{json .Labels}}" $V'
	'ls by a label that is another|=|create --label hvt=1 >/dev/null; docker volume ls -q -f label=hvt=2; docker volume ls -q -f label=hvt'
	'ls by label, not|=|create --label hvt=1 >/dev/null; docker volume ls -q -f name=$V -f label!=hvt=1 || echo refused'
	'inspect of one that is there and one that is not|=!|create >/dev/null; docker volume inspect -f "{{.Name}}" $V hvt_none 2>/dev/null'
	'two names to create|status|docker volume create -d $DRIVER $V hvt_other'
	'rm -v of its container leaves a volume with a name|=|create >/dev/null; docker run --name hvt_c --label $LABEL --network none -v $V:/d IMAGE true; docker rm -v hvt_c; docker volume ls -q -f name=$V'
	'rm after the container that used it|=|create >/dev/null; docker create --name hvt_c --label $LABEL -v $V:/d IMAGE >/dev/null; docker rm hvt_c; docker volume rm $V'
	'rm twice|=!|create >/dev/null; docker volume rm $V; docker volume rm $V 2>/dev/null'

	# Use.
	'data stays from one container to the next|=|create; with -v $V:/d IMAGE sh -c "echo one >/d/f"; with -v $V:/d IMAGE cat /d/f'
	'two containers at once|=|create; docker run -d --name hvt_c --label $LABEL --network none -v $V:/d IMAGE sleep 1000 >/dev/null; with -v $V:/e IMAGE touch /e/f; docker exec hvt_c ls /d'
	'two places in one container|=|create; with -v $V:/a -v $V:/b IMAGE sh -c "touch /a/f; ls /b"'
	'read-only by -v|=!|create; with -v $V:/d:ro IMAGE touch /d/f 2>/dev/null'
	'read-only by --mount|=!|create; with --mount type=volume,src=$V,dst=/d,readonly IMAGE touch /d/f 2>/dev/null'
	'-v with the driver for one that is there|=|create; with --volume-driver $DRIVER -v $V:/d IMAGE sh -c "touch /d/f; ls /d"'
	'-v with the driver for one that is not|=|with --volume-driver $DRIVER -v $V:/d IMAGE sh -c "touch /d/f; ls /d"; docker volume ls -q -f name=$V'
	'the mount as inspect shows it|=|create; docker create --name hvt_c --label $LABEL -v $V:/d:ro IMAGE >/dev/null; docker inspect -f "{{range .Mounts}}{{.Type}} {{.Name}} {{.Destination}} {{.RW}} {{.Propagation}}{{end}}" hvt_c'
	'a relative place|status|create >/dev/null; with -v $V:rel IMAGE true'
	'a mode that does not exist|status|create >/dev/null; with -v $V:/d:odd IMAGE true'
	'propagation of a volume|status|create >/dev/null; with -v $V:/d:rshared IMAGE true'
	'--mount without a place|status|create >/dev/null; with --mount type=volume,src=$V IMAGE true'
	'two volumes at one place|status|create >/dev/null; docker volume create hvt_other >/dev/null; with -v $V:/d -v hvt_other:/d IMAGE true'
	'a place that is a file of the image|status|create >/dev/null; with -v $V:/content/file IMAGE true'
	'owner and mode of a new volume|=|create; with -v $V:/new IMAGE stat -c "%u %g %a" /new'
	'the content of the image is copied|=|create; with -v $V:/content IMAGE sh -c "stat -c \"%u %g %a\" /content; ls /content"'
	'the content of the image is not copied twice|=|create; with -v $V:/content IMAGE rm /content/file; with -v $V:/content IMAGE ls /content'
	'it is not copied over data|=|create; with -v $V:/d IMAGE touch /d/mine; with -v $V:/content IMAGE ls /content'
	'the content is copied as it is: links, owner, mode|=|create; with -v $V:/odd IMAGE sh -c "cd /odd; stat -c \"%n %u %g %a %h %F\" * | sort; readlink link"'
	'the content is not copied through a read-only mount twice|=|create; with -v $V:/content:ro IMAGE ls /content; with -v $V:/content IMAGE ls /content'
	'readonly and volume-nocopy|=|create; with --mount type=volume,src=$V,dst=/content,readonly,volume-nocopy IMAGE ls /content'
	'content into an empty bind|=|create -o type=none -o device=$DIR/empty -o o=bind; with -v $V:/content IMAGE ls /content; ls $DIR/empty; rm -f $DIR/empty/*'
	'content into a tmpfs|=|create -o type=tmpfs -o device=tmpfs; with -v $V:/content IMAGE ls /content'
	'nocopy|=|create; with -v $V:/content:nocopy IMAGE ls /content'
	'volume-nocopy|=|create; with --mount type=volume,src=$V,dst=/content,volume-nocopy IMAGE ls /content'
	'made by --mount with its options|=|with --mount type=volume,src=$V,dst=/d,volume-driver=$DRIVER,volume-opt=type=tmpfs,volume-opt=device=tmpfs IMAGE grep -c " /d tmpfs " /proc/mounts'
	'made by --mount with a bad option|status|with --mount type=volume,src=$V,dst=/d,volume-driver=$DRIVER,volume-opt=foo=bar IMAGE true'
	'an anonymous one goes with --rm|=|before=$(docker volume ls -q | wc -l); with --volume-driver $DRIVER -v /d IMAGE touch /d/f; [[ $(docker volume ls -q | wc -l) == $before ]]'
	'--volumes-from|=|create; docker create --name hvt_c --label $LABEL -v $V:/d IMAGE >/dev/null; with --volumes-from hvt_c IMAGE touch /d/f; with -v $V:/d IMAGE ls /d'
	'restart|=|create; docker run -d --name hvt_c --label $LABEL --network none -v $V:/d IMAGE sleep 1000 >/dev/null; docker exec hvt_c touch /d/f; docker restart -t 0 hvt_c; docker exec hvt_c ls /d'
	'cp out of a running container, and it has its data still|=|create; docker run -d --name hvt_c --label $LABEL --network none -v $V:/d IMAGE sleep 1000 >/dev/null; docker exec hvt_c sh -c "echo one >/d/f"; docker cp hvt_c:/d/f - | tar -xO; docker exec hvt_c cat /d/f'
	'cp into a running container|=|create; docker run -d --name hvt_c --label $LABEL --network none -v $V:/d IMAGE sleep 1000 >/dev/null; docker cp /etc/hostname hvt_c:/d/f 2>/dev/null; docker exec hvt_c ls /d; docker rm -f hvt_c; with -v $V:/d IMAGE ls /d'
	'cp into a stopped container|=|create; docker create --name hvt_c --label $LABEL -v $V:/d IMAGE >/dev/null; docker cp /etc/hostname hvt_c:/d/f 2>/dev/null; with -v $V:/d IMAGE ls /d'
	'a container that does not start lets go of it|=|create; with -v $V:/d IMAGE /no/such/program 2>/dev/null; echo $?; docker volume rm $V'

	# Options.
	'an unknown option|status|create -o foo=bar'
	'an option without a value|status|create -o foo'
	'device alone|status|create -o device=/tmp'
	'type alone|status|create -o type=tmpfs'
	'o alone|status|create -o o=ro'
	'type and o|status|create -o type=tmpfs -o o=size=1m'
	'device and o|status|create -o device=tmpfs -o o=size=1m'
	'size that is no number|status|create -o size=hello'
	'size where there is no quota|status|create -o size=10m'
	'tmpfs|=|create -o type=tmpfs -o device=tmpfs; with -v $V:/d IMAGE stat -f -c %T /d'
	'tmpfs with a size|=|create -o type=tmpfs -o device=tmpfs -o o=size=1m; with -v $V:/d IMAGE sh -c "dd if=/dev/zero of=/d/f bs=1M count=2 2>&1 | grep -o No.space; stat -c %s /d/f"'
	'tmpfs with owner and mode|=|create -o type=tmpfs -o device=tmpfs -o o=uid=5,gid=6,mode=700; with -v $V:/d IMAGE stat -c "%u %g %a" /d'
	'tmpfs that is empty again after the last container|=|create -o type=tmpfs -o device=tmpfs; with -v $V:/d IMAGE touch /d/f; with -v $V:/d IMAGE ls /d'
	'tmpfs shared by two|=|create -o type=tmpfs -o device=tmpfs; docker run -d --name hvt_c --label $LABEL --network none -v $V:/d IMAGE sleep 1000 >/dev/null; with -v $V:/d IMAGE touch /d/f; docker exec hvt_c ls /d'
	'tmpfs, read-only|=!|create -o type=tmpfs -o device=tmpfs -o o=ro; with -v $V:/d IMAGE touch /d/f 2>/dev/null'
	'tmpfs with flags of the mount|=|create -o type=tmpfs -o device=tmpfs -o o=nosuid,nodev,noexec,noatime; with -v $V:/d IMAGE sh -c "grep \" /d \" /proc/mounts | cut -d \" \" -f 4"'
	'an empty o|=|create -o type=tmpfs -o device=tmpfs -o o=; with -v $V:/d IMAGE stat -f -c %T /d'
	'o with empty words|=|create -o type=tmpfs -o device=tmpfs -o o=,size=1m,,mode=700,; with -v $V:/d IMAGE stat -c %a /d'
	'o that contradicts itself|=|create -o type=tmpfs -o device=tmpfs -o o=ro,rw,size=2m,size=1m; with -v $V:/d IMAGE sh -c "touch /d/f; df -k /d | tail -1 | tr -s \" \" | cut -d \" \" -f 2"'
	'a size in percent, inodes|=|create -o type=tmpfs -o device=tmpfs -o o=size=1%,nr_inodes=10; with -v $V:/d IMAGE sh -c "for i in 1 2 3 4 5 6 7 8 9 10; do touch /d/\$i 2>/dev/null; done; ls /d"'
	'times|=|create -o type=tmpfs -o device=tmpfs -o o=relatime,nodiratime; with -v $V:/d IMAGE sh -c "grep \" /d \" /proc/mounts | cut -d \" \" -f 4 | cut -d , -f 1-4"'
	'tmpfs that is gone after docker restart of its one container|=|create -o type=tmpfs -o device=tmpfs; docker run -d --name hvt_c --label $LABEL --network none -v $V:/d IMAGE sleep 1000 >/dev/null; docker exec hvt_c touch /d/f; docker restart -t 0 hvt_c; docker exec hvt_c ls /d'
	'tmpfs with an option it does not have|status|create -o type=tmpfs -o device=tmpfs -o o=foo=1; with -v $V:/d IMAGE true'
	'a type that does not exist|status|create -o type=nosuchfs -o device=x; with -v $V:/d IMAGE true'
	'bind|=|create -o type=none -o device=$DIR -o o=bind; with -v $V:/d IMAGE cat /d/file'
	'bind, written to|=|create -o type=none -o device=$DIR -o o=bind; with -v $V:/d IMAGE sh -c "echo two >/d/two"; cat $DIR/two; rm $DIR/two'
	'bind, read-only|=!|create -o type=none -o device=$DIR -o o=bind,ro; with -v $V:/d IMAGE touch /d/f 2>/dev/null'
	'bind with an empty type|=|create -o type= -o device=$DIR -o o=bind; with -v $V:/d IMAGE cat /d/file'
	'bind, a volume in a volume|=|create -o type=none -o device=$DIR -o o=bind; docker volume create hvt_other >/dev/null; with -v $V:/d -v hvt_other:/d/empty IMAGE sh -c "touch /d/empty/x; ls /d/empty"; ls $DIR/empty'
	'bind by any type|=|create -o type=ext4 -o device=$DIR -o o=bind; with -v $V:/d IMAGE cat /d/file'
	'bind keeps the data when it is removed|=|create -o type=none -o device=$DIR -o o=bind; with -v $V:/d IMAGE true; docker volume rm $V; cat $DIR/file'
	'rbind shows what is mounted inside|=|create -o type=none -o device=$DIR -o o=rbind; with -v $V:/d IMAGE ls /d/sub'
	'bind of a symlink to a directory|=|create -o type=none -o device=$DIR.link -o o=bind; with -v $V:/d IMAGE cat /d/file'
	'a block device|=|create -o type=ext4 -o device=$DISK; with -v $V:/d IMAGE sh -c "rm -f /d/f; touch /d/f; ls /d"; with -v $V:/d IMAGE sh -c "echo $DRIVER >/d/f"; with -v $V:/d IMAGE grep -c $DRIVER /d/f'
	'a block device, read-only|=!|create -o type=ext4 -o device=$DISK -o o=ro; with -v $V:/d IMAGE touch /d/g 2>/dev/null'
	'a block device of another type|status|create -o type=xfs -o device=$DISK; with -v $V:/d IMAGE true'
	'overlay|=|create -o type=overlay -o device=overlay -o o=lowerdir=$DIR:$DIR.low; with -v $V:/d IMAGE cat /d/file'
	'NFS without a server of that name|status|create -o type=nfs -o device=:/x -o o=addr=no.such.host.invalid; with -v $V:/d IMAGE true'

	# Where hostvol is another on purpose.
	'bind of a directory that is not there|who mistyped it learns it now, and not when a container does not start|create -o type=none -o device=$DIR/none -o o=bind'
	'bind of a relative path|local takes it from where dockerd was started|create -o type=none -o device=tmp -o o=bind'
	'bind of a file|a volume is a directory; local fails when it is used|create -o type=none -o device=$DIR/file -o o=bind'
	'a disk that is not there|who mistyped it learns it now, and not when a container does not start|create -o type=ext4 -o device=/dev/nosuchdisk'
	'a bind mount that propagates|a volume is private: what is mounted in a container does not appear on the host|create -o type=none -o device=$DIR -o o=bind,rshared'
	'bind with an option that means nothing|local does not say that it is ignored|create -o type=none -o device=$DIR -o o=bind,foo=1'
	'bind, without what is mounted inside|~a volume is the directory as it is on the host, with what is mounted in it|create -o type=none -o device=$DIR -o o=bind; with -v $V:/d IMAGE ls /d/sub'
	'a symlink that leads elsewhere later|~a symlink is followed once, when the volume is created|ln -sfn $DIR $TMP/moving; create -o type=none -o device=$TMP/moving -o o=bind; ln -sfn $DIR/empty $TMP/moving; with -v $V:/d IMAGE sh -c "ls /d | wc -l"'
	'overlay on a directory that is not there|who mistyped it learns it now, and not when a container does not start|create -o type=overlay -o device=overlay -o o=lowerdir=$DIR/none'
	'a slave|a volume is private: what is mounted in a container does not appear on the host|create -o type=none -o device=$DIR -o o=bind,rslave'
	'remount|it would change a mount that is not the volume|create -o type=tmpfs -o device=tmpfs -o o=remount'
	'an empty type|local says so when it is used|create -o type= -o device=tmpfs'
	'defaults, as in fstab|+it stands for no option|create -o type=tmpfs -o device=tmpfs -o o=defaults && with -v $V:/d IMAGE true'
	'an image file|+a loop device is set up for it|create -o type=ext4 -o device=$DIR.img && with -v $V:/d IMAGE true'
)

setup() {
	common_setup
	export DIR=$TMP/dir V=hvt_v LABEL
	for TWO in {h,v,w,x}{0..9}; do # one that the machine has no volume of
		docker volume inspect "$TWO" >/dev/null 2>&1 || break
	done
	export TWO
	mkdir -p "$DIR/sub" "$DIR/empty" "$DIR.low"
	mount --bind "$DIR" "$DIR" # local unmounts with its rbind what is below, and where / is shared here too
	mount --make-private "$DIR"
	echo one >"$DIR/file"
	ln -s "$DIR" "$DIR.link"
	mount -t tmpfs sub "$DIR/sub"
	touch "$DIR/sub/inner"
	truncate -s 16M "$DIR.img"
	mkfs.ext4 -qF "$DIR.img"
	cp --sparse=always "$DIR.img" "$DIR.disk"
	DISK=$(losetup -f --show "$DIR.disk")
	export DISK
	docker run --name hvt_make --label "$LABEL" --network none "$IMAGE" sh -c \
		'mkdir -m 2750 /content; echo c >/content/file; chown -R 42:43 /content; chmod 2750 /content
		mkdir -p /odd/dir; cd /odd; touch setuid plain; chown 7:8 plain setuid; chmod 4711 setuid; ln plain hard; ln -s plain link'
	docker commit hvt_make hostvol-test/content >/dev/null
}

teardown() {
	losetup -d "$DISK"
	docker volume ls -q | grep -E "^(hvt|$TWO\$|0{200})" | xargs -r docker volume rm -f >/dev/null || true
	common_teardown
	docker image rm -f hostvol-test/content >/dev/null
}

create() {
	docker volume create -d "$DRIVER" "$@" "$V"
}

with() {
	docker run --rm --network none --label "$LABEL" "$@"
}

# try DRIVER COMMANDS: sets STATUS and PRINTED.
try() {
	DRIVER=$1
	PRINTED=$(eval "${2//IMAGE/hostvol-test/content}" 2>"$TMP/stderr") && STATUS=0 || STATUS=$?
	# A plugin that is not there fails at everything, too.
	! grep -E 'plugin .* (not found|is disabled)|connection refused|dial unix|EOF' "$TMP/stderr" || STATUS=broken
	docker ps -aq --filter name=^hvt_c --filter "label=$LABEL" | xargs -r docker rm -f >/dev/null
	docker volume ls -q | grep -E "^(hvt|$TWO\$|0{200})" | xargs -r docker volume rm -f >/dev/null || true
}

# agrees WHAT: STATUS and PRINTED against those of local, in STATUS_LOCAL and PRINTED_LOCAL.
agrees() {
	case $1 in
	=) [[ $STATUS_LOCAL == 0 && $STATUS == 0 && $PRINTED == "$PRINTED_LOCAL" ]] ;;
	=!) [[ $STATUS_LOCAL != 0 && $STATUS == "$STATUS_LOCAL" && $PRINTED == "$PRINTED_LOCAL" ]] ;;
	status) [[ $STATUS_LOCAL != 0 && $STATUS == "$STATUS_LOCAL" ]] ;;
	+*) [[ $STATUS == 0 && $STATUS_LOCAL != 0 ]] ;;
	~*) [[ $STATUS == 0 && $STATUS_LOCAL == 0 && $PRINTED != "$PRINTED_LOCAL" ]] ;;
	*) [[ $STATUS == 1 && $STATUS_LOCAL == 0 ]] ;;
	esac
}

@test "the same docker commands against local and against hostvol" {
	wrong=0 other=()
	for row in "${TABLE[@]}"; do
		IFS='|' read -r name what commands <<<"$row"
		commands=${row#"$name|$what|"} # a pipe may be in them
		[[ $what =~ ^(=|=!|status)$ ]] || other+=("$name: ${what#[+~]}")
		try local "$commands"
		STATUS_LOCAL=$STATUS PRINTED_LOCAL=$PRINTED
		try hostvol "$commands"
		agrees "$what" && continue
		wrong=$((wrong + 1))
		printf '%s\n  local:   %s %s\n  hostvol: %s %s\n%s\n' "$name" "$STATUS_LOCAL" \
			"$PRINTED_LOCAL" "$STATUS" "$PRINTED" "$(cat "$TMP/stderr")"
	done
	echo "# ${#TABLE[@]} rows against local, of which another on purpose:" >&3
	printf '#   %s\n' "${other[@]}" >&3
	[[ $wrong == 0 ]]
}
