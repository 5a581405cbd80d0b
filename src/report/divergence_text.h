// Why a run broke, in one sentence for people, with what to do about it.
#pragma once

#include <filesystem>
#include <string>

#include "onnx/file.h"
#include "training/trainer.h"

namespace dojo::report {

// `file`: the network as it was read; `checkpoint`: of the run, from before it broke.
std::string divergence_text(const training::Divergence& divergence, const onnx::Model& file,
                            const std::filesystem::path& checkpoint);

}  // namespace dojo::report
