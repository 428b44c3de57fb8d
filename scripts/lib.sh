# SPDX-License-Identifier: Apache-2.0
# Functions shared by the scripts here. To be sourced by bash; does nothing by itself.
# shellcheck shell=bash
set -euo pipefail
export LC_ALL=C.UTF-8
export PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"

HV_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# Log of a dockerd that start_engine starts by hand.
HV_DOCKERD_LOG=${HV_DOCKERD_LOG:-/var/log/hostvol-dockerd.log}
# Process ID of that dockerd; empty if an engine answered already or systemd runs it.
HV_DOCKERD_PID=
HV_TEST_IMAGE=hostvol-test/busybox
# The images that build_images makes, and their label that says from which source.
HV_BUILD_IMAGE=hostvol-build
HV_ROOTFS_IMAGE=hostvol-rootfs
HV_LABEL=hostvol.source

say() {
	printf '%s\n' "$*" >&2
}

die() {
	say "${0##*/}: $*"
	exit 1
}

need_root() {
	[[ $EUID -eq 0 ]] || die "this needs root; run it with sudo"
}

# step TEXT COMMAND...: say what happens and how long it took; show the output only on failure.
# COMMAND runs in a subshell with errexit, so do not call step itself in a condition.
step() {
	local text=$1 start=$SECONDS status log
	shift
	log=$(mktemp)
	printf -- '-- %s ... ' "$text" >&2
	set +e
	(
		set -e
		"$@"
	) >"$log" 2>&1 </dev/null
	status=$?
	set -e
	if [[ $status -ne 0 ]]; then
		say "failed after $((SECONDS - start)) s:"
		tail -n 60 "$log" >&2
		rm -f "$log"
		return "$status"
	fi
	rm -f "$log"
	say "done in $((SECONDS - start)) s"
}

# note_result SUBJECT COUNT: what a stage has seen today, for scripts/compatibility.
note_result() {
	mkdir -p "$HV_ROOT/build/stages"
	printf '%s\t%s\t%s\n' "$1" "$2" "$(date -u +%F)" >"$HV_ROOT/build/stages/${1//[^A-Za-z0-9.+]/_}"
}

# --- packages -------------------------------------------------------------------------------

# packages SECTION...: the list's entries, alternatives still joined by "|".
packages() {
	local section
	for section in "$@"; do
		sed -n "s/^$section  *//p" "$HV_ROOT/scripts/packages"
	done
}

# missing_packages ENTRY...: print the entries of which no alternative is installed.
missing_packages() {
	local installed entry alternative
	installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' | sed -n 's/^installed //p')
	for entry in "$@"; do
		for alternative in ${entry//|/ }; do
			grep -qxF -- "$alternative" <<<"$installed" && continue 2
		done
		printf '%s\n' "$entry"
	done
}

# first_available ENTRY: print the first alternative that apt can install.
first_available() {
	local alternative
	for alternative in ${1//|/ }; do
		if [[ $(apt-cache policy "$alternative") =~ "Candidate: "[^\(] ]]; then
			printf '%s\n' "$alternative"
			return
		fi
	done
	printf '%s\n' "${1%%|*}" # apt-get then says what is wrong
}

apt_install() {
	local entry names=()
	# A third-party source that does not answer is no reason to stop: the install decides.
	apt-get -q -o Acquire::Retries=3 update || say "apt-get update failed; going on"
	for entry in "$@"; do
		names+=("$(first_available "$entry")")
	done
	DEBIAN_FRONTEND=noninteractive apt-get -qy -o Acquire::Retries=3 -o DPkg::Lock::Timeout=300 \
		-o Dpkg::Use-Pty=0 install --no-install-recommends "${names[@]}"
}

# install_missing SECTION...: install what the list names and the machine lacks.
install_missing() {
	local entries missing
	mapfile -t entries < <(packages "$@")
	mapfile -t missing < <(missing_packages "${entries[@]}")
	[[ ${#missing[@]} -gt 0 ]] || return 0
	need_root
	step "installing ${missing[*]}" apt_install "${missing[@]}"
}

# unpack_file PACKAGE FILE DIR: put that file of the package below DIR. Nothing is installed: no server starts.
unpack_file() (
	cd "$3"
	download() { apt-get -q -o Acquire::Retries=3 -o APT::Sandbox::User=root download "$1"; }
	download "$1" || { apt-get -q update && download "$1"; } # old lists name packages that are gone
	dpkg-deb --fsys-tarfile ./"$1"_*.deb | tar -x ".$2"
	rm ./"$1"_*.deb
)

# package_source: the URL that this machine gets Debian's packages from. HOSTVOL_DEBIAN names another one;
# without it there is none on another distribution.
package_source() {
	[[ -z ${HOSTVOL_DEBIAN:-} ]] || { printf '%s\n' "$HOSTVOL_DEBIAN" && return; }
	apt-get --print-uris update 2>/dev/null |
		sed -nE "s#^'(.*)/dists/(bullseye|bookworm|trixie|forky|sid)/InRelease'.*#\1#p" | awk 'NR == 1'
}

# suites_apt DIR COMMAND...: apt that knows the suites of update_suites alone, and whose changes stay in DIR.
suites_apt() {
	"$2" -o Dir::Etc::sourcelist="$1/list" -o Dir::Etc::sourceparts=/dev/null \
		-o Dir::State="$1/state" -o Dir::State::status=/dev/null \
		-o Dir::Cache="$1/cache" -o APT::Sandbox::User=root "${@:3}"
}

# update_suites DIR SUITE...: the lists of these suites, of the machine's own package source.
update_suites() {
	local source suite
	source=$(package_source)
	[[ -n $source ]] || die "apt knows no source of Debian's packages; name one: HOSTVOL_DEBIAN=URL"
	mkdir -p "$1"/{state/lists,cache/archives}/partial
	for suite in "${@:2}"; do
		printf 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] %s %s main\n' \
			"$source" "$suite"
	done >"$1/list"
	suites_apt "$1" apt-get -q update
}

# fetch_compose DIR: unpack Docker Compose v2 there, which Debian 12 does not have.
fetch_compose() {
	rm -f "$1"/docker-compose_*.deb
	update_suites "$1/apt" trixie
	(cd "$1" && suites_apt "$1/apt" apt-get -q download docker-compose &&
		dpkg-deb -x ./docker-compose_*.deb . && rm ./docker-compose_*.deb)
	rm -rf "$1/apt"
	touch "$1/complete"
}

# add_compose DIR: have `docker compose` in a directory of the docker command's plugins, if the machine has none.
add_compose() {
	local dir=${HOSTVOL_COMPOSE:-/var/cache/hostvol-compose}
	! docker compose version >/dev/null 2>&1 || return 0
	[[ -e $dir/complete ]] || step "downloading Docker Compose v2" fetch_compose "$dir"
	ln -s "$dir/usr/libexec/docker/cli-plugins/docker-compose" "$1"
}

# --- root file systems ----------------------------------------------------------------------

# make_debian SUITE DIR [OPTION...]: by debootstrap, from the machine's own package source if it has one.
# What debootstrap mounts meanwhile is in a mount namespace that ends with it.
make_debian() {
	local suite=$1 dir=$2 source
	shift 2
	source=$(package_source)
	unshare -m --propagation private debootstrap --variant=minbase "$@" "$suite" "$dir" \
		${source:+"$source"}
}

# in_root DIR COMMAND...: as chroot, with a mount namespace that goes with the command.
in_root() {
	# shellcheck disable=SC2016
	unshare -m --propagation private sh -ec '
		root=$1
		shift
		mount --bind "$root" "$root"
		mount -t proc proc "$root/proc"
		mount --rbind /dev "$root/dev"
		cp --remove-destination /etc/resolv.conf "$root/etc/resolv.conf"
		export DEBIAN_FRONTEND=noninteractive
		exec chroot "$root" "$@"' sh "$@"
}

# apt_in DIR COMMAND...: apt-get of a root file system.
apt_in() {
	in_root "$1" apt-get -q -o Acquire::Check-Valid-Until=false -o Acquire::Retries=3 "${@:2}"
}

# --- the engine -----------------------------------------------------------------------------

engine_socket() {
	case ${DOCKER_HOST:-} in
	'') printf '/var/run/docker.sock\n' ;;
	unix://*) printf '%s\n' "${DOCKER_HOST#unix://}" ;;
	*) die "DOCKER_HOST=$DOCKER_HOST is not a socket of this machine" ;;
	esac
}

# Asks the API itself: a docker command in PATH says nothing about an engine.
engine_answers() {
	local socket
	socket=$(engine_socket)
	[[ -S $socket ]] || return 1
	[[ $(curl -s --max-time 10 --unix-socket "$socket" http://localhost/_ping) == OK ]]
}

# live_process PID [NAME]: PID is a process, and of that name, and no zombie.
live_process() {
	local status
	status=$(cat "/proc/${1:-none}/status" 2>/dev/null) || return 1
	[[ $# -eq 1 || $status == "Name:	$2"$'\n'* ]] && ! grep -q '^State:[[:space:]]*[ZX]' <<<"$status"
}

# After a crash these files name dead processes, and dockerd waits for them instead of starting.
remove_stale_pid() {
	local file=$1 name=$2
	[[ -e $file ]] || return 0
	live_process "$(<"$file")" "$name" || rm -f "$file"
}

start_dockerd_by_hand() {
	remove_stale_pid /var/run/docker.pid dockerd
	remove_stale_pid /var/run/docker/containerd/containerd.pid containerd
	# The package's own start script may have been quicker.
	[[ ! -e /var/run/docker.pid ]] || return 0
	# A session of its own: dockerd outlives this terminal. setsid does not fork here, so $! is
	# dockerd itself.
	(cd / && exec setsid nohup dockerd) >>"$HV_DOCKERD_LOG" 2>&1 </dev/null &
	HV_DOCKERD_PID=$!
}

wait_for_engine() {
	local deadline=$((SECONDS + 180))
	until engine_answers; do
		[[ $SECONDS -lt $deadline ]] || die "dockerd did not answer within 180 s"
		if [[ -n $HV_DOCKERD_PID ]] && ! live_process "$HV_DOCKERD_PID"; then
			tail -n 30 "$HV_DOCKERD_LOG" >&2
			die "dockerd ended; its log is $HV_DOCKERD_LOG"
		fi
		sleep 0.2
	done
}

# start_engine: return with an engine that answers. Sets HV_DOCKERD_PID if it had to start dockerd
# by hand. Never call it in a subshell: the variable would be lost.
start_engine() {
	local start=$SECONDS
	engine_answers && return
	need_root
	[[ -z ${DOCKER_HOST:-} ]] || die "no engine answers at DOCKER_HOST=$DOCKER_HOST"
	command -v dockerd >/dev/null || install_missing engine
	say "-- no engine answers: starting dockerd"
	if [[ -d /run/systemd/system ]]; then
		systemctl start docker
	else
		start_dockerd_by_hand
	fi
	wait_for_engine
	say "-- dockerd answers after $((SECONDS - start)) s"
}

# stop_engine: stop the dockerd that start_engine started by hand, and no other.
stop_engine() {
	local deadline=$((SECONDS + 60))
	[[ -n $HV_DOCKERD_PID ]] || return 0
	if live_process "$HV_DOCKERD_PID" dockerd; then
		kill -TERM "$HV_DOCKERD_PID"
	fi
	while live_process "$HV_DOCKERD_PID" dockerd; do
		if [[ $SECONDS -ge $deadline ]]; then
			say "dockerd ($HV_DOCKERD_PID) does not stop"
			return 1
		fi
		sleep 0.1
	done
	HV_DOCKERD_PID=
}

# apart COMMAND...: in a mount namespace of its own, without what the machine's Engine has mounted: a copy
# would keep a volume in use, and what is mounted in there is not seen outside.
apart() {
	# shellcheck disable=SC2016
	unshare -m --propagation private bash -c '
		awk "\$5 ~ /^\/(var\/lib|run)\/docker\// { print \$5 }" /proc/self/mountinfo | sort -r |
			while read -r mountpoint; do umount -l "$mountpoint"; done
		"$@"' bash "$@"
}

# --- images ---------------------------------------------------------------------------------

have_image() {
	docker image inspect "$1" >/dev/null 2>&1
}

# make_base_root DIR: a minimal Debian 12 in a directory that is there.
make_base_root() {
	make_debian bookworm "$1"
	rm -rf "$1"/var/cache/apt/archives/*.deb "$1"/var/lib/apt/lists/*
}

# keep_base_root FILE: make one and pack it, wholly or not at all.
keep_base_root() {
	local dir
	dir=$(mktemp -d -p /var/tmp hostvol-base.XXXXXX)
	# shellcheck disable=SC2064
	trap "rm -rf '$dir' '$1.$$'" EXIT
	chmod 755 "$dir"
	make_base_root "$dir"
	mkdir -p "${1%/*}"
	tar -C "$dir" --numeric-owner -c -f "$1.$$" .
	mv "$1.$$" "$1"
}

# base_root DIR: unpack it there. It is made once, and kept in build/.
base_root() {
	local kept=$HV_ROOT/build/base-bookworm.tar
	[[ -e $kept ]] || step "making a Debian 12 with debootstrap" keep_base_root "$kept"
	tar -C "$1" --numeric-owner -x -f "$kept"
}

make_base_image() {
	local dir
	dir=$(mktemp -d -p /var/tmp hostvol-base.XXXXXX) # not /tmp: it may be nodev
	# shellcheck disable=SC2064
	trap "rm -rf '$dir'" EXIT
	make_base_root "$dir"
	tar -C "$dir" -c . | docker import - "$1"
}

# base_image: set HV_BASE_IMAGE to a Debian 12 image: at hand, else pulled, else made here.
base_image() {
	local own=hostvol-base:bookworm pulled=debian:bookworm-slim
	for HV_BASE_IMAGE in $pulled $own; do
		have_image "$HV_BASE_IMAGE" && return
	done
	say "-- pulling $pulled"
	if timeout 90 docker pull -q $pulled >/dev/null </dev/null; then
		HV_BASE_IMAGE=$pulled
		return
	fi
	install_missing base
	step "it cannot be pulled: making $own with debootstrap" make_base_image $own
	HV_BASE_IMAGE=$own
}

# make_test_tar FILE: the root file system of the test image.
make_test_tar() {
	local dir applet
	dir=$(mktemp -d)
	# shellcheck disable=SC2064
	trap "rm -rf '$dir'" EXIT
	mkdir -p "$dir"/{bin,dev,etc,home,mnt,proc,root,run,srv,sys,usr,var}
	mkdir -m 1777 "$dir/tmp"
	cp "$(command -v busybox)" "$dir/bin/busybox"
	for applet in $("$dir/bin/busybox" --list); do
		[[ -e $dir/bin/$applet ]] || ln -s busybox "$dir/bin/$applet"
	done
	printf 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n' \
		>"$dir/etc/passwd"
	printf 'root:x:0:\nnogroup:x:65534:\n' >"$dir/etc/group"
	tar -C "$dir" --owner=0 --group=0 -c -f "$1" .
}

make_test_image() {
	make_test_tar /dev/stdout | docker import -c 'CMD ["sh"]' - "$HV_TEST_IMAGE"
}

# test_image: have the image that the integration tests run; busybox and nothing else.
test_image() {
	have_image "$HV_TEST_IMAGE" || step "making the image $HV_TEST_IMAGE" make_test_image
}

# --- the plugin -----------------------------------------------------------------------------

# source_fingerprint: a hash over the names and bytes of all that goes into the plugin and the
# command; the same in a checkout, a clone and a tarball.
source_fingerprint() {
	(
		cd "$HV_ROOT"
		find .dockerignore CMakeLists.txt Dockerfile cli cmake driver mountcore \
			plugin-config/config.json scripts/make-rootfs scripts/packages scripts/static-libs \
			-type f -print0 | sort -z | xargs -0 sha256sum | sha256sum | cut -c 1-16
	)
}

image_source() {
	docker image inspect -f "{{index .Config.Labels \"$HV_LABEL\"}}" "$1" 2>/dev/null || true
}

# docker_build IMAGE FINGERPRINT OPTION...: and remove the image that had the name before.
docker_build() {
	local image=$1 fingerprint=$2 old new
	shift 2
	old=$(docker image inspect -f '{{.Id}}' "$image" 2>/dev/null || true)
	docker build --build-arg BASE="$HV_BASE_IMAGE" --label "$HV_LABEL=$fingerprint" \
		-t "$image" "$@" "$HV_ROOT"
	new=$(docker image inspect -f '{{.Id}}' "$image")
	if [[ -n $old && $old != "$new" ]]; then
		docker image rm "$old" || true
	fi
}

# need_images: an Engine that has the images of this source.
need_images() {
	engine_answers || die "no Docker Engine answers"
	[[ $(image_source "$HV_ROOTFS_IMAGE") == $(source_fingerprint) ]] ||
		die "there is no image $HV_ROOTFS_IMAGE of this source; run scripts/build-plugin"
}

# installed_bats ARGUMENT...: bats, with the commands of build/release in PATH.
installed_bats() {
	local dir status=0
	dir=$(mktemp -d -p /var/tmp hostvol-bats.XXXXXX)
	cmake --install "$HV_ROOT/build/release" --prefix "$dir" >/dev/null
	PATH=$dir/bin:$PATH bats --tap --timing --print-output-on-failure "$@" || status=$?
	rm -rf "$dir"
	return "$status"
}

# build_images: build the Dockerfile's two stages unless they are of this source already.
build_images() {
	local fingerprint
	fingerprint=$(source_fingerprint)
	if [[ $(image_source "$HV_BUILD_IMAGE") == "$fingerprint" &&
		$(image_source "$HV_ROOTFS_IMAGE") == "$fingerprint" ]]; then
		return
	fi
	base_image
	step "compiling in a container of $HV_BASE_IMAGE (the first time installs a compiler there)" \
		docker_build "$HV_BUILD_IMAGE" "$fingerprint" --target build
	step "putting the plugin's root file system together" \
		docker_build "$HV_ROOTFS_IMAGE" "$fingerprint"
}

# image_commands DIR: copy the commands that were compiled with the plugin, static programs, into it.
image_commands() {
	local container
	container=$(docker create "$HV_BUILD_IMAGE" true)
	docker cp "$container:/out/lib/docker/cli-plugins/." "$1"
	docker rm "$container" >/dev/null
}

plugin_exists() {
	docker plugin inspect "$1" >/dev/null 2>&1
}

plugin_enabled() {
	[[ $(docker plugin inspect -f '{{.Enabled}}' "$1" 2>/dev/null) == true ]]
}

enable_plugin() {
	plugin_enabled "$1" || step "enabling the plugin $1" docker plugin enable "$1"
}
