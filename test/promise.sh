# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
# promise COMMAND...: measures, and prints rows. Where one is over its limit it does so again, and once more, before it
# counts: what somebody else's work on this machine has disturbed passes, what has become slower stays.
promise() {
	# shellcheck disable=SC2034 # whoever includes this ends with it
	"$@" || "$@" || "$@" || over=1
}
