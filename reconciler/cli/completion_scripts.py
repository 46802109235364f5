"""What the shells load. Each script asks the program that stands on the command line, whatever the words are."""

from __future__ import annotations

from collections.abc import Mapping

_BASH = r"""# bash completion for pnr, from: pnr completion bash
_pnr() {
  local line kind= current="${COMP_WORDS[COMP_CWORD]}"
  [ "$current" != = ] || current=
  COMPREPLY=()
  while IFS= read -r line; do
    case $line in
      :*) kind=${line#:} ;;
      *) COMPREPLY+=("${line%%$'\t'*}") ;;
    esac
  done < <("${1/#\~/$HOME}" completion bash -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
  case $kind in
    files) compopt -o filenames 2>/dev/null; kind=-f ;;
    folders) compopt -o filenames 2>/dev/null; kind=-d ;;
    *) return ;;
  esac
  while IFS= read -r line; do
    COMPREPLY+=("$line")
  done < <(compgen "$kind" -- "$current")
}
complete -F _pnr pnr
"""

_ZSH = r"""#compdef pnr
# zsh completion for pnr, from: pnr completion zsh
_pnr() {
  local line kind word
  local -a candidates
  for line in "${(@f)$(${~words[1]} completion zsh -- "${(@)words[2,CURRENT-1]}" "$PREFIX" 2>/dev/null)}"; do
    case $line in
      (:*) kind=${line#:} ;;
      (*) word=${line%%$'\t'*}; candidates+=("${word//:/\\:}:${line#*$'\t'}") ;;
    esac
  done
  (( $#candidates )) && _describe pnr candidates
  [[ $PREFIX == --*=* ]] && compset -P '*='
  case $kind in
    (files) _files ;;
    (folders) _files -/ ;;
  esac
}
if [[ $funcstack[1] == _pnr ]]; then
  _pnr "$@"
else
  compdef _pnr pnr
fi
"""

_FISH = r"""# fish completion for pnr, from: pnr completion fish
function __pnr_complete
    set -l words (commandline -opc)
    set -l program $words[1]
    set -e words[1]
    set -l current (commandline -ct)
    for line in ($program completion fish -- $words "$current" 2>/dev/null)
        switch $line
            case ':files'
                __fish_complete_path "$current"
            case ':folders'
                __fish_complete_directories "$current"
            case ':*'
            case '*'
                echo $line
        end
    end
end
complete -c pnr -f -a '(__pnr_complete)'
"""

SCRIPTS: Mapping[str, str] = {"bash": _BASH, "zsh": _ZSH, "fish": _FISH}
