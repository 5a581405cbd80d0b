// dojo manual: the manual page, made from the commands' own rows, as man(7) and groff_man(7) describe its
// macros.
#include <fmt/format.h>

#include "commands.h"
#include "version.h"

namespace dojo::tools {
namespace {

// Text of ours as roff shows it unchanged: in paragraphs, none of which it takes for a request.
std::string roff(std::string_view text) {
  std::string out;
  for (const char letter : text) {
    const bool begins = out.empty() || out.back() == '\n';
    switch (letter) {
      case '\\':
        out += "\\(rs";
        break;
      case '-':
        out += "\\-";
        break;
      case '\'':
        out += "\\(aq";
        break;
      case '"':
        out += "\\(dq";
        break;
      case '.':
        out += begins ? "\\&." : ".";
        break;
      default:
        out += letter;
    }
  }
  return out;
}

std::string bold(std::string_view text) { return fmt::format("\\fB{}\\fR", roff(text)); }
std::string italic(std::string_view text) { return fmt::format("\\fI{}\\fR", roff(text)); }

std::string title_of(const Option& option) {
  if (!is_option(option)) return italic(option.name);
  return is_flag(option) ? bold(option.name)
                         : fmt::format("{} {}", bold(option.name), italic(value_name(option)));
}

std::string bold_names(const std::vector<std::string>& options) {
  std::string text;
  for (const std::string& name : options) text += fmt::format("{}{}", text.empty() ? "" : ", ", bold(name));
  return text;
}

std::string paragraph(const Option& option) {
  std::string text = fmt::format(".TP\n{}\n{}.\n", title_of(option), roff(option.help));
  if (const std::string value = default_of(option); !value.empty())
    text += fmt::format("Default: {}.\n", roff(value));
  if (option.required) text += "Required.\n";
  if (is_list(option)) text += "May be given more than once.\n";
  if (!option.excludes.empty()) text += fmt::format("Not together with {}.\n", bold_names(option.excludes));
  if (!option.needs.empty()) text += fmt::format("Only with {}.\n", bold_names(option.needs));
  return text;
}

std::string synopsis(const Command& command) {
  std::string text = fmt::format("{} [{}]", bold("dojo " + command.name), italic("OPTIONS"));
  for (const Option& option : command.options) {
    if (is_option(option)) continue;
    const std::string name = italic(option.name) + (is_list(option) ? " ..." : "");
    text += option.required ? " " + name : fmt::format(" [{}]", name);
  }
  return text + (command.takes_other_words ? fmt::format(" {} ...", italic("WORDS")) : "");
}

std::string section(const Command& command) {
  std::string text =
      fmt::format(".SS {}\n{}\n.PP\n{}.\n", roff(command.name), synopsis(command), roff(command.summary));
  for (const Option& option : command.options) text += paragraph(option);
  if (!command.footer.empty()) text += fmt::format(".PP\n{}.\n", roff(command.footer));
  return text;
}

std::string manual(const std::vector<Command>& commands) {
  std::string text = fmt::format(".TH DOJO 1 \"\" \"OpenDojo {}\" \"User Commands\"\n", version());
  text += ".SH NAME\ndojo \\- the Dojo training computer in software\n";
  text += fmt::format(".SH SYNOPSIS\n{} {} [{}]\n", bold("dojo"), italic("COMMAND"), italic("OPTIONS"));
  text += fmt::format(".br\n{} {} | {}\n", bold("dojo"), bold("--help"), bold("--version"));
  text +=
      ".SH DESCRIPTION\n"
      "A network from an ONNX file is compiled for the machine and trained on it: every node runs the "
      "compiled\n"
      "RISC\\-V program, instruction by instruction, bit for bit, while its cycles are counted.\n"
      "Each command takes \\fB\\-h\\fR and \\fB\\-\\-help\\fR, too.\n"
      ".SH COMMANDS\n";
  for (const Command& command : commands) text += section(command);
  text +=
      ".SH EXIT STATUS\n"
      "0 for success; 2 for what is refused, with one sentence; 3 for a program that cannot go on and a loss "
      "that\n"
      "is not finite; 130 after Ctrl\\-C; with \\fBexec\\fR the program\\(aqs own.\n"
      ".SH FILES\n"
      ".TP\n\\fI../share/opendojo\\fR\nMachines and the sources of the nodes\\(aq library, seen from the "
      "program\\(aqs "
      "folder.\n"
      ".TP\n\\fI~/.cache/opendojo\\fR\nThe compiled library; made again if it is gone.\n"
      ".SH SEE ALSO\n"
      "Pages with more than these lines lie in \\fI../share/doc/opendojo\\fR, seen from the program\\(aqs "
      "folder.\n";
  return text;
}

}  // namespace

Command manual_command(const std::vector<Command>& commands) {
  return {.name = "manual",
          .summary = "Print the manual page: dojo manual | man -l -",
          .options = {},
          .run = [&commands](Command&) {
            fmt::print("{}", manual(commands));
            return 0;
          }};
}

}  // namespace dojo::tools
