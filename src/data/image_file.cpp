#include "data/image_file.h"

#include "base/error.h"
#include "base/file.h"
#include "data/jpeg.h"
#include "data/png.h"

namespace dojo::data {
namespace {

namespace fs = std::filesystem;

// Empty for a file. Asked before anything is opened: a pipe that nobody writes to would never open.
std::string why_no_file(const fs::path& path) {
  std::error_code failure;
  const fs::file_status status = fs::status(path, failure);
  if (status.type() == fs::file_type::not_found) return "is missing";
  if (failure) return fmt::format("cannot be read: {}", failure.message());
  if (fs::is_directory(status)) return "is a folder";
  return fs::is_regular_file(status) ? "" : "is no file";
}

}  // namespace

ImageFile read_image_file(const fs::path& path) {
  ImageFile file;
  file.problem = why_no_file(path);
  if (!file.problem.empty()) return file;
  try {
    file.bytes = read_file(path);
  } catch (const UserError& error) {
    file.problem = error.what_alone();
    return file;
  }
  if (file.bytes.empty()) {
    file.problem = "is empty";
  } else if (is_jpeg(file.bytes)) {
    file.image = decode_jpeg(file.bytes);
    if (!file.image) file.problem = "is no complete JPEG picture";
  } else if (is_png(file.bytes)) {
    file.image = decode_png(file.bytes);
    if (!file.image) file.problem = "is no complete PNG picture of 8 bits";
  } else {
    file.problem = "is neither a JPEG nor a PNG picture";
  }
  return file;
}

}  // namespace dojo::data
