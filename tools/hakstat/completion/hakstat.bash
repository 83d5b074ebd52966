# SPDX-License-Identifier: MIT
# Bash completion for hakstat. Commands, options and their choices come from the program, so
# this file knows none of them. Install it as bash-completion/completions/hakstat.
# shellcheck shell=bash

_hakstat() {
	local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
	local program=${COMP_WORDS[0]} command=${COMP_WORDS[1]} options choices

	if [ "$COMP_CWORD" -eq 1 ] || [ "$command" = help ]; then
		mapfile -t COMPREPLY < <(compgen -W "$("$program" --list-commands 2>/dev/null)" -- "$current")
		return
	fi
	options=$("$program" "$command" --list-options 2>/dev/null)
	choices=$(awk -v option="$previous" '$1 == option { gsub("[|]", " ", $2); print $2 }' <<<"$options")
	if [ -n "$choices" ]; then
		mapfile -t COMPREPLY < <(compgen -W "$choices" -- "$current")
	elif [ "${current#-}" != "$current" ]; then
		mapfile -t COMPREPLY < <(compgen -W "$(awk '{ print $1 }' <<<"$options")" -- "$current")
	else
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$current")
	fi
}
complete -F _hakstat hakstat
