#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
. "${0%/*}/../tap.sh"
. "${0%/*}/../hosts.sh"
. "${0%/*}/../forward.sh"
. "${0%/*}/../completion.sh"
need zsh

# A shell of its own that has a terminal: Tab completes, and writes down what was offered, and that it is done.
cat >"$tap_tmp/.zshrc" <<'EOF'
fpath=($PWD/contrib/completions $fpath)
autoload -Uz compinit
compinit -D -u
compadd() {
	if [[ ${@[1,(i)(-|--)]} != *-(O|A|D)\ * ]]; then
		local -a offered
		builtin compadd -A offered "$@"
		print -rl -- $offered >>$ANSWERS
	fi
	builtin compadd "$@"
}
complete-and-tell() { zle complete-word; print DONE >>$ANSWERS; zle kill-buffer }
zle -N complete-and-tell
bindkey '\t' complete-and-tell
print DONE >>$ANSWERS
EOF

cat >"$tap_tmp/terminal" <<'EOF'
zmodload zsh/zpty
told() {
	repeat 1000; do
		[[ -f $ANSWERS && $(tail -n 1 $ANSWERS) == DONE ]] && return
		sleep 0.02
	done
	zpty -r shell >&2
	exit 1
}
zpty shell zsh -i
told
while IFS= read -r line; do
	: >$ANSWERS
	zpty -w -n shell $line$'\t'
	told
	sed '/^DONE$/d; s/ *$//; /^$/d' $ANSWERS | sort -u | paste -sd ' '
done
zpty -d shell
EOF

offers() { ANSWERS="$tap_tmp/answers" ZDOTDIR="$tap_tmp" TERM=dumb zsh -f "$tap_tmp/terminal"; }

expect 'portpub add --via=k' kernel
current
finish
