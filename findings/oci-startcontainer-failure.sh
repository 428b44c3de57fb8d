#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# crun and runc: "start" exits with 0 if a startContainer hook fails, although the container's process never ran.
#
# Versions: crun 1.8.1-1+deb12u1, runc 1.1.5+ds1-1+deb12u1.
# Expected: a status other than 0. The runtime specification asks for an error ("Lifecycle", step 7), a failing
# prestart, createRuntime or createContainer hook makes "create" fail, and the runtime has not answered yet when the
# hook runs.
# Means: after a start that succeeded, the state has to be asked for: "stopped" is all that remains, and it looks like
# a process that ended at once. crun prints nothing at all, runc prints to the output of the container.
# shellcheck source=findings/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

begin --mount --pid --fork --kill-child --mount-proc

# try HOOK PROGRAM-ARGUMENT: the statuses of create and start, the bytes that start prints, and the process.
try() {
	local create start output state ran=no deadline=$((SECONDS + 10))
	bundle "\"$1\": [{\"path\": \"/program\", \"args\": [\"program\", \"$2\"]}]"
	create=$(oci create --bundle bundle finding)
	start=$(oci start finding)
	output=$(wc -c <start.out)
	until state=$(state) && [[ $state == stopped || -e bundle/rootfs/ran || $SECONDS -ge $deadline ]]; do
		sleep 0.1
	done
	[[ ! -e bundle/rootfs/ran ]] || ran=yes
	drop
	echo "create=$create start=$start output=$output state=$state ran=$ran"
}

for name in crun runc; do
	runtime "$name"
	seen "$name, the hook succeeds" "$(try startContainer copy)" "create=0 start=0 output=0 state=running ran=yes"
	seen "$name, the hook fails" "$(try startContainer fail)" "create=0 start=0 output=0 state=stopped ran=no"
done
end
