# SPDX-License-Identifier: Apache-2.0
load helpers

# The Debian package of the plain daemon: in a clean Debian, from install to purge. No Docker in here.

setup_file() {
	PKG=$(mktemp -d -p /var/tmp hvt-package.XXXXXX)
	export PKG DEB=$PKG/hostvol.deb ROOT=$PKG/root
	build_package
	mkdir "$ROOT"
	script base_root "$ROOT"
	in_root apt-get -qq -o Acquire::Retries=3 update
}

# In a build directory of its own: the prefix is another one.
build_package() {
	local source=$BATS_TEST_DIRNAME/../..
	cmake -S "$source" -B "$PKG/build" -DCMAKE_BUILD_TYPE=Release -DHOSTVOL_TESTS=OFF \
		-DCMAKE_INSTALL_PREFIX=/usr >/dev/null
	cmake --build "$PKG/build" -j2 >/dev/null
	(cd "$PKG/build" && cpack >/dev/null && mv hostvol_*.deb "$DEB" && mv libmountcore*.deb "$PKG")
}

teardown_file() {
	stop
	rm -rf "$PKG"
}

# script FUNCTION...: of scripts/lib.sh, which would change this shell.
script() {
	# shellcheck disable=SC2016
	bash -c '. "$0" && "$@"' "$BATS_TEST_DIRNAME/../../scripts/lib.sh" "$@"
}

# in_root COMMAND...: in the clean Debian, with a mount namespace that goes with the command.
in_root() {
	script in_root "$ROOT" "$@"
}

# start: the daemon that is installed, as its unit starts it, but for systemd.
start() {
	local unit=$ROOT/usr/lib/systemd/system/hostvold.service
	[[ $(sed -n 's/^ExecStart=//p' "$unit") == /usr/bin/hostvold ]]
	mkdir -p "$ROOT/run/docker/plugins"
	# shellcheck disable=SC2016
	in_root sh -c 'echo $$ >/run/pid; set -a; . /etc/default/hostvold; exec hostvold' \
		>>"$PKG/log" 2>&1 3>&- &
	disown
	within 10 ask HotInfo '{}'
}

stop() {
	local pid
	pid=$(cat "$ROOT/run/pid" 2>/dev/null) || return 0
	kill "$pid" 2>/dev/null || true
	while [[ -d /proc/$pid ]]; do sleep 0.05; done
	rm -f "$ROOT/run/pid"
}

# ask CALL BODY: the answer, which must be a success. Who asks for a mount is to see it.
ask() {
	local endpoint=/$1
	[[ $1 == Hot* ]] || endpoint=/VolumeDriver.$1
	nsenter -t "$(cat "$ROOT/run/pid")" -m curl -sf --unix-socket "$ROOT/run/docker/plugins/hostvol.sock" -d "$2" "http://hostvol$endpoint"
}

data() {
	cat "$ROOT/var/lib/hostvol/volumes/hvt_data/_data/f"
}

@test "lintian finds no fault with the packages" {
	run -0 lintian --fail-on error,warning --allow-root "$DEB" "$PKG"/libmountcore*.deb
	[[ -z $output ]]
}

@test "it holds the daemon, the commands, units, settings and man pages, and no test" {
	run -0 dpkg-deb -c "$DEB"
	for file in usr/bin/hostvold usr/lib/docker/cli-plugins/docker-hostvol \
		"usr/lib/docker/cli-plugins/docker-addvol -> docker-hostvol" \
		"usr/bin/docker-hostvol -> ../lib/docker/cli-plugins/docker-hostvol" \
		"usr/bin/docker-addvol -> ../lib/docker/cli-plugins/docker-addvol" \
		usr/lib/systemd/system/hostvold.s{ocket,ervice} etc/default/hostvold \
		usr/share/man/man8/hostvold.8.gz usr/share/man/man1/docker-{hostvol,addvol}.1.gz; do
		[[ $output == *"./$file"* ]] || { echo "there is no $file" && return 1; }
	done
	[[ $output != *test* && $output != *usr/local* && $output != *bench* ]]
}

# words_of PAGE: without the layout, for man fills lines with more spaces.
words_of() {
	man -E ASCII -l "$BATS_TEST_DIRNAME/../../docs/man/$1" | tr -s ' \n' ' '
}

# has_options PAGE HELP: each option of the help.
has_options() {
	local option count=0 words
	words=$(words_of "$1")
	for option in $2; do
		[[ $option == --[a-z]* ]] || continue
		option=${option%%[,=.]*}
		[[ $option != --help ]] || continue
		count=$((count + 1))
		grep -qE -- "(^|[ [|(])$option([][ =,.|)]|$)" <<<"$words" || { echo "not in $1: $option" && return 1; }
	done
	[[ $count -ge 2 ]]
}

@test "the man pages have no error, and name every command and option" {
	for page in "$BATS_TEST_DIRNAME"/../../docs/man/*; do
		run -0 man --warnings -E UTF-8 -l "$page"
		[[ $output != *warning* ]]
	done
	hostvol=$PKG/build/cli/docker-hostvol
	commands=$("$hostvol" --help | sed -n '/^Commands/,/^$/s/^  \([a-z]*\) .*/\1/p')
	[[ $commands == *attach*version* ]]
	has_options docker-hostvol.1 "$(for name in $commands; do "$hostvol" "$name" --help; done)"
	has_options docker-addvol.1 "$("$PKG/build/cli/docker-addvol" --help)"
	has_options hostvold.8 "$("$PKG/build/driver/daemon/hostvold" --help)"
	for name in $commands; do
		[[ $(words_of docker-hostvol.1) == *"hostvol $name"* ]]
	done
}

@test "install, use, upgrade, remove, install again, purge: the data is where it was" {
	cp "$DEB" "$ROOT/hostvol.deb"
	run -0 in_root apt-get -qq install -y --no-install-recommends /hostvol.deb
	for name in hostvold docker-hostvol docker-addvol; do # in PATH as a login has it
		run -0 in_root env -i PATH=/usr/local/bin:/usr/bin:/bin "$name" --help
	done
	[[ $output == *"docker addvol"* ]]
	links=$ROOT/etc/systemd/system
	[[ -L $links/sockets.target.wants/hostvold.socket && -L $links/multi-user.target.wants/hostvold.service ]]

	start # use
	mkdir -p "$ROOT/srv/path"
	ask Create '{"Name":"hvt_data","Opts":{"on-remove":"purge"}}'
	ask Create '{"Name":"hvt_path","Opts":{"path":"/srv/path"}}'
	ask Mount '{"Name":"hvt_data","ID":"1"}'
	echo kept >"$ROOT/var/lib/hostvol/volumes/hvt_data/_data/f"
	echo path >"$ROOT/srv/path/f"
	echo HOSTVOL_LOG=debug >>"$ROOT/etc/default/hostvold"
	stop

	mkdir "$PKG/newer" # upgrade
	dpkg-deb -R "$DEB" "$PKG/newer"
	sed -i 's/^Version: .*/&+newer/' "$PKG/newer/DEBIAN/control"
	dpkg-deb -b "$PKG/newer" "$ROOT/newer.deb" >/dev/null
	run -0 in_root dpkg -i --force-confold /newer.deb
	[[ $(in_root dpkg-query -W -f '${Version}' hostvol) == *+newer ]]
	grep -q HOSTVOL_LOG=debug "$ROOT/etc/default/hostvold"
	start
	[[ $(ask List '{}') == *hvt_data*hvt_path* && $(data) == kept ]]
	grep -q debug: "$PKG/log"
	stop

	touch "$ROOT/run/docker/plugins/hostvol.sock" "$ROOT/run/docker/plugins/hostvol:latest.sock" # remove
	run -0 in_root dpkg -r hostvol
	[[ ! -e $ROOT/usr/bin/hostvold && ! -e $ROOT/usr/lib/docker/cli-plugins/docker-hostvol ]]
	[[ -z $(ls "$ROOT/run/docker/plugins") ]] # Docker would wait for it
	[[ -e $ROOT/etc/default/hostvold && $(data) == kept && -e $ROOT/var/lib/hostvol/hostvol.db ]]

	run -0 in_root dpkg -i /newer.deb # and again
	[[ ! -L $links/hostvold.service ]] # not masked
	start
	[[ $(ask List '{}') == *hvt_data*hvt_path* ]]
	stop

	run -0 in_root dpkg -P hostvol # purge, while there is data
	[[ $output == *"/var/lib/hostvol is kept"* ]]
	[[ ! -e $ROOT/etc/default/hostvold && $(data) == kept && $(cat "$ROOT/srv/path/f") == path ]]
	[[ -z $(find "$links" -name 'hostvold*') ]]

	run -0 in_root dpkg -i /newer.deb # and without
	start
	ask Remove '{"Name":"hvt_data"}'
	stop
	run -0 in_root dpkg -P hostvol
	[[ ! -e $ROOT/var/lib/hostvol && $(cat "$ROOT/srv/path/f") == path ]]
}

# What tells of the managed plugin: while it is enabled, and otherwise, wherever Docker keeps its data.
PLUGINS=(enabled disabled elsewhere)

plugin_there() {
	local data=$ROOT/var/lib/docker
	if [[ $1 == enabled ]]; then
		mkdir -p "$ROOT/run/docker/plugins/0123"
		touch "$ROOT/run/docker/plugins/0123/hostvol.sock"
		return
	fi
	if [[ $1 == elsewhere ]]; then
		data=$ROOT/srv/docker
		mkdir -p "$ROOT/etc/docker"
		echo '{ "bridge": "none", "data-root": "/srv/docker" }' >"$ROOT/etc/docker/daemon.json"
	fi
	mkdir -p "$data/plugins/0123" "$data/plugins/4567"
	echo '{"plugin":{"Config":{"Interface":{"Socket":"other.sock"}},"Enabled":true}}' >"$data/plugins/4567/config.json"
	[[ $1 == other ]] ||
		echo '{"plugin":{"Config":{"Interface":{"Socket":"hostvol.sock","Types":["docker.volumedriver/1.0"]}},"Enabled":false}}' \
			>"$data/plugins/0123/config.json"
}

plugin_gone() {
	rm -rf "$ROOT/run/docker/plugins/0123" "$ROOT/var/lib/docker" "$ROOT/srv/docker" "$ROOT/etc/docker"
}

@test "beside the managed plugin the daemon is not started, and it is said why" {
	links=$ROOT/etc/systemd/system
	for how in "${PLUGINS[@]}"; do
		plugin_there "$how"
		run -0 in_root apt-get -qq install -y --no-install-recommends /hostvol.deb
		[[ $output == *"managed plugin hostvol"*"systemctl enable --now"* ]]
		[[ -z $(find "$links" -name 'hostvold*') ]]
		plugin_gone
		run -0 in_root dpkg -P hostvol
		[[ -z $(find "$links" -name 'hostvold*') ]]
	done

	plugin_there enabled
	run -0 in_root dpkg -i /hostvol.deb
	plugin_gone
	plugin_there other # a plugin, but another one; and installed again the units are enabled
	run -0 in_root dpkg -i /hostvol.deb
	[[ $output != *managed* && -L $links/sockets.target.wants/hostvold.socket ]]
	plugin_gone
	run -0 in_root dpkg -P hostvol
}

@test "uninstall takes away what cmake --install installed, and nothing else" {
	local prefix=$PKG/prefix build=$PKG/build
	mkdir -p "$prefix/lib/docker"
	echo mine >"$prefix/lib/docker/mine"
	cmake --install "$build" --prefix "$prefix" >/dev/null
	run -0 env -i PATH="$prefix/bin:/usr/bin:/bin" docker-hostvol --help
	run -0 cmake --build "$build" --target uninstall
	[[ $(find "$prefix" -type f -o -type l) == "$prefix/lib/docker/mine" && ! -e $prefix/bin ]]
	[[ $(find "$prefix" -type d | wc -l) == 3 ]]
	run -0 cmake --build "$build" --target uninstall # and again

	mkdir -p "$PKG/dest/usr/bin" "$PKG/dest/var/lib/hostvol"
	DESTDIR=$PKG/dest cmake --install "$build" >/dev/null
	DESTDIR=$PKG/dest run -0 cmake --build "$build" --target uninstall
	[[ -z $(find "$PKG/dest/usr" -type f -o -type l) && -d $PKG/dest/usr/bin && ! -e $PKG/dest/usr/lib/docker ]]
	[[ -e $PKG/dest/etc/default/hostvold && -d $PKG/dest/var/lib/hostvol ]] # settings, records
}

@test "purge deletes hostvol's records, and nothing else that is in the state directory" {
	state=$ROOT/var/lib/hostvol
	run -0 in_root apt-get -qq install -y --no-install-recommends /hostvol.deb
	start
	ask Create '{"Name":"hvt_data"}'
	ask Remove '{"Name":"hvt_data"}'
	stop
	mkdir -p "$state/mine" "$state/disk" "$state/trash/disk" "$ROOT/srv/disk"
	echo mine >"$state/mine/f"
	echo disk >"$ROOT/srv/disk/f"

	for how in "${PLUGINS[@]}"; do # the managed plugin has the same records
		plugin_there "$how"
		run -0 in_root dpkg -P hostvol
		[[ $output == *"the managed plugin"* && -e $state/hostvol.db ]]
		plugin_gone
		run -0 in_root dpkg -i /hostvol.deb
	done
	run -0 in_root sh -c 'for at in disk trash/disk; do mount --bind /srv/disk /var/lib/hostvol/$at; done
		exec dpkg -P hostvol'
	[[ $output == *"/var/lib/hostvol is kept"* && ! -e $state/hostvol.db && ! -e $state/volumes ]]
	[[ $(cat "$state/mine/f") == mine && $(cat "$ROOT/srv/disk/f") == disk ]]
	rm -r "$state"

	run -0 in_root dpkg -i /hostvol.deb # the directory is another disk
	mkdir -p "$state/volumes"
	run -0 in_root sh -c 'mount --bind /var/lib/hostvol /var/lib/hostvol; exec dpkg -P hostvol'
	[[ ! -e $state/volumes ]]
	rmdir "$state"

	run -0 in_root dpkg -i /hostvol.deb # volumes are on another disk, which is not there now
	mkdir -p "$state"
	ln -s /mnt/none "$state/volumes"
	touch "$state/hostvol.db"
	run -0 in_root dpkg -P hostvol
	[[ $output == *"/var/lib/hostvol is kept"* && -L $state/volumes && -e $state/hostvol.db ]]
	rm -r "$state"
}

@test "with the two packages of the library alone a program is built that attaches" {
	cp "$PKG"/libmountcore*.deb "$BATS_TEST_DIRNAME/../../mountcore/examples/attach.c" "$ROOT/tmp/"
	run -0 in_root sh -c 'apt-get -qq install -y --no-install-recommends gcc libc6-dev pkg-config /tmp/*.deb'
	run -0 in_root sh -c 'cd /tmp && cc -Wall -Werror attach.c $(pkg-config --cflags --libs libmountcore) -o attach'
	run -0 in_root ldd /tmp/attach
	[[ $output == *libmountcore.so.0* ]]
	run -127 in_root sh -c 'command -v hostvold docker-hostvol'
	mkdir -p "$ROOT/srv/library"
	echo text >"$ROOT/srv/library/f"

	unshare -m sh -c 'mount -t tmpfs hvt /mnt && exec sleep 1000' 3>&- &
	pid=$!
	disown
	within 5 grep -q ' /mnt ' "/proc/$pid/mountinfo"
	run -0 in_root /tmp/attach /srv/library "$pid" /mnt/data
	[[ $output == /mnt/data && $(cat "/proc/$pid/root/mnt/data/f") == text ]]
	run -2 in_root /tmp/attach /srv/none "$pid" /mnt/data
	kill "$pid"
	in_root dpkg -P libmountcore-dev libmountcore0
	rm -r "$ROOT/srv/library" "$ROOT"/tmp/*
}
