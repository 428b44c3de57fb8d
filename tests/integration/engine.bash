# SPDX-License-Identifier: Apache-2.0
# A Docker Engine of the tests' own, for what must not be done to the machine's: restarting it,
# killing it, removing the plugin.
#
# In a mount namespace (with its own /run/docker, where every Engine keeps its plugins' sockets) and
# a network namespace of its own; no bridge. Everything it has is below $ENGINE, a directory in
# $ENGINE_PARENT (/var/tmp unless said).

# engine_setup [DOCKERD-OPTION...]
engine_setup() {
	engine_begin "$@"
	engine_image
}

# engine_begin [DOCKERD-OPTION...]: without an image.
engine_begin() {
	ENGINE=$(mktemp -d -p "${ENGINE_PARENT:-/var/tmp}" hvt-engine.XXXXXX)
	chmod 711 "$ENGINE" # a remapped root passes through
	export ENGINE DOCKER_HOST=unix://$ENGINE/docker.sock
	engine_namespace
	ENGINE_OPTIONS=("$@")
	engine_start
}

# Once for all Engines of a run: what they have from the machine's Engine.
engine_image() {
	local kept=$BATS_RUN_TMPDIR/image.tar
	[[ -e $kept ]] || docker -H unix:///var/run/docker.sock save -o "$kept" "$IMAGE"
	docker load -q -i "$kept" >/dev/null
}

# The images that scripts/build-plugin made.
engine_rootfs() {
	local kept=$BATS_RUN_TMPDIR/rootfs.tar container
	if [[ ! -e $kept ]]; then
		container=$(docker -H unix:///var/run/docker.sock create hostvol-rootfs /usr/bin/hostvold)
		docker -H unix:///var/run/docker.sock export -o "$kept" "$container"
		docker -H unix:///var/run/docker.sock rm "$container" >/dev/null
	fi
	tar -x -f "$kept" -C "$1"
}

# The namespaces outlive each dockerd, as a machine does: containers and plugins stay in them.
engine_namespace() {
	mkdir "$ENGINE/data" "$ENGINE/exec" "$ENGINE/state"
	# shellcheck disable=SC2016
	unshare -m -n -u sh -c '
		mount --make-rprivate /
		mount -t tmpfs tmpfs /run/docker
		mkdir /run/docker/plugins
		ip link set lo up 2>/dev/null
		echo $$ >"$1/holder"
		exec sleep 1000000' sh "$ENGINE" 3>&- &
	disown # it is ended by a signal, which is nothing to tell
	until [[ -s $ENGINE/holder ]]; do sleep 0.05; done
}

in_engine() {
	nsenter -t "$(cat "$ENGINE/holder")" -m -n -u "$@"
}

engine_start() {
	rm -f "$ENGINE/docker.pid" "$ENGINE/exec/containerd/containerd.pid"
	in_engine dockerd --data-root "$ENGINE/data" --exec-root "$ENGINE/exec" \
		--pidfile "$ENGINE/docker.pid" -H "unix://$ENGINE/docker.sock" --bridge none \
		--iptables=false "${ENGINE_OPTIONS[@]}" "$@" >>"$ENGINE/log" 2>&1 3>&- &
	for _ in $(seq 300); do
		docker version >/dev/null 2>&1 && return
		sleep 0.1
	done
	tail "$ENGINE/log"
	return 1
}

# engine_stop [SIGNAL]: end dockerd and wait until it is gone.
engine_stop() {
	local pid
	pid=$(cat "$ENGINE/docker.pid")
	kill "-${1:-TERM}" "$pid"
	while [[ -d /proc/$pid && $(cut -d ' ' -f 3 "/proc/$pid/stat" 2>/dev/null) != Z ]]; do
		sleep 0.05
	done
	rm -f "$ENGINE/docker.pid"
}

# For --userns-remap=default: the user that Docker takes then.
engine_remap_users() {
	getent passwd dockremap >/dev/null || useradd -r -s /usr/sbin/nologin dockremap
	grep -q ^dockremap: /etc/subuid || echo dockremap:300000:65536 >>/etc/subuid
	grep -q ^dockremap: /etc/subgid || echo dockremap:300000:65536 >>/etc/subgid
}

# A registry of the Engine's machine, for plugins; docker takes one on 127.0.0.1 without TLS.
REGISTRY=127.0.0.1:5000

engine_registry() {
	mkdir "$ENGINE/registry"
	printf 'version: 0.1\nlog: { level: error }\nstorage: { filesystem: { rootdir: %s } }\nhttp: { addr: "%s" }\n' \
		"$ENGINE/registry" "$REGISTRY" >"$ENGINE/registry.yml"
	in_engine docker-registry serve "$ENGINE/registry.yml" >>"$ENGINE/log" 2>&1 3>&- &
	disown
	for _ in $(seq 100); do
		in_engine curl -s "http://$REGISTRY/v2/" >/dev/null && return
		sleep 0.05
	done
	return 1
}

# engine_push TAG: the plugin of this checkout, as one that somebody publishes, that differs by TAG.
engine_push() {
	local dir
	dir=$(plugin_directory)
	echo "$1" >"$dir/rootfs/etc/published"
	docker plugin create "$REGISTRY/hostvol:$1" "$dir" >/dev/null
	rm -rf "$dir"
	docker plugin push "$REGISTRY/hostvol:$1" >/dev/null
	docker plugin rm "$REGISTRY/hostvol:$1" >/dev/null
}

# published: the TAG of the plugin that runs.
published() {
	cat "/proc/$(daemon_pid)/root/etc/published"
}

# What `docker plugin create` wants.
plugin_directory() {
	local dir
	dir=$(mktemp -d -p "$ENGINE")
	mkdir "$dir/rootfs"
	engine_rootfs "$dir/rootfs"
	cp "$BATS_TEST_DIRNAME/../../plugin-config/config.json" "$dir"
	mkdir -p "$dir/rootfs/etc"
	echo "$dir"
}

# The plugin of this checkout, by hand.
engine_plugin() {
	local dir
	dir=$(plugin_directory)
	docker plugin create hostvol "$dir"
	docker plugin set hostvol "HOSTVOL_STATE=$ENGINE/state" "HOSTVOL_ENGINE=$ENGINE/docker.sock"
	docker plugin enable hostvol
	rm -rf "$dir"
}

# The socket is in the Engine's own /run/docker.
engine_hostvol() {
	in_engine docker-hostvol "$@"
}

# engine_kill_all [HOLDER]: all that runs on the machine that the namespaces are, but for containers
# with a network of their own: dockerd, containerd, shims, plugins. HOLDER is spared.
engine_kill_all() {
	local process net
	net=$(readlink "/proc/$(cat "$ENGINE/holder")/ns/net")
	for process in /proc/[0-9]*; do
		[[ ${process#/proc/} == "${1:-}" ||
			$(readlink "$process/ns/net" 2>/dev/null) != "$net" ]] ||
			kill -KILL "${process#/proc/}"
	done
}

# engine_clear: away with all containers and volumes of the tests' Engine, whatever DOCKER_HOST says: the
# machine's Engine has containers and volumes of its own.
engine_clear() {
	local -x DOCKER_HOST=unix://${ENGINE:?}/docker.sock
	docker ps -aq | xargs -r docker rm -fv >/dev/null 2>&1 || true
	docker volume ls -q | xargs -r docker volume rm -f >/dev/null 2>&1 || true
}

engine_teardown() {
	[[ -n ${ENGINE:-} ]] || return 0 # it was not begun
	export DOCKER_HOST=unix://$ENGINE/docker.sock # whatever the test had set
	docker ps -aq | xargs -r docker rm -f >/dev/null 2>&1 || true
	docker plugin rm -f hostvol >/dev/null 2>&1 || true
	[[ ! -e $ENGINE/docker.pid ]] || engine_stop TERM
	engine_kill_all
	unset DOCKER_HOST
	for _ in $(seq 50); do
		rm -rf "$ENGINE" 2>/dev/null && return
		sleep 0.1
	done
	rm -rf "$ENGINE"
}
