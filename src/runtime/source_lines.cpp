#include "runtime/source_lines.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "base/error.h"
#include "base/file.h"
#include "base/temporary_folder.h"
#include "toolchain/tool.h"

namespace dojo::runtime {
namespace {

// A line of JSON for each address.
std::string answers_of(const std::string& tool, const std::string& file, const system::Profile& profile) {
  const TemporaryFolder folder("dojo-profile");
  const std::filesystem::path questions = folder.path() / "addresses", answers = folder.path() / "answers";
  std::string text;
  for (const auto& [pc, entry] : profile) text += fmt::format("{:#x}\n", pc);
  write_text(questions, text);
  if (!toolchain::ask_tool({tool, "--obj=" + file, "--output-style=JSON"}, folder.path(), questions, answers))
    refuse(tool, "cannot read {}", file);
  return read_text(answers);
}

SourceLine line_from(const nlohmann::json& answer) {
  const auto frames = answer.value("Symbol", nlohmann::json::array());
  if (frames.empty()) return {};
  return {.function = frames.back().value("FunctionName", ""),
          .file = frames.front().value("FileName", ""),
          .line = frames.front().value("Line", 0u)};
}

}  // namespace

std::string SourceLine::text() const { return line == 0 ? "??" : fmt::format("{}:{}", file, line); }

SourceLines source_lines(const std::filesystem::path& file, const system::Program& program,
                         const system::Profile& profile) {
  const std::string tool = toolchain::find_tool("llvm-symbolizer-22", "llvm-22").string();
  std::istringstream lines(answers_of(tool, std::filesystem::absolute(file).string(), profile));
  SourceLines places;
  for (const auto& [pc, entry] : profile) {
    SourceLine& place = places[pc];
    std::string line;
    std::getline(lines, line);
    try {
      place = line_from(nlohmann::json::parse(line));
    } catch (const nlohmann::json::exception&) {
      refuse(tool, "does not say where {:#x} is in {}, but '{}'", pc, file.string(), line.substr(0, 60));
    }
    if (place.function.empty()) place.function = program.locate(pc);
    place.function = place.function.substr(0, place.function.rfind("+0x"));
    if (place.function.empty()) place.function = fmt::format("{:#x}", pc);
  }
  return places;
}

}  // namespace dojo::runtime
