#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# If "create" fails, runc runs the poststop hooks and crun does not: neither after a failed createRuntime hook nor
# after a mount that cannot be made.
#
# Versions: runc 1.1.5+ds1-1+deb12u1, crun 1.8.1-1+deb12u1.
# Expected: the reverse. The runtime specification ("Lifecycle", steps 4, 12 and 13) goes on to the poststop hooks after
# a failed createRuntime hook; crun keeps to its order of hooks, while runc runs the poststop hooks in its code for
# "delete" and has no container left to delete here.
# Means: a createRuntime hook that prepares something cannot leave the cleaning to a poststop hook: after a failed
# create of crun nothing runs. A poststop hook must bear that no createRuntime hook ran before it, as under runc when
# a mount fails.
# shellcheck source=findings/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

begin --mount --pid --fork --kill-child --mount-proc

cat >hook <<'END'
#!/bin/sh
cat >/dev/null
echo "$1" >>"$2/ran"
exit "$3"
END
chmod +x hook

# hook NAME STATUS
hook() {
	printf '"%s": [{"path": "%s/hook", "args": ["hook", "%s", "%s", "%s"]}]' "$1" "$PWD" "$1" "$PWD" "$2"
}

# try STATUS SOURCE: the hooks that run in a create; the createRuntime hook exits with STATUS.
try() {
	local create
	: >ran
	bundle "$(hook createRuntime "$1"), $(hook poststop 0)" \
		"{\"destination\": \"/mnt\", \"type\": \"bind\", \"source\": \"$2\", \"options\": [\"bind\"]}"
	create=$(oci create --bundle bundle finding)
	[[ $create -eq 0 ]] && create=succeeds || create=fails
	echo "create $create, state $(state), ran: $(paste -s -d ' ' ran | grep . || echo nothing)"
	drop
}

runtime runc
seen "runc, nothing fails" "$(try 0 "$PWD")" "create succeeds, state created, ran: createRuntime"
seen "runc, the createRuntime hook fails" "$(try 1 "$PWD")" "create fails, state none, ran: createRuntime poststop"
seen "runc, no source to mount" "$(try 0 "$PWD/none")" "create fails, state none, ran: poststop"
runtime crun
seen "crun, nothing fails" "$(try 0 "$PWD")" "create succeeds, state created, ran: createRuntime"
seen "crun, the createRuntime hook fails" "$(try 1 "$PWD")" "create fails, state none, ran: createRuntime"
seen "crun, no source to mount" "$(try 0 "$PWD/none")" "create fails, state none, ran: nothing"
end
