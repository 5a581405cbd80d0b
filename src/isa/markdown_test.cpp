#include "isa/markdown.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>

#include "base/file.h"

namespace dojo::isa {
namespace {

// With DOJO_REGENERATE set in the environment, writes the page instead.
TEST(Page, OfTheInstructionSetIsFresh) {
  const std::filesystem::path page = std::filesystem::path(DOJO_SOURCE_DIR) / "docs" / "isa.md";
  if (getenv("DOJO_REGENERATE") != nullptr) write_text(page, to_markdown());
  ASSERT_TRUE(std::filesystem::exists(page));
  EXPECT_TRUE(read_text(page) == to_markdown())
      << "run isa_test --gtest_filter='Page.*' with DOJO_REGENERATE=1";
}

}  // namespace
}  // namespace dojo::isa
