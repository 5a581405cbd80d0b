#include "training/program_folder.h"

#include "base/error.h"
#include "base/file.h"

namespace dojo::training {

void write_program(const std::filesystem::path& folder, const compiler::CompiledNetwork& compiled) {
  const std::filesystem::path beside = folder.string() + ".partial";
  std::error_code ignored;
  std::filesystem::remove_all(beside, ignored);
  try {
    std::error_code failure;
    std::filesystem::create_directory(beside, failure);
    if (failure) refuse(beside.string(), "cannot be made: {}", failure.message());
    for (const auto* program : {&compiled.train, &compiled.predict, &compiled.load, &compiled.store}) {
      write_text(beside / (program->name + ".cpp"), program->source);
      write_file(beside / (program->name + ".elf"), program->elf);
      if (!program->plan.empty()) write_text(beside / (program->name + ".plan.json"), program->plan);
    }
    std::filesystem::remove_all(folder, failure);
    std::filesystem::rename(beside, folder, failure);
    if (failure) refuse(folder.string(), "cannot be replaced: {}", failure.message());
  } catch (const UserError&) {
    std::filesystem::remove_all(beside, ignored);
    throw;
  }
}

}  // namespace dojo::training
