#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# runc runs the poststart hooks at the end of "create", before anything has asked for a start, and the failure of one
# makes "create" fail; crun runs them in "start", and their failure changes nothing.
#
# Versions: runc 1.1.5+ds1-1+deb12u1, crun 1.8.1-1+deb12u1.
# Expected: they run in "start", after the container's process has begun, as their name and the runtime specification
# ("Lifecycle", step 9) say, with "running" in the state that they read. A failure is a warning there.
# Means: a poststart hook is no sign that the container's process runs. A hook that waits for something which the
# process does never ends under runc, as the process waits for the start that comes after it.
# shellcheck source=findings/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

begin --mount --pid --fork --kill-child --mount-proc

cat >hook <<'END'
#!/bin/sh
sed 's/.*"status": *"\([a-z]*\)".*/\1/' >>"$1"
exit "$2"
END
chmod +x hook

# hook STATUS: the hook's JSON.
hook() {
	printf '"poststart": [{"path": "%s/hook", "args": ["hook", "%s/told", "%s"]}]' "$PWD" "$PWD" "$1"
}

# try STATUS: create and start, with a hook that exits with STATUS; print each step.
try() {
	local created told
	rm -f told
	bundle "$(hook "$1")"
	created=$(oci create --bundle bundle finding)
	told=$(cat told 2>/dev/null || echo nothing)
	printf 'create=%s told=%s start=%s told=%s ' "$created" "$told" "$(oci start finding)" "$(cat told)"
	printf 'state=%s\n' "$(state)"
	drop
}

runtime runc
seen "runc, the hook succeeds" "$(try 0)" "create=0 told=created start=0 told=created state=running"
seen "runc, the hook fails" "$(try 1)" "create=1 told=created start=1 told=created state=none"
runtime crun
seen "crun, the hook succeeds" "$(try 0)" "create=0 told=nothing start=0 told=running state=running"
seen "crun, the hook fails" "$(try 1)" "create=0 told=nothing start=0 told=running state=running"
end
