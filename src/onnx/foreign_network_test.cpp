#include "onnx/foreign_network.h"
#include "base/temporary_folder.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "base/error.h"
#include "base/file.h"
#include "onnx/file.h"

namespace dojo::onnx {
namespace {

namespace fs = std::filesystem;
using std::string_literals::operator""s;

// First bytes as h5py, tf.lite, torch 2.13, keras 3, safetensors and zip write them.
TEST(ForeignNetwork, IsToldByItsContentsWhateverItsName) {
  struct Case {
    std::string bytes, what, way_out;
  };
  for (const auto& [bytes, what, way_out] : std::vector<Case>{
           {"\x89HDF\r\n\x1a\n\0\0\0\0\0\x08\x08\0"s, "Keras network in HDF5", "tf2onnx.convert --keras"},
           {"\x1c\0\0\0TFL3\x14\0\x20\0"s, "TensorFlow Lite", "--tflite"},
           {"PK\3\4\0\0\0\0model.weights.h5"s, "Keras network (.keras)", "--saved-model"},
           {"PK\3\4\0\0\x08\x08net/data.pkl\x80\2"s, "file of PyTorch", "torch.onnx.export"},
           {"PK\3\4\0\0\x08\x08net/data.pkl net/constants.pkl"s, "TorchScript", "torch.onnx.export"},
           {"PK\3\4 pilot/saved_model.pb"s, "zip archive of a TensorFlow SavedModel", "--saved-model"},
           {"PK\3\4 readme"s, "zip archive", "unpack"},
           {"\x80\2\x8a\x0al\xfc\x9c\x46\xf9\x20j\xa8P\x19."s, "pickle", "torch.onnx.export"},
           {"ftrt\0\0\0\0"s, "TensorRT engine", "built from"},
           {"\x10\0\0\0\0\0\0\0{\"a\": {}}       "s, "weights alone (.safetensors)", "torch.onnx.export"},
           {"\x1f\x8b\x08", "gzip", "unpack"},
           {"version https://git-lfs.github.com/spec/v1\noid", "Git LFS pointer", "git lfs pull"},
           {"<!DOCTYPE html><html>", "web page", "download"},
           {"# A car\n\nThat steers itself.\n", "text", "torch.onnx.export"},
           {"{\"layers\": [{\"kind\": \"conv\"}]}", "text", "torch.onnx.export"}}) {
    const auto said = foreign_file(bytes, "network.onnx");
    ASSERT_TRUE(said.has_value()) << what;
    EXPECT_NE(said->find(what), std::string::npos) << *said;
    EXPECT_NE(said->find(way_out), std::string::npos) << *said;
  }
  EXPECT_TRUE(foreign_file("anything", "pilot.engine").has_value());
}

TEST(ForeignNetwork, IsNotWhatOnnxFilesBeginWith) {
  for (const std::string& bytes : {"\x08\x07\x12\x07pytorch"s, "\x08\x08\x12\x04TFL3"s, ""s, "\x08"s})
    EXPECT_FALSE(foreign_file(bytes, "network.onnx").has_value()) << bytes;
}

TEST(ForeignNetwork, IsRefusedByTheReaderOfNetworks) {
  const TemporaryFolder own("dojo-foreign");
  const fs::path folder = own.path();
  fs::create_directories(folder / "saved");
  const auto refusal = [&](const fs::path& path) -> std::string {
    try {
      onnx::read_model(path);
    } catch (const UserError& error) {
      return error.what_alone();
    }
    return "read";
  };
  write_text(folder / "pilot.onnx", "\x89HDF\r\n\x1a\n and more");
  EXPECT_TRUE(refusal(folder / "pilot.onnx").starts_with("is a Keras network in HDF5 (.h5); python -m"));
  EXPECT_EQ(refusal(folder / "saved"), "is a folder; a network is one .onnx file");
  EXPECT_EQ(refusal(folder),
            fmt::format("is a folder; {} in it is an ONNX file", (folder / "pilot.onnx").string()));
  write_text(folder / "saved/saved_model.pb", "x");
  EXPECT_TRUE(refusal(folder / "saved").starts_with("is a SavedModel of TensorFlow; "));
}

}  // namespace
}  // namespace dojo::onnx
