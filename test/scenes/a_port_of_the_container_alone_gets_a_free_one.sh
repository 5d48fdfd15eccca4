#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# `-p 4567` chooses a port of the host that nobody has, tells people and programs which, and it answers; the next one gets
# another.
. "${0%/*}/../tap.sh"
. "${0%/*}/../machine.sh"
. "${0%/*}/../hosts.sh"
. "${0%/*}/../scene.sh"
serve "$container" 4567 app

for how in auto userspace; do
	publish --via $how --id first -p 4567
	first=$(echo "$out" | sed -n 's/^first  \([0-9]*\):4567\/tcp$/\1/p')
	publish --via $how --id second -p 4567 --json
	second=$(echo "$out" | jq -r '.publications[] | select(.container_port == 4567) | .host_port')
	is "$how: two ports, each told" "$(printf '%s\n' "$first" "$second" | sort -u | grep -cx '[1-9][0-9]*')" 2
	for port in $first $second; do
		answers "$port" 'hello from app'
	done
	is "$how: list tells them" "$("$PORTPUB" list | awk '{print $1, $2}' | tail -n +2 | sort | paste -sd ' ')" \
		"first $first/tcp second $second/tcp"
	unpublish first second
done
finish
