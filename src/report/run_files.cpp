#include "report/run_files.h"

#include "base/file.h"
#include "onnx/file.h"
#include "report/run_pictures.h"
#include "training/history.h"
#include "training/predictions.h"
#include "training/run_folder.h"

namespace dojo::report {

void write_loss_picture(const std::filesystem::path& folder) {
  write_text(folder / training::loss_picture_file,
             loss_picture(training::read_history(folder / training::history_file)));
}

void write_run_files(const std::filesystem::path& folder, const training::RunReport& report,
                     const data::Dataset& frames, const std::vector<std::uint32_t>& validation,
                     const std::string& json, const std::string& text) {
  write_loss_picture(folder);
  write_text(folder / training::predictions_picture_file,
             predictions_picture(report.validation, validation, "held-out frames"));
  write_text(folder / training::predictions_file,
             training::predictions_csv(frames, validation, report.validation));
  onnx::write_model(folder / training::trained_file, report.trained);
  write_text(folder / training::run_file, json);
  write_text(folder / training::report_file, text);
}

}  // namespace dojo::report
