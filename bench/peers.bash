# SPDX-License-Identifier: Apache-2.0
# Peers of hostvol that Debian 12 lacks: crun with `mounts add`, and systemd's machinectl of today. They are of Debian's
# unstable suite, in a root file system of their own. To be sourced after scripts/lib.sh.
# shellcheck shell=bash

# Made once; remove it to have newer ones.
PEERS=${HOSTVOL_PEERS:-/var/cache/hostvol-peers}
PEERS_BASE=trixie # debootstrap makes this one, apt adds the newer packages
PEERS_SUITE=sid
# In the cgroup hierarchy of version 2; the container in it has a unit, which machined asks for.
PEERS_SLICE=hostvolbench.slice

peers_apt() {
	in_root "$PEERS/root" apt-get -q -o Acquire::Check-Valid-Until=false -o Acquire::Retries=3 "$@"
}

make_peers_root() {
	local entries root=$PEERS/root
	mapfile -t entries < <(packages peers)
	rm -rf "$root"
	mkdir -p "$PEERS"
	make_debian "$PEERS_BASE" "$root"
	printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d" # no package starts its service
	chmod +x "$root/usr/sbin/policy-rc.d"
	sed "s/ $PEERS_BASE / $PEERS_SUITE /" "$root/etc/apt/sources.list" \
		>"$root/etc/apt/sources.list.d/$PEERS_SUITE.list"
	peers_apt update
	peers_apt install -y --no-install-recommends -t "$PEERS_SUITE" "${entries[@]}"
	touch "$PEERS/complete"
}

peers_prepare() {
	[[ -e $PEERS/complete ]] || install_missing base
	[[ -e $PEERS/complete ]] || step "making a root file system with crun and machinectl of $PEERS_SUITE" \
		make_peers_root
}

# peers_version PACKAGE
peers_version() {
	dpkg-query --admindir="$PEERS/root/var/lib/dpkg" -W -f '${Version}' "$1"
}

# peers_crun DIR: the Engine of a root with that upper directory starts its containers by crun.
peers_crun() {
	mkdir -p "$1/etc/docker" "$1/usr/local/bin"
	cat >"$1/etc/docker/daemon.json" <<-'END'
		{ "default-runtime": "crun", "runtimes": { "crun": { "path": "/usr/local/bin/crun-unlimited" } } }
	END
	# Docker writes limits of nothing, for which crun wants controllers that a machine with both versions
	# has with version 1.
	cat >"$1/usr/local/bin/crun-unlimited" <<-'END'
		#!/bin/sh
		for word in "$@"; do
			[ "$before" != --bundle ] || bundle=$word
			before=$word
		done
		if [ -n "$bundle" ]; then
			jq 'del(.linux.resources)' "$bundle/config.json" >"$bundle/config.new"
			mv "$bundle/config.new" "$bundle/config.json"
		fi
		exec crun "$@"
	END
	chmod +x "$1/usr/local/bin/crun-unlimited"
}

# peers_enter DIR COMMAND...: a machine of its own, with cgroup v2 alone, which ends with the command. It has its
# files in DIR, and sees that and this checkout at their paths.
peers_enter() {
	local dir=$1
	shift
	mkdir -p "$dir"/{root,upper,work,docker,tmp,srv,state}
	chmod 1777 "$dir/tmp"
	peers_crun "$dir/upper"
	# shellcheck disable=SC2016
	env -u DOCKER_HOST unshare -m -n -p --fork --kill-child --propagation private sh -ec '
		lower=$1 dir=$2 repository=$3
		shift 3
		root=$dir/root
		mount -t overlay -o "lowerdir=$lower,upperdir=$dir/upper,workdir=$dir/work" overlay "$root"
		mount -t proc proc "$root/proc"
		mount -t sysfs sysfs "$root/sys"
		mount -t cgroup2 none "$root/sys/fs/cgroup"
		mount --rbind /dev "$root/dev"
		mount -t tmpfs run "$root/run"
		mkdir -p "$root/var/lib/docker" "$root/var/lib/hostvol"
		mount --bind "$dir/docker" "$root/var/lib/docker"
		mount --bind "$dir/state" "$root/var/lib/hostvol"
		mount --bind "$dir/srv" "$root/srv"
		mount --bind "$dir/tmp" "$root/var/tmp"
		mount -t tmpfs tmp "$root/tmp"
		mkdir -p "$root$repository" "$root$dir" # it may be below one of these
		mount --bind "$repository" "$root$repository"
		mount --bind "$dir" "$root$dir"
		ip link set lo up
		cd "$root"
		mkdir -p .old
		pivot_root . .old
		umount -l .old
		cd "$repository"
		exec "$@"' sh "$PEERS/root" "$dir" "$HV_ROOT" "$@"
}

# The machine ends without telling its containers, whose groups are the kernel's.
peers_clean() {
	find /sys/fs/cgroup -depth -type d -path "*/$PEERS_SLICE*" -exec rmdir '{}' + 2>/dev/null || true
}
