// Is any text shown on one line that no terminal obeys, and text that people read as it is?
#include "base/printable.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace dojo {
namespace {

using namespace std::literals;

TEST(Printable, LeavesWhatPeopleRead) {
  for (const char* text : {"", "weights of 'conv1'", "/layer/Conv_0", "C:\\new\\table",
                           "Stra\xc3\x9f"
                           "e",
                           "\xe9\x81\x93\xe5\xa0\xb4", "\xf0\x9f\x9a\x97"})
    EXPECT_EQ(printable(text), text);
}

TEST(Printable, EscapesWhatATerminalObeysAndWhatIsNoUtf8) {
  EXPECT_EQ(printable("a\ndojo: b\r\tc"), "a\\ndojo: b\\r\\tc");
  EXPECT_EQ(printable("\x1b[2J\x7f\0z"sv), "\\x1b[2J\\x7f\\x00z");
  EXPECT_EQ(printable("caf\xe9"), "caf\\xe9");
  EXPECT_EQ(printable("\xc2\x9b\x32J"), "\\xc2\\x9b2J") << "the control sequence introducer in one character";
  EXPECT_EQ(printable("\xe2\x80\xa8 \xe2\x80\xae"), "\\xe2\\x80\\xa8 \\xe2\\x80\\xae");
  EXPECT_EQ(printable(printable("\n\xff\\")), "\\n\\xff\\");
}

TEST(Printable, IsEverySentenceOfAUserError) {
  const UserError error("a\nfile", "holds '\0' and \xff"sv);
  EXPECT_STREQ(error.what(), "a\\nfile: holds '\\x00' and \\xff");
  EXPECT_EQ(error.what_alone(), "holds '\\x00' and \\xff");
  EXPECT_EQ(error.where(), "a\\nfile");
}

}  // namespace
}  // namespace dojo
