// Good inputs to start from: seeds FOLDER fills FOLDER/instruction with code and FOLDER/elf with files, from
// the differ's random programs, FOLDER/checkpoint with a small run's, and FOLDER/api with a container.
#include <fmt/format.h>

#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "base/file.h"
#include "generate.h"
#include "onnx/aten_for_tests.h"
#include "shell.h"
#include "training/saved_run.h"

namespace {

constexpr std::size_t most_code_bytes = 1000;

// As code_input.h reads it.
std::string code_of(const dojo::differ::Program& program, unsigned vlen_choice) {
  constexpr char as_many_as_there_are = static_cast<char>(128);
  std::string bytes = {static_cast<char>(vlen_choice),
                       1,
                       2,
                       static_cast<char>(program.before.vtype),
                       0,
                       0,
                       as_many_as_there_are};
  for (const std::uint32_t word : dojo::differ::encode(program.items)) {
    char encoding[4];
    std::memcpy(encoding, &word, sizeof encoding);
    bytes.append(encoding, dojo::differ::bytes_of(word));
  }
  return bytes.substr(0, most_code_bytes);
}

// As checkpoint_fuzz.cpp takes it: without the checksum, which it adds itself.
void write_checkpoint_seed(const std::filesystem::path& folder) {
  dojo::training::SavedRun run;
  run.identity = {{"machine", "\"test6\""}, {"nodes", "2"}, {"timing", "true"}};
  run.asked = {{"MODEL", {"/tmp/a.onnx"}}, {"--lr", {"0.002"}}};
  run.steps = 4;
  run.totals.step = 2;
  run.totals.losses = {0.5f, 0.25f};
  run.totals.ledger.add("nodes", 1, "cycles.issue", 7);
  run.totals.best = dojo::training::Best{2, 1, {0.5, 0.1}};
  run.regions = {{std::byte{1}, std::byte{2}}, {std::byte{3}, std::byte{4}}};
  dojo::training::write_saved(folder, run);
  const auto path = dojo::training::checkpoint_in(folder);
  constexpr std::size_t checksum_bytes = 64;
  std::filesystem::resize_file(path, std::filesystem::file_size(path) - checksum_bytes);
}

}  // namespace

int main(int count, char** words) {
  using namespace dojo::differ;
  if (count != 2) return 2;
  const std::filesystem::path folder = words[1];
  const Workshop workshop;
  const Shell shell(workshop, Service::linux_calls);
  for (unsigned number = 0; number < 200; ++number) {
    const unsigned choice = number % 4;
    const Program program = generate(Oracle::semantics, 1, number, 128u << choice);
    dojo::write_text(folder / "instruction" / fmt::format("program-{}", number), code_of(program, choice));
    if (number >= 8) continue;
    const std::vector<std::byte> elf = shell.elf({&program, 1});
    dojo::write_text(folder / "elf" / fmt::format("program-{}", number),
                     {reinterpret_cast<const char*>(elf.data()), elf.size()});
  }
  write_checkpoint_seed(folder / "checkpoint");
  const std::string all_as_described(4, '\0');  // as api_fuzz.cpp reads it
  dojo::write_text(folder / "api" / "decaying_state",
                   all_as_described + dojo::onnx::encode_model(dojo::onnx::decaying_state()));
  return 0;
}
