# SPDX-License-Identifier: Apache-2.0
load helpers
load plain

# What a new attachment covers.

setup() {
	plain_setup
	mkdir "$TMP/src"
	echo here >"$TMP/src/who"
	run_daemon
	must Create '{"Name":"hvt_data","Opts":{"path":"'"$TMP"'/src"}}'
}

teardown() { plain_teardown; }

hostvol() {
	HOSTVOL_SOCKET=$PLAIN/socket "$BUILD/cli/docker-hostvol" "$@"
}

@test "an attach names the processes that go on using what it covers, and what is hidden" {
	docker run -d --label "$LABEL" --network none --name hvt_user "$IMAGE" \
		sh -c 'mkdir /data /empty; echo old >/data/who; cd /data; exec sleep 100000' >/dev/null
	within 5 grep -qx sleep "/proc/$(pid_of hvt_user)/comm"
	local note
	note="process $(pid_of hvt_user) (sleep) has its working directory in what volume 'hvt_data' covers at /data"
	run hostvol check hvt_data hvt_user:/data
	[[ $output == *"$note"* && $output == *"1 entry of the directory /data is hidden"* ]]
	run hostvol attach hvt_data hvt_user:/data
	[[ $status -eq 0 && $output == *"note: $note"* && $output == *"note: 1 entry of the directory"* ]]
	run hostvol attach hvt_data hvt_user:/empty
	[[ $output == hvt_user:/empty ]]
	run hostvol attach hvt_data hvt_user:/made
	[[ $output == hvt_user:/made ]]
}
