# SPDX-License-Identifier: GPL-2.0-or-later
# Completion of portpub(8) for fish. It asks `portpub help` when a shell first needs it, and so cannot be out of date.

function __portpub_commands
    portpub help 2>/dev/null | string replace -rf '^  ([a-z]\S*) +(.*)' '$1\t$2'
end

function __portpub_ids
    portpub list 2>/dev/null | tail -n +2 | string replace -rf '^(\S+) +(.*)' '$1\t$2'
end

# What an option or the usage names, as arguments of `complete`.
function __portpub_wanted
    switch $argv
        case COMMAND
            printf '%s\n' -x -a '(__portpub_commands)'
        case ID
            printf '%s\n' -x -a '(__portpub_ids)'
        case 'FILE*' PATH
            printf '%s\n' -r -F
        case '*|*'
            printf '%s\n' -x -a (string replace -a '|' ' ' $argv)
        case '?*'
            echo -x
    end
end

function __portpub_register
    complete -c portpub -f
    complete -c portpub -n __fish_use_subcommand (__portpub_wanted COMMAND)
    for command in (__portpub_commands | string replace -r '\t.*' '')
        set -l help (portpub help $command)
        set -l portpub complete -c portpub -n "__fish_seen_subcommand_from $command"
        set -l argument (string replace -rf '^usage: portpub \S+ \[?([A-Z]+).*' '$1' $help)
        and $portpub (__portpub_wanted $argument)
        for row in $help
            string match -rq '^  (?:-(?<letter>.), |    )--(?<name>\S+)(?: (?<value>\S+))?  +(?<words>.*)' -- $row
            and $portpub -s$letter -l $name -d $words (__portpub_wanted $value)
        end
    end
end

__portpub_register
functions -e __portpub_register
