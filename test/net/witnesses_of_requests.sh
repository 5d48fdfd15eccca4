#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Redis is asked by its own benchmark: fifty clients, single requests and many at once, small answers and large ones.
. "${0%/*}/../tap.sh"
. "${0%/*}/../hosts.sh"
. "${0%/*}/../forward.sh"
need redis-cli redis-benchmark

# Debian has it as a service, and as a tool of another name, which goes by the name it is called.
redis=$(command -v redis-server || command -v redis-check-rdb)
ln -s "$redis" "$tap_tmp/redis-server"
serves "$container" "$tap_tmp/redis-server" --port 6379 --bind 10.0.0.2 fd00::2 --protected-mode no --save '' \
	--appendonly no --dir "$tap_tmp"
until_true listens "$container" 6379 || cat "$tap_tmp/server" >&2
forward --to 10.0.0.2,fd00::2 4379:6379
files=$(descriptors "$engine")
cli() { at "$lan" redis-cli -p 4379 "$@"; }

head -c 8M /dev/urandom >"$tap_tmp/value"
for host in 192.0.2.1 2001:db8::1; do
	cli -h $host -x set "large $host" <"$tap_tmp/value" >/dev/null
	is "$host: a large value" "$(cli -h $host get "large $host" | head -c 8M | sum)" "$(sum "$tap_tmp/value")"
done
# benchmark CLAIM ARGUMENTS...: every test gives a rate, and redis counts as many commands as were asked for.
benchmark() {
	claim=$1
	shift
	cli -h 192.0.2.1 config resetstat >/dev/null
	at "$lan" timeout 60 redis-benchmark -h 192.0.2.1 -p 4379 --csv "$@" >"$tap_tmp/rates" 2>"$tap_tmp/complaints"
	is "$claim: it ends well" "$? $(grep -iE 'error|closed|reset' "$tap_tmp/complaints")" '0 '
	# shellcheck disable=SC2046 # words are wanted
	is "$claim: every request has its answer" "$(cli -h 192.0.2.1 info commandstats | tr -d '\r' |
		sed -n 's/^cmdstat_\([sg]et\|lrange\|incr\):calls=\([0-9]*\),.*failed_calls=0.*/\1 \2/p' | sort | paste -sd ' ')" \
		"$want"
}
want='get 20000 incr 20000 set 20000'
benchmark 'fifty clients' -c 50 -n 20000 -t set,get,incr
want='get 100000 set 100000'
benchmark 'many requests at once' -c 50 -n 100000 -P 16 -t set,get
want='get 4000 set 4000'
benchmark 'requests of 64 kB' -c 20 -n 4000 -d 65536 -t set,get
want='set 4000'
benchmark 'a connection for each request' -c 20 -n 4000 -k 0 -t set
ok 'no connection is left' until_true sh -c "[ \$(find /proc/$engine/fd -lname 'socket:*' | wc -l) -le $files ]"
stop
is 'it ends as it should' "$status" 0
finish
