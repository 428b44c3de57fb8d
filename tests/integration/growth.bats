# SPDX-License-Identifier: Apache-2.0
load helpers

# Nothing grows with the number of attachments made. HOSTVOL_ROUNDS says how many (scripts/test --all
# sets 10000).

setup() { common_setup; }
teardown() { common_teardown; }

# Descriptors and threads of the daemon, mounts of the daemon, the host and the container.
counts() {
	local pid=$1
	ls "/proc/$pid/fd" | wc -l
	ls "/proc/$pid/task" | wc -l
	wc -l <"/proc/$pid/mountinfo"
	grep -vc /docker/ /proc/self/mountinfo
	wc -l <"/proc/$(pid_of hvt_web)/mountinfo"
	docker diff hvt_web | sort
}

# grown BEFORE NOW: print the lines that differ. The first two may be smaller: tests before this one may
# have left what ended meanwhile.
grown() {
	diff <(echo "$1") <(echo "$2") >/dev/null && return 1
	paste -d '|' <(echo "$1") <(echo "$2") |
		awk -F '|' 'NR <= 2 ? $2 > $1 + 0 : $1 != $2 { print; bad = 1 } END { exit !bad }'
}

rss_kb() {
	awk '/^VmRSS/ { print $2 }' "/proc/$1/status"
}

@test "attach and detach many times: descriptors, threads, mounts and memory are where they began" {
	request=$BATS_TEST_DIRNAME/../../build/release/bench/hostvol_bench_request
	docker volume create -d hostvol -o path="$TMP" hvt_data
	start hvt_web
	pid=$(daemon_pid)
	"$request" "$(daemon_socket)" 200 hvt_data hvt_web /mnt/new/deep # warm: threads, caches
	before=$(counts "$pid")
	rss=$(rss_kb "$pid")
	"$request" "$(daemon_socket)" "${HOSTVOL_ROUNDS:-1000}" hvt_data hvt_web /mnt/new/deep
	for _ in $(seq 100); do # the client's connection thread ends when it sees it closed
		grown "$before" "$(counts "$pid")" >/dev/null || break
		sleep 0.05
	done
	run grown "$before" "$(counts "$pid")"
	[[ -z $output ]] || { echo "$output" && return 1; }
	echo "RSS: $rss kB before, $(rss_kb "$pid") kB after"
	[[ $(rss_kb "$pid") -le $((rss + 1024)) ]]
	[[ $(pid_of hvt_web) -gt 0 && $(daemon_pid) == "$pid" ]]
}

@test "attaching to containers that die meanwhile leaves nothing" {
	docker volume create -d hostvol -o path="$TMP" hvt_data
	pid=$(daemon_pid)
	before=$(ls "/proc/$pid/fd" | wc -l)
	mounts=$(host_mounts)
	for i in $(seq 10); do
		start "hvt_$i" --rm
		(docker kill "hvt_$i" >/dev/null 2>&1) &
		for _ in 1 2 3; do
			run docker hostvol attach hvt_data "hvt_$i:/mnt/d"
			[[ $status -eq 0 || $output == *"not running"* || $output == *"no such container"* ||
				$output == *"meanwhile"* ]]
		done
		wait
	done
	diff <(echo "$mounts") <(host_mounts)
	until [[ $(ls "/proc/$pid/fd" | wc -l) -le $before ]]; do sleep 0.1; done
	docker hostvol ls
	docker volume rm hvt_data
}
