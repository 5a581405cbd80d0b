#include "debug/request.h"

#include <gtest/gtest.h>

#include <string>

namespace dojo::debug {
namespace {

TEST(Request, NamesAddressesAndBytes) {
  const Request read = parse_request("m1f40,20");
  EXPECT_EQ(read.kind, RequestKind::read_memory);
  EXPECT_EQ(read.address, 0x1f40u);
  EXPECT_EQ(read.count, 0x20u);
  EXPECT_EQ(parse_request("M10,2:61ff").bytes, "a\xff");
  EXPECT_EQ(parse_request("X10,2:a}\x03").bytes, "a#");
  EXPECT_EQ(parse_request("P2f=00112233").number, 0x2fu);
  EXPECT_EQ(parse_request("P2f=00112233").bytes.size(), 4u);
  EXPECT_EQ(parse_request("Z2,1000,8").number, 2u);
  EXPECT_EQ(parse_request("qXfer:features:read:target.xml:0,7fb").annex, "target.xml");
  EXPECT_EQ(parse_request("qRcmd,6379").bytes, "cy");
}

TEST(Request, SaysHowThreadsGoOn) {
  const Request request = parse_request("vCont;s:2;C0b:-1;c");
  ASSERT_EQ(request.kind, RequestKind::resume);
  ASSERT_EQ(request.actions.size(), 3u);
  EXPECT_EQ(request.actions[0].resume, Resume::step);
  EXPECT_EQ(request.actions[0].thread, 2);
  EXPECT_EQ(request.actions[1].signal, 11);
  EXPECT_EQ(request.actions[1].thread, all_threads);
  EXPECT_EQ(request.actions[2].resume, Resume::go_on);
  EXPECT_EQ(parse_request("c").actions.size(), 1u);
  EXPECT_EQ(parse_request("S05").actions.front().signal, 5);
}

TEST(Request, WithWrongContentsIsMalformed) {
  for (const std::string_view payload : {"m",
                                         "m10",
                                         "m10,",
                                         "m10,2x",
                                         "m,2",
                                         "m11112222333344445,1",
                                         "M10,2:61",
                                         "M10,2:6",
                                         "M10,2:6162,",
                                         "X10,1:}",
                                         "P=00",
                                         "P1",
                                         "P1=0",
                                         "p",
                                         "p1,",
                                         "Z0",
                                         "Z0,10",
                                         "Z0,10,2;X1,0",
                                         "Hg",
                                         "Hgx",
                                         "Hg111111111",
                                         "Tz",
                                         "vCont",
                                         "vCont;",
                                         "vCont;x",
                                         "vCont;s:",
                                         "vCont;s:-2",
                                         "c10",
                                         "qRcmd,1",
                                         "qXfer:threads:read::0",
                                         "qThreadExtraInfo,",
                                         "?x"})
    EXPECT_EQ(parse_request(payload).kind, RequestKind::malformed) << payload;
}

TEST(Request, ThatNobodyAnnouncedIsUnknown) {
  for (const std::string_view payload :
       {"", "!", "Z9,10,2", "vRun;", "qXfer:auxv:write:", "qSymbol::", "QNonStop:1", "R", "Hx1", "bs"})
    EXPECT_EQ(parse_request(payload).kind, RequestKind::unknown) << payload;
}

}  // namespace
}  // namespace dojo::debug
