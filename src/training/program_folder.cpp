#include "training/program_folder.h"

#include <unistd.h>

#include <array>
#include <string>

#include "base/error.h"
#include "base/file.h"

namespace dojo::training {
namespace {

namespace fs = std::filesystem;

constexpr std::array programs{"train", "predict", "load", "store"};
constexpr std::array endings{".cpp", ".elf", ".plan.json"};

template <typename Use>
void for_each_name(Use use) {
  for (const std::string program : programs)
    for (const char* ending : endings) use(program + ending);
}

void write_all(const fs::path& folder, const codegen::CompiledNetwork& compiled) {
  std::error_code failure;
  fs::create_directory(folder, failure);
  if (failure) refuse(folder.string(), "cannot be made: {}", failure.message());
  for (const auto* program : {&compiled.train, &compiled.predict, &compiled.load, &compiled.store}) {
    write_text(folder / (program->name + ".cpp"), program->source);
    write_file(folder / (program->name + ".elf"), program->elf);
    if (!program->plan.empty()) write_text(folder / (program->name + ".plan.json"), program->plan);
  }
}

// In one step, unless somebody else's files keep the older one there.
void replace(const fs::path& folder, const fs::path& with) {
  remove_program(folder);
  std::error_code failure, none;
  fs::rename(with, folder, failure);
  if (!failure) return;
  if (!fs::is_directory(folder, none)) refuse(folder.string(), "cannot be replaced: {}", failure.message());
  for_each_name([&](const std::string& name) {
    if (!fs::exists(with / name, none)) return;
    fs::rename(with / name, folder / name, failure);
    if (failure) refuse((folder / name).string(), "cannot be replaced: {}", failure.message());
  });
  remove_program(with);
}

}  // namespace

void write_program(const fs::path& folder, const codegen::CompiledNetwork& compiled) {
  const fs::path beside = folder.string() + ".partial";
  remove_program(beside);
  try {
    write_all(beside, compiled);
    replace(folder, beside);
  } catch (const UserError&) {
    remove_program(beside);
    throw;
  }
}

void remove_program(const fs::path& folder) {
  std::error_code ignored;
  for_each_name([&](const std::string& name) { fs::remove(folder / name, ignored); });
  ::rmdir(folder.c_str());  // fails where others' files are left
}

}  // namespace dojo::training
