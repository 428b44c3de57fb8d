# SPDX-License-Identifier: Apache-2.0
# Before the first test: away with what is left of a run that was killed, or its machine with it. What
# belongs to a run that is under way is left alone. Of the bats that are one run (scripts/test docker) the
# first clears up, and the other waits for it: they have the same HOSTVOL_CLEARED, a file.

load helpers.bash

setup_suite() {
	[[ -n ${HOSTVOL_CLEARED:-} ]] || { clear_up && return; }
	(
		flock 9
		[[ -s $HOSTVOL_CLEARED ]] || clear_up
		echo cleared >"$HOSTVOL_CLEARED"
	) 9>>"$HOSTVOL_CLEARED"
}

clear_up() {
	local dir
	for dir in /var/tmp/hvt-engine.*; do
		[[ ! -d $dir ]] || engine_remains "$dir"
	done
	if other_run; then
		echo "# another run is under way: /srv/hvt.* is left alone" >&3
		return
	fi
	awk '$5 ~ "^/srv/hvt[.]" { print $5 }' /proc/self/mountinfo | sort -r | xargs -r -n 1 umount -l
	for dir in /srv/hvt.*; do
		TMP=$dir common_teardown
	done
}

# words_of FILE: the words of a file in /proc, a line each.
words_of() {
	tr '\0' '\n' 2>/dev/null <"$1"
}

# run_of PID: the bats that it was started by, if that is there still; each of its processes has it in
# its environment.
run_of() {
	local root
	root=$(words_of "/proc/$1/environ" | sed -n 's/^BATS_ROOT_PID=//p') 2>/dev/null
	[[ -n $root ]] && words_of "/proc/$root/cmdline" 2>/dev/null | grep -q bats && echo "$root"
}

other_run() {
	local pid
	for pid in $(pgrep -f bats-exec-suite); do
		[[ $(run_of "$pid") =~ ^($BATS_ROOT_PID|)$ ]] || beside_this "$pid" || return 0
	done
	return 1
}

# beside_this PID: the other bats of this run.
beside_this() {
	[[ -n ${HOSTVOL_CLEARED:-} ]] &&
		words_of "/proc/$1/environ" | grep -qxF "HOSTVOL_CLEARED=$HOSTVOL_CLEARED"
}

# is_dockerd DIR PID: it is the Engine of that directory. The number may be another's by now.
is_dockerd() {
	words_of "/proc/$2/cmdline" 2>/dev/null | grep -qxF -e "$1/docker.pid"
}

# is_holder PID: the process that keeps the namespaces of such an Engine.
is_holder() {
	[[ $(words_of "/proc/$1/cmdline" 2>/dev/null) == $'sleep\n1000000' ]] &&
		[[ $(readlink "/proc/$1/ns/mnt") != "$(readlink /proc/self/ns/mnt)" ]]
}

# With the holder of the namespaces the machine that it was has ended, and its mounts are gone. A
# directory that is new and has no process yet may be one of a run that has just begun.
engine_remains() {
	local dir=$1 pid remains=()
	pid=$(cat "$dir/docker.pid" 2>/dev/null) && is_dockerd "$dir" "$pid" && remains+=("$pid")
	pid=$(cat "$dir/holder" 2>/dev/null) && is_holder "$pid" && remains+=("$pid")
	for pid in "${remains[@]}"; do
		[[ -z $(run_of "$pid") ]] || return 0
	done
	if [[ ${#remains[@]} -gt 0 ]]; then
		kill -KILL "${remains[@]}"
	elif [[ -n $(find "$dir" -maxdepth 0 -mmin -1) ]]; then
		return
	fi
	rm -rf "$dir"
}
