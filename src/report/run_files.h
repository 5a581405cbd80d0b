// The files of a training run that are written when it is over (training/run_folder.h).
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "training/trainer.h"

namespace dojo::report {

// Of history.csv; also of a run that is not over: it shows why one stopped it, or how it went wrong.
void write_loss_picture(const std::filesystem::path& folder);

// All of them. `validation`: the held-out ones of `frames`; `json`, `text`: run_report.h's.
void write_run_files(const std::filesystem::path& folder, const training::RunReport& report,
                     const data::Dataset& frames, const std::vector<std::uint32_t>& validation,
                     const std::string& json, const std::string& text);

}  // namespace dojo::report
