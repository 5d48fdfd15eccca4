#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The port of a server under its own number and under another: both answer, and they go one by one.
. "${0%/*}/../tap.sh"
. "${0%/*}/../machine.sh"
. "${0%/*}/../hosts.sh"
. "${0%/*}/../scene.sh"
serve "$container" 8000 web

for how in auto userspace; do
	publish --via $how -p 8000:8000 -p 5000:8000
	answers 8000 'hello from web'
	answers 5000 'hello from web'
	run del 8000:8000
	is "$how: one of them goes" "$status" 0
	answers 8000 'curl: 7'
	answers 5000 'hello from web'
	unpublish 5000:8000
done
finish
