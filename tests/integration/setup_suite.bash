# Before the first test: away with what is left of a run that was killed, or its machine with it.

load helpers.bash

setup_suite() {
	local dir
	for dir in /var/tmp/hvt-engine.*; do
		[[ ! -d $dir ]] || engine_remains "$dir"
	done
	awk '$5 ~ "^/srv/hvt[.]" { print $5 }' /proc/self/mountinfo | sort -r | xargs -r -n 1 umount -l
	for dir in /srv/hvt.*; do
		TMP=$dir common_teardown
	done
}

# With the holder of the namespaces the machine that it was has ended, and its mounts are gone.
engine_remains() {
	local file pid
	for file in "$1/docker.pid" "$1/holder"; do
		pid=$(cat "$file" 2>/dev/null) || continue
		! grep -qsE '^(dockerd|sleep)$' "/proc/$pid/comm" || kill -KILL "$pid"
	done
	rm -rf "$1"
}
