#include "isa/xdojo_header.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "base/file.h"

namespace dojo::isa {
namespace {

TEST(XdojoHeader, IsWhatTheRowsSay) {
  const std::string path = DOJO_SOURCE_DIR "/device/xdojo.h";
  const std::string expected = xdojo_header();
  if (std::getenv("DOJO_REGENERATE") != nullptr) write_text(path, expected);
  EXPECT_EQ(read_text(path), expected) << "run this test with DOJO_REGENERATE=1";
}

}  // namespace
}  // namespace dojo::isa
