#include "onnx/foreign_network.h"

#include <fmt/format.h>

#include <algorithm>

namespace dojo::onnx {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view from_keras = "python -m tf2onnx.convert --keras FILE --output network.onnx",
                           from_saved_model =
                               "python -m tf2onnx.convert --saved-model FOLDER --output network.onnx",
                           from_tflite = "python -m tf2onnx.convert --tflite FILE --output network.onnx",
                           from_torch =
                               "in Python, torch.onnx.export(network, example, 'network.onnx') writes ONNX";

// What stands where in the file.
struct Mark {
  std::size_t at;
  std::string_view bytes;
  std::string_view what, way_out;
};

// First bytes by the formats' own documents: HDF5 III.A, PKZIP APPNOTE 4.3.7, FlatBuffers' file identifiers
// (TFLite's schema.fbs, onnxruntime's ort.fbs), Python's pickle protocols 2 to 5, the Git LFS pointer.
const Mark marks[] = {
    {0, "\x89HDF\r\n\x1a\n", "is a Keras network in HDF5 (.h5)", from_keras},
    {4, "TFL3", "is a TensorFlow Lite network", from_tflite},
    {4, "ORTM", "is a network of onnxruntime's own format (.ort)", "give the .onnx file it was made from"},
    {0, "ftrt", "is a TensorRT engine, which is code for one GPU and no network any more",
     "give the .onnx file it was built from"},
    {0, "version https://git-lfs", "is a Git LFS pointer and not the file itself",
     "git lfs pull fetches that"},
    {0, "GGUF", "is weights in GGUF, without a network", "export the network to ONNX where it was made"},
    {0, "\x1f\x8b", "is a gzip archive", "unpack it and give the .onnx file inside"},
    {257, "ustar", "is a tar archive", "unpack it and give the .onnx file inside"},
    {0,
     "\xfd"
     "7zXZ",
     "is an xz archive", "unpack it and give the .onnx file inside"},
    {0, "7z\xbc\xaf\x27\x1c", "is a 7z archive", "unpack it and give the .onnx file inside"},
    {0, "<!DOCTYPE", "is a web page", "download the file itself"},
    {0, "<html", "is a web page", "download the file itself"},
    {0, "<?xml", "is XML, as OpenVINO has it", "give the .onnx file it was made from"},
    {0, "\x80\x02", "is a pickle of PyTorch or Python (.pt, .pth)", from_torch},
    {0, "\x80\x03", "is a pickle of PyTorch or Python (.pt, .pth)", from_torch},
    {0, "\x80\x04", "is a pickle of PyTorch or Python (.pt, .pth)", from_torch},
    {0, "\x80\x05", "is a pickle of PyTorch or Python (.pt, .pth)", from_torch},
};

// Files of a zip archive that tell what it is; the first that is there counts.
const Mark entries[] = {
    {0, "model.weights.h5", "is a Keras network (.keras)",
     "in Python, model.export('FOLDER') writes a SavedModel of it, python -m tf2onnx.convert --saved-model "
     "FOLDER --output network.onnx ONNX"},
    {0, "constants.pkl", "is a TorchScript network of PyTorch", from_torch},
    {0, "data.pkl", "is a file of PyTorch (.pt, .pth), perhaps weights alone", from_torch},
    {0, "saved_model.pb", "is a zip archive of a TensorFlow SavedModel", from_saved_model},
    {0, "models/model.json", "is an exported program of PyTorch (.pt2)", from_torch},
    {0, ".npy", "is arrays of numpy (.npz), without a network",
     "export the network to ONNX where it was made"},
};

// For formats whose contents begin like anything.
const Mark endings[] = {
    {0, ".engine", "is a TensorRT engine, by its name", "give the .onnx file it was built from"},
    {0, ".plan", "is a TensorRT engine, by its name", "give the .onnx file it was built from"},
    {0, ".trt", "is a TensorRT engine, by its name", "give the .onnx file it was built from"},
};

std::string clause(const Mark& mark) { return fmt::format("{}; {}", mark.what, mark.way_out); }

std::optional<std::string> of_zip(std::string_view bytes) {
  for (const Mark& entry : entries)
    if (bytes.contains(entry.bytes)) return clause(entry);
  return "is a zip archive; unpack it and give the .onnx file inside";
}

// A number of 8 bytes, then that many of JSON, which is the table of contents.
bool is_safetensors(std::string_view bytes) {
  if (bytes.size() < 10 || bytes.substr(8, 2) != "{\"") return false;
  std::uint64_t size = 0;
  for (std::size_t i = 8; i-- > 0;) size = size << 8 | static_cast<unsigned char>(bytes[i]);
  return size <= bytes.size() - 8;
}

// An ONNX file begins with a version number, and every field in it with a control character.
bool is_words(std::string_view bytes) {
  constexpr std::size_t enough = 16, most = 256;
  const auto is_word = [](char c) { return (c >= ' ' && c <= '~') || c == '\n' || c == '\r' || c == '\t'; };
  return bytes.size() >= enough && std::ranges::all_of(bytes.substr(0, most), is_word);
}

}  // namespace

std::optional<std::string> foreign_file(std::string_view bytes, const fs::path& path) {
  if (bytes.starts_with("PK\3\4")) return of_zip(bytes);
  for (const Mark& mark : marks) {
    // A FlatBuffer's identifier stands behind an offset below 64 KiB; in ONNX text may stand there.
    const bool offset_before = mark.at != 4 || (bytes.size() > 4 && bytes[2] == 0 && bytes[3] == 0);
    if (bytes.size() > mark.at && bytes.substr(mark.at).starts_with(mark.bytes) && offset_before)
      return clause(mark);
  }
  if (is_safetensors(bytes))
    return fmt::format("is weights alone (.safetensors), without a network; {}", from_torch);
  for (const Mark& ending : endings)
    if (path.extension() == ending.bytes) return clause(ending);
  if (is_words(bytes)) return fmt::format("is text and no network; {}", from_torch);
  return std::nullopt;
}

std::string foreign_folder(const fs::path& folder) {
  std::error_code error;
  if (fs::exists(folder / "saved_model.pb", error))
    return fmt::format("is a SavedModel of TensorFlow; {}", from_saved_model);
  std::string found;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error))
    if (entry->path().extension() == ".onnx" && (found.empty() || entry->path().string() < found))
      found = entry->path().string();
  return found.empty() ? "is a folder; a network is one .onnx file"
                       : fmt::format("is a folder; {} in it is an ONNX file", found);
}

}  // namespace dojo::onnx
