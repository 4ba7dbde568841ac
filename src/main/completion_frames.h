// What completions for shells are made of: a fixed text for each shell, with marks for what the
// tables say. Constant.
#pragma once

namespace weir::main {

// Functions for bash and zsh that answer for a command.
inline constexpr const char* kCompletionTables = R"sh(# What may follow -LETTER.
_weir_after() {
  case $1 in
@LETTERS@  esac
}
# Options of the command $1; those of them that take a value.
_weir_options() {
  case $1 in
@OPTIONS@  esac
}
_weir_values() {
  case $1 in
@VALUES@  esac
}
# What the argument number $2 of the command $1 is.
_weir_argument() {
  case $1 in
@ARGUMENTS@  esac
}
# Names of pools and peers: _weir_names KIND PROGRAM [-c FILE ...]
_weir_names() {
  local kind=$1 program=$2
  shift 2
  command "$program" status --names "$@" 2>/dev/null | case $kind in
    pools) grep -v / ;;
    peers) grep / ;;
    *) cat ;;
  esac
}
)sh";

inline constexpr const char* kBashCompletion =
    R"sh(# Completion of weir for bash; made by `weir completion bash`.
@TABLES@
_weir() {
  local line=${COMP_LINE:0:COMP_POINT} cur prev='' command='' kind='' word i position=1
  local -a words place=() offered=()
  read -ra words <<<"$line"
  [[ $line == *[[:space:]] ]] && words+=("")
  cur=${words[-1]}
  for ((i = 1; i < ${#words[@]} - 1; i++)); do
    word=${words[i]}
    prev=$word
    if [[ " @LETTERS@ " == *" $word "* ||
          -n $command && " $(_weir_values "$command") " == *" $word "* ]]; then
      if ((i + 1 < ${#words[@]} - 1)); then
        [[ $word == -[cp] || $word == --socket ]] && place+=("$word" "${words[i + 1]}")
        ((i++))
        prev=''
      fi
    elif [[ $word == --socket=* ]]; then
      place+=("$word")
    elif [[ $word != -* ]]; then
      if [[ -n $command ]]; then ((position++)); else command=$word; fi
    fi
  done
  if [[ $prev == -* ]] && kind=$(_weir_after "$prev") && [[ -n $kind ]]; then
    :
  elif [[ -n $command && -n $prev && " $(_weir_values "$command") " == *" $prev "* ]]; then
    case $prev in --ca) kind=files ;; *) kind=unknown ;; esac
  elif [[ $cur == -* ]]; then
    if [[ -n $command ]]; then kind="=$(_weir_options "$command") @CHOICES@"; else kind='=@ALL@'; fi
  elif [[ -n $command ]]; then
    kind=$(_weir_argument "$command" "$position")
  else
    kind='=@COMMANDS@'
  fi
  case $kind in
    =*) read -ra offered <<<"${kind#=}" ;;
    signals) offered=(@SIGNALS@) ;;
    topics) offered=(@TOPICS@) ;;
    pools | peers | targets) mapfile -t offered < <(_weir_names "$kind" "${words[0]}" "${place[@]}") ;;
    files)
      compopt -o filenames 2>/dev/null
      mapfile -t offered < <(compgen -f -- "$cur")
      ;;
    directories)
      compopt -o filenames 2>/dev/null
      mapfile -t offered < <(compgen -d -- "$cur")
      ;;
  esac
  COMPREPLY=()
  # Readline takes a colon for the end of a word, and replaces only what stands behind it.
  local cut=''
  [[ $cur == *:* && $COMP_WORDBREAKS == *:* ]] && cut=${cur%"${cur##*:}"}
  for word in "${offered[@]}"; do
    [[ $word == "$cur"* ]] && COMPREPLY+=("${word#"$cut"}")
  done
}
complete -F _weir weir
)sh";

inline constexpr const char* kZshCompletion = R"sh(#compdef weir
# Completion of weir for zsh; made by `weir completion zsh`.
@TABLES@
_weir() {
  local cur=$words[CURRENT] prev='' command='' kind='' word
  local -i i position=1
  local -a place offered
  for ((i = 2; i < CURRENT; i++)); do
    word=$words[i]
    prev=$word
    if [[ " @LETTERS@ " == *" $word "* || ( -n $command && " $(_weir_values $command) " == *" $word "* ) ]]; then
      if ((i + 1 < CURRENT)); then
        [[ $word == -[cp] || $word == --socket ]] && place+=($word $words[i+1])
        ((i++))
        prev=''
      fi
    elif [[ $word == --socket=* ]]; then
      place+=($word)
    elif [[ $word != -* ]]; then
      if [[ -n $command ]]; then ((position++)); else command=$word; fi
    fi
  done
  if [[ $prev == -* ]] && kind=$(_weir_after $prev) && [[ -n $kind ]]; then
    :
  elif [[ -n $command && -n $prev && " $(_weir_values $command) " == *" $prev "* ]]; then
    case $prev in (--ca) kind=files ;; (*) kind=unknown ;; esac
  elif [[ $cur == -* ]]; then
    if [[ -n $command ]]; then kind="=$(_weir_options $command) @CHOICES@"; else kind=letters; fi
  elif [[ -n $command ]]; then
    kind=$(_weir_argument $command $position)
  else
    kind=commands
  fi
  case $kind in
    ("="*) offered=(${=${kind#=}}) ;;
    (signals) offered=(@SIGNALS@) ;;
    (topics) offered=(@TOPICS@) ;;
    (pools|peers|targets) offered=(${(f)"$(_weir_names $kind $words[1] $place)"}) ;;
    (files) _files; return ;;
    (directories) _files -/; return ;;
    (letters)
      offered=(
@DESCRIBED_LETTERS@      )
      _describe -o option offered
      return ;;
    (commands)
      offered=(
@DESCRIBED_COMMANDS@      )
      _describe command offered
      return ;;
  esac
  (($#offered)) && compadd -- $offered
}
# Loaded as a function of $fpath it is called; sourced it says what it is for.
if [[ ${funcstack[1]:-} == _weir ]]; then
  _weir "$@"
else
  compdef _weir weir
fi
)sh";

inline constexpr const char* kFishCompletion =
    R"sh(# Completion of weir for fish; made by `weir completion fish`.

# The command of the line, and how many arguments stand behind it.
function __weir_command
    set -l words (commandline -opc)
    set -l command ''
    set -l position 1
    set -l i 2
    while test $i -le (count $words)
        switch $words[$i]
            case @LETTERS@ @LONG@
                set i (math $i + 1)
            case '-*'
            case '*'
                if test -z "$command"
                    set command $words[$i]
                else
                    set position (math $position + 1)
                end
        end
        set i (math $i + 1)
    end
    echo $command
    echo $position
end

function __weir_is
    set -l found (__weir_command)
    test "$found[1]" = $argv[1]; or return 1
    test (count $argv) -lt 2; or test $found[2] = $argv[2]
end

# Names of pools and peers, asked with what the line says of the configuration.
function __weir_names
    set -l words (commandline -opc)
    set -l place
    set -l i 2
    while test $i -le (count $words)
        switch $words[$i]
            case -c -p --socket
                if test $i -lt (count $words)
                    set place $place $words[$i] $words[(math $i + 1)]
                end
            case '--socket=*'
                set place $place $words[$i]
        end
        set i (math $i + 1)
    end
    set -l names (command $words[1] status --names $place 2>/dev/null)
    switch $argv[1]
        case pools
            string match -v '*/*' -- $names
        case peers
            string match '*/*' -- $names
        case '*'
            string join \n -- $names
    end
end

complete -c weir -f
)sh";

}  // namespace weir::main
