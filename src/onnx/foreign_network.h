// Networks in other formats than ONNX, told by their contents, and how ONNX is made from them.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace dojo::onnx {

// What a file that begins with `bytes` is (or ends with them: all of it is given), and the way out, as a
// clause without the file's name: "is a Keras network in HDF5; ...". Nothing for what could be ONNX. `path`
// is asked for its ending only where contents tell nothing.
std::optional<std::string> foreign_file(std::string_view bytes, const std::filesystem::path& path);

// The same for a folder given in a file's place.
std::string foreign_folder(const std::filesystem::path& folder);

}  // namespace dojo::onnx
