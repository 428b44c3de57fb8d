# SPDX-License-Identifier: Apache-2.0
load helpers
load plain

# What happens to real containers, as Prometheus sees it.

ADDRESS=127.0.0.1:39478
OK='code="ok"'

setup_file() {
	# shellcheck disable=SC2016
	bash -c '. "$0"; unpack_file "$@"' "$BATS_TEST_DIRNAME/../../scripts/lib.sh" \
		prometheus /usr/bin/promtool "$BATS_FILE_TMPDIR"
	export PATH="$BATS_FILE_TMPDIR/usr/bin:$PATH"
}

setup() { plain_setup; }
teardown() { plain_teardown; }

# The metrics of the daemon at $1, a socket: the text.
scrape() {
	curl -sf --max-time 5 --unix-socket "$1" http://hostvol/metrics
}

# metric SERIES: its value in the text on stdin; nothing if there is none.
metric() {
	awk -v name="$1 " 'index($0, name) == 1 { print $NF }'
}

# now SERIES: the value that the plain daemon has.
now() {
	scrape "$PLAIN/socket" | metric "$1"
}

# is SERIES VALUE
is() {
	[[ $(now "$1") == "$2" ]]
}

# A volume of the plain daemon.
volume() {
	mkdir -p "$TMP/$1"
	must Create "{\"Name\":\"$1\",\"Opts\":{\"path\":\"$TMP/$1\"}}"
}

attach() {
	must HotAttach "{\"Volume\":\"$1\",\"Container\":\"$2\",\"Target\":\"$3\"}"
}

holds_starts() {
	send HotInfo '{}'
	[[ $ANSWER == *'"Held":true'* ]]
}

@test "the plugin's metrics please promtool" {
	docker volume create -d hostvol -o path="$TMP" hvt_data
	start hvt_web
	docker hostvol attach hvt_data hvt_web:/mnt/d
	scrape "$(daemon_socket)" >"$TMP/metrics"
	promtool check metrics <"$TMP/metrics"
	[[ $(metric 'hostvol_attachments{state="attached"}' <"$TMP/metrics") -ge 1 ]]
	[[ $(metric hostvol_volumes <"$TMP/metrics") -ge 1 ]]
	[[ $(metric "hostvol_requests_total{endpoint=\"/VolumeDriver.Create\",$OK}" <"$TMP/metrics") -ge 1 ]]
	curl -s -o /dev/null -D - --unix-socket "$(daemon_socket)" http://hostvol/metrics |
		grep -i '^content-type: text/plain; version=0.0.4; charset=utf-8'
}

@test "attaches, detaches and requests are counted" {
	run_daemon
	start hvt_web
	volume hvt_data
	is 'hostvol_attach_seconds_count{by="request"}' 0
	is hostvol_volumes 1
	attach hvt_data hvt_web /mnt/d
	attach hvt_data hvt_web /mnt/d # the same again makes no mount
	attach hvt_data hvt_web /mnt/e
	is 'hostvol_attach_seconds_count{by="request"}' 2
	is 'hostvol_attachments{state="attached"}' 2
	is "hostvol_requests_total{endpoint=\"/HotAttach\",$OK}" 3
	send HotAttach '{"Volume":"hvt_none","Container":"hvt_web","Target":"/mnt/f"}'
	is 'hostvol_requests_total{endpoint="/HotAttach",code="no-such-volume"}' 1
	before=$(now hostvol_commits_total)
	must HotDetach '{"Container":"hvt_web","Target":"/mnt/d"}'
	is 'hostvol_attachments{state="attached"}' 1
	[[ $(now hostvol_commits_total) -ge $((before + 2)) ]]
	for path in /nowhere '/HotAttach/..' /other; do
		curl -s -o /dev/null --path-as-is --unix-socket "$PLAIN/socket" "http://hostvol$path"
	done
	is 'hostvol_requests_total{endpoint="other",code="no-such-endpoint"}' 3
	docker stop -t 0 hvt_web
	eventually is 'hostvol_attachments{state="pending"}' 1
	eventually is hostvol_queue_length 0
}

@test "what is unmounted inside a container counts as missing" {
	run_daemon
	start hvt_web --cap-add SYS_ADMIN --security-opt apparmor=unconfined
	volume hvt_data
	attach hvt_data hvt_web /mnt/d
	docker exec hvt_web umount /mnt/d
	must HotList '{}' # which has it looked at
	eventually is 'hostvol_attachments{state="missing"}' 1
	is 'hostvol_attachments{state="attached"}' 0
}

@test "a start that is held is timed, and in time" {
	run_daemon
	docker create --label "$LABEL" --network none --name hvt_web "$IMAGE" sleep 100000
	volume hvt_data
	attach hvt_data hvt_web /mnt/d
	eventually holds_starts
	docker start hvt_web
	eventually is 'hostvol_attach_seconds_count{by="start"}' 1
	[[ $(now hostvol_hold_seconds_count) -ge 1 ]]
	is hostvol_late_starts_total 0
}

@test "a start that is not held is counted as late" {
	HOSTVOL_HOLD_MS=0 run_daemon
	docker create --label "$LABEL" --network none --name hvt_web "$IMAGE" sleep 100000
	volume hvt_data
	attach hvt_data hvt_web /mnt/d
	attach hvt_data hvt_web /mnt/e
	docker start hvt_web
	eventually is 'hostvol_attachments{state="attached"}' 2
	is hostvol_late_starts_total 1
	is hostvol_hold_seconds_count 0
	is 'hostvol_attach_seconds_count{by="start"}' 2
}

@test "HOSTVOL_METRICS serves metrics and nothing else" {
	HOSTVOL_METRICS=$ADDRESS run_daemon
	eventually curl -sf "http://$ADDRESS/metrics"
	curl -sf "http://$ADDRESS/metrics" | promtool check metrics
	for path in / /metrics/ /HotInfo /HotList /HotAttach /Plugin.Activate /VolumeDriver.List; do
		[[ $(curl -s -o /dev/null -w '%{http_code}' "http://$ADDRESS$path") == 404 ]]
		[[ $(curl -s -o /dev/null -w '%{http_code}' --data '{}' "http://$ADDRESS$path") == 404 ]]
	done
	[[ $(curl -s -o /dev/null -w '%{http_code}' --data '{}' "http://$ADDRESS/metrics") == 405 ]]
	[[ $(curl -s -I -o /dev/null -w '%{http_code} %{size_download}' "http://$ADDRESS/metrics") == '200 0' ]]
	pid=$DAEMON
	kill "$pid"
	wait "$pid"
	run ! curl -s "http://$ADDRESS/metrics"
	HOSTVOL_METRICS=$ADDRESS run_daemon # at once, at the same address
	eventually curl -sf "http://$ADDRESS/metrics"
}

@test "an address that cannot be had is told, and the daemon works" {
	HOSTVOL_METRICS=192.0.2.1:9478 run_daemon # of RFC 5737: nobody's
	volume hvt_data
	grep "metrics cannot be served at 192.0.2.1:9478: Cannot assign requested address" "$PLAIN/log"
	HOSTVOL_SOCKET=$PLAIN/socket fails_with 1 FAIL "metrics cannot be served at 192.0.2.1:9478" -- \
		docker hostvol doctor
}

@test "a thousand attachments are counted in 5 ms" {
	run_daemon
	stop_daemon
	python3 - "$PLAIN/state/hostvol.db" <<'PYTHON'
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
db.executemany("INSERT INTO attachment (id, volume, source, container_id, container_name, target, flags, since,"
               " is_done, pid, ns_ino, path, mount_id, mountinfo_id, made, state)"
               " VALUES (?, 'v', '/srv/none', ?, 'gone', '/mnt', 16, '', 1, 0, 0, '/mnt', 0, 0, '', 'pending')",
               ((f"{i:012x}", f"{i:064x}") for i in range(1000)))
db.commit()
PYTHON
	run_daemon # whose Engine knows none of these containers: they are in doubt, and stay
	within 60 is hostvol_queue_length 0
	is 'hostvol_attachments{state="pending"}' 1000
	best=1
	for _ in $(seq 20); do
		took=$(curl -s -o /dev/null -w '%{time_total}' --unix-socket "$PLAIN/socket" http://hostvol/metrics)
		best=$(awk -v a="$took" -v b="$best" 'BEGIN { print a < b ? a : b }')
	done
	echo "a scrape takes $best s"
	awk -v best="$best" 'BEGIN { exit !(best <= 0.005) }'
}
