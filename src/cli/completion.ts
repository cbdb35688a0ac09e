import type { Argument, Command, Option } from 'commander';

/** Values of an option or argument: nothing is known of them, they are files, or one of these. */
type Values = 'any' | 'file' | readonly string[];

/** A command of the tree as the scripts see it. */
interface Place {
  /** ` schedule list`, '' for the program itself: each word with a space before it. */
  readonly at: string;
  readonly subcommands: readonly Command[];
  readonly options: readonly Option[];
  readonly values: Values;
}

/** `edge-agent completion SHELL`: a script for the shell to read, made of the same tree that reads the arguments. */
export function completionScript(program: Command, shell: 'bash' | 'zsh'): string {
  const places = placesOf(program, '');
  return shell === 'bash' ? bash(program.name(), places) : zsh(program.name(), places);
}

function placesOf(command: Command, at: string): Place[] {
  const help = command.createHelp();
  const subcommands = help.visibleCommands(command).filter((sub) => sub.name() !== 'help');
  const [argument] = command.registeredArguments;
  const own = { at, subcommands, options: help.visibleOptions(command), values: argument ? valuesOf(argument) : 'any' };
  return [own as Place, ...subcommands.flatMap((sub) => placesOf(sub, `${at} ${sub.name()}`))];
}

function valuesOf(of: Option | Argument): Values {
  if (of.argChoices) return of.argChoices;
  const name = 'flags' in of ? (/<(\w+)/.exec(of.flags)?.[1] ?? '') : of.name();
  return ['file', 'path', 'dir'].includes(name) ? 'file' : 'any';
}

const flagsOf = ({ short, long }: Option) => [short, long].filter((flag) => flag !== undefined);
const takesValue = (option: Option) => option.required || option.optional;

/** `case` arms over `$at WORD`: subcommands lead on, the value of an option is passed over. Both shells read them. */
function walk(places: readonly Place[]): string {
  const names = places.filter(({ at }) => at !== '').map(({ at }) => quoted(at));
  const valued = places.flatMap(({ at, options }) =>
    options.filter(takesValue).flatMap((option) => flagsOf(option).map((flag) => quoted(`${at} ${flag}`))),
  );
  return `${names.join(' | ')}) at="$at $word" ;;\n      ${valued.join(' | ')}) i=$((i + 1)) ;;`;
}

/** Arms over `$at PREVIOUS`, for options whose value is to be completed; `offer` has what each takes. */
function valueArms(places: readonly Place[], offer: (values: Values) => string): string {
  const arms = new Map<string, string[]>();
  for (const { at, options } of places) {
    for (const option of options.filter(takesValue)) {
      const body = offer(valuesOf(option));
      arms.set(body, [...(arms.get(body) ?? []), ...flagsOf(option).map((flag) => quoted(`${at} ${flag}`))]);
    }
  }
  return [...arms].map(([body, words]) => `${words.join(' | ')}) ${body}return ;;`).join('\n    ');
}

function bash(name: string, places: readonly Place[]): string {
  // Nothing in COMPREPLY is the shell's own completion of files, which quotes as every version of bash needs it.
  const offer = (values: Values) =>
    typeof values === 'string' ? '' : `COMPREPLY=($(compgen -W ${quoted(values.join(' '))} -- "$cur")); `;
  const arms = places.map(({ at, subcommands, options, values }) => {
    const flags = options.flatMap(flagsOf).join(' ');
    const words = [...subcommands.map((sub) => sub.name()), ...(typeof values === 'string' ? [] : values)].join(' ');
    return `${quoted(at)}) flags=${quoted(flags)} words=${quoted(words)} ;;`;
  });
  return `# Completion of ${name} for bash 3.2 and newer, made by \`${name} completion bash\`.
_edge_agent() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD - 1]} at= word= flags= words= i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    case "$at $word" in
      ${walk(places)}
    esac
  done
  case "$at $prev" in
    ${valueArms(places, offer)}
  esac
  case "$at" in
    ${arms.join('\n    ')}
  esac
  case "$cur" in
    -*) words=$flags ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -o default -F _edge_agent ${name}
`;
}

function zsh(name: string, places: readonly Place[]): string {
  const offer = (values: Values) => {
    if (values === 'file') return '_files; ';
    return values === 'any' ? '' : `compadd -- ${values.join(' ')}; `;
  };
  const described = (word: string, text: string) => quoted(`${word}:${text.split(/(?<=\w)[.;:] /)[0]}`);
  const arms = places.map(({ at, subcommands, options, values }) => {
    const flags = options.flatMap((option) => flagsOf(option).map((flag) => described(flag, option.description)));
    const subs = subcommands.map((sub) => described(sub.name(), sub.description()));
    return `${quoted(at)})\n      flags=(${flags.join(' ')})\n      subs=(${subs.join(' ')})\n      [[ $cur == -* ]] || { ${offer(values) || ':; '}} ;;`;
  });
  return `#compdef ${name}
# Completion of ${name} for zsh, made by \`${name} completion zsh\`.
_edge_agent() {
  local cur=\${words[CURRENT]} prev=\${words[CURRENT-1]} at= word= i
  local -a flags subs
  for ((i = 2; i < CURRENT; i++)); do
    word=\${words[i]}
    case "$at $word" in
      ${walk(places)}
    esac
  done
  case "$at $prev" in
    ${valueArms(places, offer)}
  esac
  case "$at" in
    ${arms.join('\n    ')}
  esac
  if [[ $cur == -* ]]; then _describe -o option flags; elif (( $#subs )); then _describe command subs; fi
}
if [[ $funcstack[1] == _edge_agent ]]; then _edge_agent "$@"; else compdef _edge_agent ${name}; fi
`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
