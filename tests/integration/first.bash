# SPDX-License-Identifier: Apache-2.0
# Containers whose program tells what it finds first of all (first.c). CLI is docker, or podman.

CLI=${CLI:-docker}

# An image with one program, which prints how many of its targets are mounted when it begins.
make_first() {
	mkdir "$TMP/image"
	cc -static -O1 -o "$TMP/image/first" "$(dirname "${BASH_SOURCE[0]}")/first.c"
	tar -C "$TMP/image" -c first | "$CLI" import - hvt-first >/dev/null
}

has_said() {
	[[ $("$CLI" logs "$1" | wc -l) -ge $2 ]]
}

# said NAME STARTS: what the program printed at each start, in one line.
said() {
	within 5 has_said "$1" "$2"
	"$CLI" logs "$1" | sort | uniq -c | xargs
}

# restart_often NAME COUNT: one that has begun once.
restart_often() {
	local i
	for i in $(seq "$2"); do
		within 5 has_said "$1" "$i" # or it is killed before it has said anything
		"$CLI" restart -t 0 "$1" >/dev/null
	done
	within 5 has_said "$1" $(($2 + 1))
}
