#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# PostgreSQL on 127.0.0.1:5432 only: psql on this host reads and writes, in bulk too, and nobody outside gets in.
. "${0%/*}/../tap.sh"
. "${0%/*}/../machine.sh"
. "${0%/*}/../hosts.sh"
. "${0%/*}/../scene.sh"
for directory in /usr/lib/postgresql/*/bin /usr/libexec/postgresql*; do PATH="$PATH:$directory"; done
need_programs postgres initdb psql

# A cluster of its own, of somebody who is not root: what the package has made is left alone.
nobody="setpriv --reuid=65534 --regid=65534 --clear-groups env -i PATH=$PATH LC_ALL=C"
database=/run/database
install -d -o 65534 $database
# shellcheck disable=SC2086 # words are wanted
$nobody initdb -D $database/data -A trust -U postgres --no-sync >"$tap_tmp/initdb" 2>&1 ||
	skip_all "initdb fails here: $(tail -n 1 "$tap_tmp/initdb")"
echo 'host all all all trust' >>$database/data/pg_hba.conf
# Shared memory of the kind that ends with the machine, and no waiting for disks.
# shellcheck disable=SC2086
serves "$container" $nobody postgres -D $database/data -k $database -h '*' -F \
	-c shared_memory_type=sysv -c dynamic_shared_memory_type=sysv -c max_connections=20 -c shared_buffers=16MB

# sql FROM ADDRESS SQL: what psql prints.
sql() {
	where=$1
	if [ "$1" = 0 ]; then where=$$; fi
	at "$where" env PGCONNECT_TIMEOUT=3 psql -X -q -A -t -h "$2" -p 5432 -U postgres -c "$3" postgres
}
until_true sql "$container" 127.0.0.1 'select 1' || cat "$tap_tmp/server" >&2
seq -f 'row %.0f	some text to fill the line' 300000 >"$tap_tmp/rows"

for how in auto userspace; do
	publish --via $how -p 127.0.0.1:5432:5432
	is "$how: psql on this host" "$(sql 0 127.0.0.1 'select 6 * 7')" 42
	sql 0 127.0.0.1 'create table t (name text, text text)'
	sql 0 127.0.0.1 '\copy t from stdin' <"$tap_tmp/rows"
	is "$how: ten megabytes in, by COPY" "$(sql 0 127.0.0.1 'select count(*) from t')" 300000
	is "$how: and out, as they were" "$(sql 0 127.0.0.1 '\copy t to stdout' | sum)" "$(sum "$tap_tmp/rows")"
	sql 0 127.0.0.1 'drop table t'
	for address in 192.0.2.1 10.0.0.1 2001:db8::1; do
		run sql "$lan" $address 'select 1'
		has "$how: not from outside, by $address" "$err" 'Connection refused'
	done
	run sql 0 192.0.2.1 'select 1'
	has "$how: nor by another address of this host" "$err" 'Connection refused'
	if [ $how = auto ]; then # the other leaves the kernel's tables alone
		run sql "$lan" 10.0.0.2 'select 1'
		has "$how: nor by the address of the container" "$err" 'timeout expired'
	fi
	unpublish 127.0.0.1:5432/tcp
done
finish
