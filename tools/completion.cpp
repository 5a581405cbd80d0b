// dojo completion: what a shell completes of a command line, made from the commands' own rows. Files where an
// option takes one, the values that a row offers, and nothing where a number is wanted.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>

#include "base/error.h"
#include "commands.h"

namespace dojo::tools {
namespace {

std::vector<std::string> offers_of(const Option& option) {
  return option.offers ? option.offers() : std::vector<std::string>();
}

std::string in_words(const std::vector<std::string>& words) {
  return fmt::format("{}", fmt::join(words, " "));
}

std::vector<std::string> options_of(const Command& command) {
  std::vector<std::string> names{"--help"};
  for (const Option& option : command.options)
    if (is_option(option)) names.push_back(option.name);
  return names;
}

// The help's first clause: a shell has a line for it.
std::string first_clause(const std::string& help) {
  return help.substr(0, std::min(help.find(". "), help.find("; ")));
}

std::string replaced(std::string text, std::string_view old, std::string_view by) {
  for (std::size_t at = 0; (at = text.find(old, at)) != text.npos; at += by.size())
    text.replace(at, old.size(), by);
  return text;
}

// --- bash -----------------------------------------------------------------------------------------------

std::string bash_values(const Option& option) {
  return fmt::format("words='{}' files={}", in_words(offers_of(option)), option.is_path ? "yes" : "");
}

std::string bash_case(const Command& command) {
  std::string text =
      fmt::format("    {})\n      options='{}'\n", command.name, in_words(options_of(command)));
  if (command.takes_other_words) text += "      files=yes\n";
  for (const Option& option : command.options)
    if (!is_option(option)) text += fmt::format("      {}\n", bash_values(option));
  text += "      case $before in\n";
  for (const Option& option : command.options)
    if (is_option(option) && !is_flag(option))
      text += fmt::format("        {}) options= {} ;;\n", option.name, bash_values(option));
  return text + "      esac ;;\n";
}

// `dojo train --machine=t` arrives as the words "--machine", "=" and "t".
std::string bash(const std::vector<Command>& commands) {
  std::string cases;
  std::vector<std::string> names{"--help", "--version"};
  for (const Command& command : commands) {
    names.push_back(command.name);
    cases += bash_case(command);
  }
  return fmt::format(R"(_dojo() {{
  local word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD-1]}} options= words= files=
  if [ "$word" = = ]; then word=
  elif [ "$before" = = ]; then before=${{COMP_WORDS[COMP_CWORD-2]}}
  fi
  case ${{COMP_WORDS[1]}} in
{}    *) words='{}' ;;
  esac
  if [ "$COMP_CWORD" -eq 1 ]; then words='{}' files= options=; fi
  if [[ $word == -* && $options ]] || [ -z "$words$files" ]; then words=$options files=; fi
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word"; [ -z "$files" ] || compgen -f -- "$word")
  [ -z "$files" ] || compopt -o filenames 2> /dev/null
  return 0
}}
complete -F _dojo dojo
)",
                     cases, in_words(names), in_words(names));
}

// --- zsh ------------------------------------------------------------------------------------------------

std::string zsh_quoted(std::string text) {
  for (const std::string_view special : {"\\", "[", "]", ":"})
    text = replaced(text, special, fmt::format("\\{}", special));
  return replaced(text, "'", "'\\''");
}

std::string zsh_action(const Option& option) {
  const std::string offers = in_words(offers_of(option));
  if (!option.is_path) return offers.empty() ? " " : fmt::format("({})", offers);
  return offers.empty() ? "_files" : fmt::format("{{compadd {}; _files}}", offers);
}

std::string zsh_row(const Option& option) {
  const std::string value = fmt::format(":{}:{}", zsh_quoted(value_name(option)), zsh_action(option));
  if (!is_option(option))
    return fmt::format("'{}:{}:{}'", is_list(option) ? "*" : "", option.name, zsh_action(option));
  const std::string help = fmt::format("[{}]", zsh_quoted(first_clause(option.help)));
  if (is_flag(option)) return fmt::format("'{}{}'", option.name, help);
  const std::string_view joined_by = option.name.starts_with("--") ? "=" : "+";
  return fmt::format("'{}{}{}{}{}'", is_list(option) ? "*" : "", option.name, joined_by, help, value);
}

std::string zsh(const std::vector<Command>& commands) {
  std::string names, cases;
  for (const Command& command : commands) {
    names += fmt::format("    '{}:{}'\n", command.name, zsh_quoted(first_clause(command.summary)));
    cases += fmt::format("    {}) _arguments '--help[Print what the command takes]'", command.name);
    for (const Option& option : command.options) cases += fmt::format(" \\\n      {}", zsh_row(option));
    cases += fmt::format("{} ;;\n", command.takes_other_words ? " \\\n      '*:file:_files'" : "");
  }
  return fmt::format(R"(#compdef dojo
_dojo() {{
  local -a commands=(
{}  )
  if (( CURRENT == 2 )); then
    _describe command commands
    _arguments '--help[List the commands]' '--version[Print the version]'
    return
  fi
  shift words
  (( CURRENT-- ))
  case $words[1] in
{}  esac
}}
_dojo "$@"
)",
                     names, cases);
}

// --- fish -----------------------------------------------------------------------------------------------

std::string fish_quoted(const std::string& text) {
  return fmt::format("'{}'", replaced(replaced(text, "\\", "\\\\"), "'", "\\'"));
}

std::string fish_row(const Command& command, const Option& option) {
  const std::string head = fmt::format("complete -c dojo -n '__fish_seen_subcommand_from {}'", command.name);
  const std::string offers = in_words(offers_of(option));
  const std::string values = offers.empty() ? "" : fmt::format(" -a {}", fish_quoted(offers));
  if (!is_option(option)) return fmt::format("{} {}{}\n", head, option.is_path ? "-F" : "-f", values);
  const bool is_long = option.name.starts_with("--");
  const std::string name = fmt::format("{} {}", is_long ? "-l" : "-s", option.name.substr(is_long ? 2 : 1));
  const std::string_view takes = is_flag(option) ? "" : option.is_path ? " -r -F" : " -x";
  return fmt::format("{} {}{}{} -d {}\n", head, name, takes, values, fish_quoted(first_clause(option.help)));
}

std::string fish(const std::vector<Command>& commands) {
  std::string text =
      "complete -c dojo -n __fish_use_subcommand -f\n"
      "complete -c dojo -l help -d 'Print what the command takes'\n"
      "complete -c dojo -n __fish_use_subcommand -l version -d 'Print the version'\n";
  for (const Command& command : commands) {
    text += fmt::format("complete -c dojo -n __fish_use_subcommand -f -a {} -d {}\n", command.name,
                        fish_quoted(first_clause(command.summary)));
    for (const Option& option : command.options) text += fish_row(command, option);
  }
  return text;
}

struct Shell {
  std::string_view name;
  std::string (*script)(const std::vector<Command>&);
};
constexpr std::array shells{Shell{"bash", bash}, Shell{"zsh", zsh}, Shell{"fish", fish}};

}  // namespace

Command completion_command(const std::vector<Command>& commands) {
  auto name = std::make_shared<std::string>();
  return {.name = "completion",
          .summary = "Print what makes a shell complete dojo's command lines",
          .options = {{.name = "SHELL",
                       .into = name.get(),
                       .help = "bash, zsh or fish",
                       .offers = [] { return std::vector<std::string>{"bash", "zsh", "fish"}; },
                       .required = true}},
          .footer = "As in: source <(dojo completion bash)",
          .run = [name, &commands](Command&) {
            const auto* shell = std::ranges::find(shells, *name, &Shell::name);
            if (shell == shells.end()) refuse("SHELL", "'{}' is not bash, zsh or fish", *name);
            fmt::print("{}", shell->script(commands));
            return 0;
          }};
}

}  // namespace dojo::tools
