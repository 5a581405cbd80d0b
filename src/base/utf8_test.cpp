#include "base/utf8.h"

#include <gtest/gtest.h>

#include <string>

namespace dojo {
namespace {

TEST(Utf8, TakesEveryCharacterAndNothingElse) {
  for (const char* good : {"", "road", "\xc3\xa9", "\xe8\xb7\xaf", "\xf0\x9f\x9a\x97", "\xf4\x8f\xbf\xbf"})
    EXPECT_TRUE(is_utf8(good)) << good;
  // Latin-1, half a character, a continuation alone, overlong forms, a surrogate, beyond U+10FFFF (RFC 3629,
  // sections 3 and 4).
  for (const char* bad : {"n\xe9t", "\xc3", "\xe8\xb7", "\x80", "\xc0\xaf", "\xe0\x9f\xbf",
                          "\xf0\x8f\xbf\xbf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xff"})
    EXPECT_FALSE(is_utf8(bad));
}

}  // namespace
}  // namespace dojo
