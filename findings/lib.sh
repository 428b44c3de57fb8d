# SPDX-License-Identifier: Apache-2.0
# Functions shared by the findings. To be sourced by bash; does nothing by itself.
# shellcheck shell=bash
set -euo pipefail
export LC_ALL=C.UTF-8
export PATH="$PATH:/usr/sbin:/sbin"

CHANGED=0

fail() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

# begin OPTION...: print the comment at the top of the script, and run the rest of it in a temporary directory and
# in namespaces of its own: OPTION are for unshare.
begin() {
	local status=0
	if [[ -z ${FINDING_DIR:-} ]]; then
		[[ $EUID -eq 0 ]] || fail "this needs root"
		awk '/^# shellcheck/ || !/^#/ { exit } NR > 2 { sub(/^# ?/, ""); print }' "$0"
		FINDING_DIR=$(mktemp -d -p /var/tmp hostvol-finding.XXXXXX)
		export FINDING_DIR
		trap 'rm -rf --one-file-system "$FINDING_DIR"' EXIT
		unshare --propagation private "$@" bash "$0" || status=$?
		exit "$status"
	fi
	mkdir "$FINDING_DIR/run"
	cd "$FINDING_DIR/run"
	printf '\nSeen now, on kernel %s:\n' "$(uname -r)"
}

# need_kernel VERSION: exit 77 on an older one.
need_kernel() {
	printf '%s\n%s\n' "$1" "$(uname -r)" | sort -V -C && return
	printf '  skipped: this needs kernel %s\n' "$1"
	exit 77
}

# pinned PACKAGE VERSION: use the installed package if it has that version; otherwise download that version
# and unpack it here.
pinned() {
	local package=$1 version=$2 root=$FINDING_DIR/root
	if [[ $(dpkg-query -W -f '${Version}' "$package" 2>/dev/null) != "$version" ]]; then
		(cd "$FINDING_DIR" && apt-get -q -o APT::Sandbox::User=root download "$package=$version" >/dev/null)
		dpkg-deb -x "$FINDING_DIR/${package}_"*.deb "$root"
		export PATH="$root/usr/bin:$root/usr/sbin:$root/bin:$root/sbin:$PATH"
		export LD_LIBRARY_PATH="$root/usr/lib/x86_64-linux-gnu:$root/lib/x86_64-linux-gnu"
		export LIBRARY_PATH=$LD_LIBRARY_PATH CPATH="$root/usr/include"
	fi
	printf '  with %s %s\n' "$package" "$version"
}

# runtime NAME: crun or runc, with its state here, and with nothing but cgroup v2 in this mount namespace.
runtime() {
	local cgroup=hostvol-finding-$$
	case $1 in
	crun)
		pinned crun 1.8.1-1+deb12u1
		RUNTIME=(crun --cgroup-manager=disabled --root "$PWD/$1")
		;;
	runc)
		pinned runc 1.1.5+ds1-1+deb12u1
		RUNTIME=(runc --root "$PWD/$1")
		;;
	esac
	[[ $(stat -f -c %T /sys/fs/cgroup) == cgroup2fs ]] || mount -t cgroup2 none /sys/fs/cgroup
	CGROUP=/$cgroup
}

# bundle HOOKS [MOUNTS]: make a bundle here. Its process "/program run" writes /ran and sleeps; "/program fail" fails
# and "/program copy" copies its input to /copy. HOOKS and MOUNTS are JSON.
bundle() {
	rm -rf bundle
	mkdir -p bundle/rootfs/{proc,dev,mnt}
	[[ -e program ]] || compile program -static <<'END'
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	int fd;

	if (strcmp(what, "fail") == 0)
		return 1;
	fd = open(strcmp(what, "copy") == 0 ? "/copy" : "/ran", O_WRONLY | O_CREAT, 0644);
	if (strcmp(what, "copy") == 0) {
		char buf[4096];
		ssize_t size = read(0, buf, sizeof buf);

		return write(fd, buf, size > 0 ? (size_t)size : 0) < 0;
	}
	for (;;)
		pause();
}
END
	cp program bundle/rootfs/
	cat >bundle/config.json <<-END
		{"ociVersion": "1.0.2", "hostname": "finding", "root": {"path": "rootfs"},
		 "process": {"user": {"uid": 0, "gid": 0}, "args": ["/program", "run"], "cwd": "/", "env": ["A=b"]},
		 "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"}${2:+, $2}],
		 "linux": {"cgroupsPath": "$CGROUP",
		           "namespaces": [{"type": "pid"}, {"type": "mount"}, {"type": "uts"}, {"type": "ipc"}]},
		 "hooks": {$1}}
	END
}

# oci COMMAND...: run the runtime, print its status. Its output is in COMMAND.out, with that of the container if
# COMMAND is create.
oci() {
	local status=0
	"${RUNTIME[@]}" "$@" >"$1.out" 2>&1 </dev/null || status=$?
	echo "$status"
}

# state: the container's.
state() {
	"${RUNTIME[@]}" state finding 2>/dev/null | sed -n 's/.*"status": *"\([a-z]*\)".*/\1/p' | grep . || echo none
}

# drop: delete the container.
drop() {
	"${RUNTIME[@]}" delete --force finding >/dev/null 2>&1 || true
	[[ ! -d /sys/fs/cgroup$CGROUP ]] || rmdir "/sys/fs/cgroup$CGROUP"
}

# compile NAME [OPTION...]: the C program on standard input.
compile() {
	gcc -std=gnu17 -Wall -Wextra -Werror -O1 -x c -o "$1" - "${@:2}"
}

# seen LABEL RESULT FINDING: print the result of now, and note if it is not that of the finding.
seen() {
	printf '  %-52s %s\n' "$1" "$2"
	[[ $2 == "$3" ]] && return
	printf '  %-52s %s\n' "^ changed; the finding says" "$3"
	CHANGED=1
}

# end: the status of the script.
end() {
	[[ $CHANGED -eq 0 ]] || fail "the behaviour changed"
	printf '  as the finding says\n'
}
