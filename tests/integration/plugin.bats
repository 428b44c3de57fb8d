# SPDX-License-Identifier: Apache-2.0
load helpers

setup() { common_setup; }
teardown() { common_teardown; }

@test "the plugin is listed as an enabled volume driver" {
	run -0 docker plugin ls --filter capability=volumedriver --format '{{.Name}} {{.Enabled}}'
	[[ $output == *"hostvol:latest true"* ]]
}

@test "the plugin asks for exactly the privileges that are documented" {
	run -0 docker plugin inspect -f '{{json .Config.Linux.Capabilities}}' hostvol
	[[ $output == '["CAP_SYS_ADMIN","CAP_SYS_PTRACE"]' ]]
	run -0 docker plugin inspect -f '{{.Config.Linux.AllowAllDevices}} {{.Config.PidHost}} {{.Config.IpcHost}} {{.Config.Network.Type}}' hostvol
	[[ $output == "true true false host" ]]
	run -0 docker plugin inspect -f '{{len .Config.Mounts}} {{len .Config.Linux.Devices}}' hostvol
	[[ $output == "0 0" ]]
	run -0 docker plugin inspect -f '{{json .Config.Interface.Types}}' hostvol
	[[ $output == *'"docker.volumedriver/1.0"'* && $output != *,* ]]
	for privilege in CAP_SYS_ADMIN CAP_SYS_PTRACE "host PID namespace" "all devices" "host network"; do
		grep -qi "$privilege" "$BATS_TEST_DIRNAME/../../docs/security.md"
	done
}

@test "the plugin's root file system has the daemon and its libraries and no other program" {
	pid=$(daemon_pid)
	# The Engine adds empty files of its own: /.dockerenv and some in /etc.
	run -0 find "/proc/$pid/root/" -xdev -type f -perm /111 -not -name '*.so*' -not -empty \
		-not -path '*/etc/*' -printf '/%P\n'
	[[ $output == /usr/bin/hostvold ]]
	[[ ! -e /proc/$pid/root/bin/sh && ! -e /proc/$pid/root/usr/bin/apt ]]
}

@test "a plugin setting that makes no sense is refused with a reason in the log" {
	run -2 env HOSTVOL_LOG=loud "$BATS_TEST_DIRNAME/../../build/release/driver/daemon/hostvold"
	[[ $output == *"HOSTVOL_LOG=loud is not error, warn, info or debug"* ]]
}
