#include "data/picture_check.h"

#include "base/error.h"
#include "base/parallel.h"
#include "base/sha256.h"
#include "data/image_file.h"

namespace dojo::data {

std::vector<PictureCheck> check_pictures(const std::string& name,
                                         const std::vector<std::filesystem::path>& pictures,
                                         const RecordingOptions& options) {
  std::vector<PictureCheck> checks(pictures.size());
  parallel_for(options.threads, pictures.size(), [&](std::size_t i) {
    if (options.interrupted()) refuse(name, "was not read to its end");
    const ImageFile file = read_image_file(pictures[i]);
    checks[i] = {file.problem, sha256_hex(file.bytes)};
  });
  return checks;
}

}  // namespace dojo::data
