# SPDX-License-Identifier: MIT
# Bash completion for hakstat. Commands, options, their values and columns come from the program, so
# this file knows none of them. Install it as bash-completion/completions/hakstat.
# shellcheck shell=bash

# _hakstat_say ARGUMENTS...: what the program says of itself.
_hakstat_say() {
	"$program" "$@" 2>/dev/null
}

# _hakstat_columns: of the table that --by names.
_hakstat_columns() {
	local table=class i
	for ((i = 2; i < COMP_CWORD; i++)); do
		if [ "${COMP_WORDS[i]}" = --by ]; then
			table=${COMP_WORDS[i + 1]}
			[ "$table" != = ] || table=${COMP_WORDS[i + 2]}
		fi
	done
	_hakstat_say --list-columns | awk -v table="$table" '$1 == table { print $2 }'
}

# _hakstat_values WHAT: what can stand for it, as the program calls it.
_hakstat_values() {
	case $1 in
	*'|'*) tr '|' '\n' <<<"$1" | grep -v '^@' ;;
	COLUMN) _hakstat_columns ;;
	PID | '[PID]') _hakstat_say ps | awk 'NR > 1 { print $1 }' ;;
	esac
}

_hakstat() {
	local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
	local program=${COMP_WORDS[0]} command=${COMP_WORDS[1]} options what i words=''

	program=${program/#\~\//$HOME/}
	if [ "$COMP_CWORD" -eq 1 ] || { [ "$command" = help ] && [ "$COMP_CWORD" -eq 2 ]; }; then
		words=$(_hakstat_say --list-commands)
		[ "${current#-}" = "$current" ] || words=$(_hakstat_say --list-options)
		mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
		return
	fi
	# A command to run, and its own words.
	for ((i = 2; i < COMP_CWORD; i++)); do
		if [ "${COMP_WORDS[i]}" = -- ]; then
			compopt -o filenames 2>/dev/null
			what=-f
			[ "$i" -ne "$((COMP_CWORD - 1))" ] || what=-fc
			mapfile -t COMPREPLY < <(compgen "$what" -- "$current")
			return
		fi
	done
	# --option=value is three words for bash.
	if [ "$current" = = ]; then
		current=
	elif [ "$previous" = = ]; then
		previous=${COMP_WORDS[COMP_CWORD - 2]}
	fi
	options=$(_hakstat_say "$command" --list-options)
	what=$(awk -v option="$previous" '$1 == option { print $2 }' <<<"$options")
	if [ -z "$what" ] && [ "${current#-}" != "$current" ]; then
		words=$(awk '/^--/ { print $1 }' <<<"$options")
	else
		[ -n "$what" ] || what=$(awk '$1 == "operands" { print $2 }' <<<"$options")
		words=$(_hakstat_values "$what")
	fi
	if [ -n "$words" ]; then
		mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
	else
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$current")
	fi
}
complete -F _hakstat hakstat
