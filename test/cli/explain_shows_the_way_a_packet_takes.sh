#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The answer in words, whole.
. "${0%/*}/../tap.sh"

# Ports without a name anywhere: services(5) is not the same everywhere.
run "$PORTPUB" explain 127.0.0.1:60000:60001/tcp --to 10.0.0.2
is 'one publication is one picture' "$out" '127.0.0.1:60000:60001/tcp

  this host  --> 127.0.0.1:60000 ==== kernel ====> 10.0.0.2:60001
                 nftables DNAT from this host; a guard drops 127.0.0.0/8 that comes from elsewhere

  open to         this host only
  host port       60000, dynamic'
is 'an answer leaves stderr alone' "$err" ''
is 'an answer is success' "$status" 0

run "$PORTPUB" explain 80:8000 --to 10.0.0.2
has 'every network is told' "$out" '  open to         every network'
has 'every network is warned of, with the way out' "$out" \
	'  warning         reachable from every network; 127.0.0.1:80:8000 limits it to this host'
has 'a standard port has its class and name' "$out" '  host port       80, standard, http'
has 'localhost by IPv6 crosses over to the IPv4 container in userspace' "$out" \
	'  this host  --> [::1]:80     -- userspace ---> 10.0.0.2:8000'
has 'IPv6 clients reach an IPv4-only container in userspace' "$out" \
	'  any client --> [::]:80      -- userspace ---> 10.0.0.2:8000'

run "$PORTPUB" explain 80:8000 --to 10.0.0.2,fd00::2
has 'each family goes to the address of its own' "$out" '  any client --> [::]:80      ==== kernel ====> [fd00::2]:8000'
has 'and IPv4 to the other' "$out" '  any client --> 0.0.0.0:80   ==== kernel ====> 10.0.0.2:8000'
run "$PORTPUB" explain 80:8000
has 'without a target it says on what it depends' "$(echo "$out" | grep -A 1 '0.0.0.0')" 'if the container has IPv4'
has 'for each family' "$(echo "$out" | grep -A 1 '\[::\]')" 'if the container has IPv6'
run "$PORTPUB" explain 53:53/udp 80:22-22/udp 60022-60023:22-23
is 'names go by protocol, and a range has none' "$(echo "$out" | grep -E ', domain|, ssh')" \
	"$(printf '  host port       53, standard, domain\n  container port  53, domain')"
has 'a range is drawn as a range' "$out" '0.0.0.0:60022-60023   ==== kernel ====> container:22-23'
run "$PORTPUB" explain '[::]:80:80'
has 'every IPv6 network is warned of, with the IPv6 way out' "$out" '[::1]:80:80 limits it to this host'

run "$PORTPUB" explain 192.0.2.7:53:53
has 'an address is open to those who reach it' "$out" 'open to         every network from which 192.0.2.7 is reachable'
has 'the container port has its name' "$out" 'container port  53, domain'

run "$PORTPUB" explain '[fe80::1]:80:80'
has 'a link-local address is warned of' "$out" 'fe80::1 is on every link at once'
has 'a link-local address is open to its link' "$out" 'open to         the machines on one link'
run "$PORTPUB" explain 1000-1030:2000-2030
has 'a range that spans two classes says so' "$out" 'host port       1000-1030, standard to registered'
run "$PORTPUB" explain 50000:1
has 'a high port is dynamic' "$out" 'host port       50000, dynamic'
run "$PORTPUB" explain 8000-8010:80
has 'a pool takes the first free port' "$out" 'host port       the first free one of 8000-8010, registered'
run "$PORTPUB" explain 127.0.0.1::80
has 'a free port is still to be chosen' "$out" 'host port       chosen when it is published, from ip_local_port_range'
run "$PORTPUB" explain 239.1.2.3:80:80
has 'an address no host owns is warned of' "$out" 'warning         239.1.2.3 is a multicast or broadcast address'

run "$PORTPUB" explain '[::1]:80:80/sctp' 127.0.0.1:80:80/sctp
is 'sctp in userspace is warned of, and only there' "$(echo "$out" | grep warning)" \
	'  warning         sctp in userspace needs a kernel that has SCTP; message boundaries are not kept'
run "$PORTPUB" explain 80:80/sctp
is 'every warning is given' "$(echo "$out" | grep -c warning)" 2

run "$PORTPUB" explain -p 80:80 81:81 --publish 82:82/udp
is 'specs stand for themselves or behind -p' "$(echo "$out" | grep -c '^8.*/')" 3

run "$PORTPUB" explain --via userspace 127.0.0.1:80:80
has 'via userspace is given as the reason' "$out" 'userspace was asked for'
run "$PORTPUB" explain --via kernel 80:80
has 'via kernel says what it leaves out' "$out" '-- not carried --'

run "$PORTPUB" explain --allow 10.0.0.0/8 --allow 192.0.2.1 8080:80
has 'who may connect is told' "$out" 'allowed         10.0.0.0/8, 192.0.2.1/32, and this host'

run sh -c "echo '[]' | $PORTPUB explain --from -"
is 'an empty list is an answer' "$out" 'nothing to publish'
is 'an empty list is success' "$status" 0

if [ "$(id -u)" = 0 ]; then
	run setpriv --bounding-set=-all --inh-caps=-all --no-new-privs "$PORTPUB" explain 80:80
else
	run setpriv --no-new-privs "$PORTPUB" explain 80:80
fi
is 'no privilege is needed' "$status" 0
finish
