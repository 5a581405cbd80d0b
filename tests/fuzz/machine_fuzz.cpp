// Arbitrary texts as machine files, divided by lines of "====": the first is the machine, and each may extend
// the n-th as "n.toml" or d1 by its name. Read, or refused with its place; no other file is opened, whatever
// the texts name.
#include <fmt/format.h>

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "machine/machine.h"

namespace {

using dojo::machine::MachineText;

std::vector<MachineText> texts_of(std::string_view rest) {
  constexpr std::string_view border = "====\n";
  std::vector<MachineText> texts;
  for (std::size_t end = 0; end != std::string_view::npos;) {
    end = rest.find(border);
    texts.push_back({fmt::format("{}.toml", texts.size()), std::string(rest.substr(0, end))});
    if (end != std::string_view::npos) rest.remove_prefix(end + border.size());
  }
  return texts;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const MachineText d1 = dojo::machine::find_machine("d1", "");
  const std::vector<MachineText> texts = texts_of({reinterpret_cast<const char*>(data), size});
  try {
    dojo::machine::read_machine("0.toml", [&](std::string_view name, const std::string&) {
      if (name == "d1") return d1;
      for (const MachineText& text : texts)
        if (text.path == name) return text;
      dojo::refuse(name, "no such machine");
    });
  } catch (const dojo::UserError&) {
  }
  return 0;
}
