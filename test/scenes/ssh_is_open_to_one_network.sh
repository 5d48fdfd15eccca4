#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# sshd at port 22, --allow'ed to one network: its clients and this host log in, with commands and files, and sshd sees who
# they are; nobody else gets an answer.
. "${0%/*}/../tap.sh"
. "${0%/*}/../machine.sh"
. "${0%/*}/../hosts.sh"
. "${0%/*}/../scene.sh"
need_programs sshd ssh sftp ssh-keygen

# Another machine outside, of a network that is not on the list: stranger 198.51.100.2 --- 198.51.100.1.
machine && stranger=$machine
cable "$stranger" far0 198.51.100.2 2001:db8:1::2 198.51.100.1 2001:db8:1::1
ip addr add 198.51.100.1/24 dev far0
ip addr add 2001:db8:1::1/64 dev far0 nodad

ssh=$tap_tmp/ssh
install -d -m 755 "$ssh" /run/sshd
sed -i 's/^root:[^:]*:/root:*:/' /etc/shadow # this machine is private, and sshd keeps out whose password is locked
for key in host client; do ssh-keygen -q -t ed25519 -N '' -f "$ssh/$key"; done
cat >"$ssh/sshd_config" <<CONF
Port 22
HostKey $ssh/host
AuthorizedKeysFile $ssh/client.pub
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
PidFile none
LogLevel INFO
Subsystem sftp internal-sftp
CONF
cat >"$ssh/config" <<CONF
Host *
User root
IdentityFile $ssh/client
IdentitiesOnly yes
UserKnownHostsFile $ssh/known
StrictHostKeyChecking yes
HostKeyAlias container
BatchMode yes
ConnectTimeout 10
LogLevel ERROR
CONF
echo "container $(cut -d ' ' -f 1,2 "$ssh/host.pub")" >"$ssh/known"
serves "$container" "$(command -v sshd)" -D -e -f "$ssh/sshd_config"
until_true listens "$container" 22 || cat "$tap_tmp/server" >&2
head -c 12M /dev/urandom >"$tap_tmp/large"
want=$(sum "$tap_tmp/large")

# in_ssh FROM ADDRESS COMMAND...: a session.
in_ssh() {
	where=$1
	if [ "$1" = 0 ]; then where=$$; fi
	shift
	at "$where" ssh -F "$ssh/config" "$@"
}

# accepted: who has logged in since the scene began, each with a number.
accepted() {
	tail -n +$((begun + 1)) "$tap_tmp/server" | sed -n 's/^Accepted publickey for root from \([^ ]*\) .*/\1/p' |
		sort | uniq -c | awk '{print $1, $2}' | paste -sd ,
}

for how in auto userspace; do
	begun=$(wc -l <"$tap_tmp/server")
	publish --via $how --allow 192.0.2.0/24 --allow 2001:db8::/64 -p 22:22
	for address in 192.0.2.1 2001:db8::1; do
		is "$how: a session from the network, by $address" "$(in_ssh "$lan" $address 'readlink /proc/self/ns/net')" \
			"$(readlink "/proc/$container/ns/net")"
		is "$how: a large file goes there, by $address" "$(in_ssh "$lan" $address sha256sum <"$tap_tmp/large" | cut -d ' ' -f 1)" "$want"
	done
	echo "get $tap_tmp/large $tap_tmp/got" | at "$lan" sftp -q -F "$ssh/config" -b - 192.0.2.1 >/dev/null
	is "$how: and comes by sftp" "$(sum "$tap_tmp/got")" "$want"
	rm -f "$tap_tmp/got"
	for address in 127.0.0.1 ::1 192.0.2.1; do
		is "$how: a session of this host, by $address" "$(in_ssh 0 $address echo inside)" inside
	done
	refused=
	for at in "$stranger 192.0.2.1" "$stranger 198.51.100.1" "$stranger 2001:db8::1" "$stranger 2001:db8:1::1" "$neighbour 10.0.0.1"; do
		nsenter -t "${at% *}" -n ssh -F "$ssh/config" -o ConnectTimeout=1 "${at#* }" echo inside >"$tap_tmp/to${at#* }" 2>&1 &
		refused="$refused $!"
	done
	# shellcheck disable=SC2086 # words are wanted
	wait $refused
	for address in 192.0.2.1 198.51.100.1 2001:db8::1 2001:db8:1::1; do
		has "$how: none from another network, by $address" "$(cat "$tap_tmp/to$address")" "timed out"
	done
	has "$how: nor from a neighbour" "$(cat "$tap_tmp/to10.0.0.1")" "timed out"
	clients='5 10.0.0.1,3 fd00::1' # all of them by this host
	if [ $how = auto ]; then clients='1 10.0.0.1,1 192.0.2.1,3 192.0.2.2,2 2001:db8::2,1 fd00::1'; fi
	is "$how: sshd sees who they are" "$(accepted)" "$clients"
	unpublish 22/tcp
done
finish
