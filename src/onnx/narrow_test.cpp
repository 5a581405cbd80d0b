// Are narrow floating-point numbers read and rounded as their formats' exact definition does
// (numerics/format.h), and as the standard's tables say where that has no such type?
#include "onnx/narrow.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/random.h"
#include "graph/expression.h"

namespace dojo::onnx {
namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();

float rounded(float value, DataType type, bool saturates = true) {
  return graph::evaluate(rounding_to(*narrow_type(type), saturates), std::span(&value, 1));
}

TEST(NarrowTypes, KeepEveryNumberOfTheirs) {
  for (const DataType type :
       {DataType::float16, DataType::bfloat16, DataType::float8e4m3fn, DataType::float8e4m3fnuz,
        DataType::float8e5m2, DataType::float8e5m2fnuz, DataType::float4e2m1})
    for (std::uint32_t code = 0; code < 1u << bits_of(type); ++code) {
      const float value = value_of(code, *narrow_type(type)), kept = rounded(value, type, false);
      ASSERT_TRUE(value == kept || (std::isnan(value) && std::isnan(kept)))
          << data_type_name(type) << ' ' << code;
    }
}

TEST(NarrowTypes, RoundAsTheirFormatsDo) {
  Random random(7);
  for (const DataType type :
       {DataType::float16, DataType::bfloat16, DataType::float8e4m3fn, DataType::float8e5m2}) {
    numerics::FormatSpec spec = narrow_type(type)->spec;
    const bool saturates = bits_of(type) == 8;
    spec.overflow = saturates ? numerics::Overflow::clamp : numerics::Overflow::infinity;
    const auto check = [&](float value) {
      const float expected = numerics::widen(numerics::round(value, spec).code, spec);
      const float got = rounded(value, type, saturates);
      ASSERT_TRUE(expected == got || (std::isnan(expected) && std::isnan(got)))
          << data_type_name(type) << ' ' << value << ": " << got << ", not " << expected;
    };
    for (int i = 0; i < 200'000; ++i) check(std::bit_cast<float>(static_cast<std::uint32_t>(random.bits())));
    for (std::uint32_t code = 0; code + 1 < 1u << bits_of(type); ++code) {  // and halfway between neighbours
      const double low = value_of(code, *narrow_type(type)), high = value_of(code + 1, *narrow_type(type));
      if (std::isfinite(low) && std::isfinite(high)) check(static_cast<float>((low + high) / 2));
    }
  }
}

// onnx.ai, Cast: the table of what becomes of a float8 type's NaN, infinity and numbers out of range.
TEST(NarrowTypes, EndWhereTheStandardsTableEnds) {
  const auto fn = DataType::float8e4m3fn, fnuz = DataType::float8e4m3fnuz, e5 = DataType::float8e5m2,
             e5fnuz = DataType::float8e5m2fnuz;
  EXPECT_EQ(rounded(1e9f, fn), 448);
  EXPECT_EQ(rounded(-infinity, fn), -448);
  EXPECT_TRUE(std::isnan(rounded(infinity, fn, false)));
  EXPECT_EQ(rounded(1e9f, fnuz), 240);
  EXPECT_TRUE(std::isnan(rounded(1e9f, fnuz, false)));
  EXPECT_EQ(rounded(infinity, e5), 57344);
  EXPECT_EQ(rounded(1e9f, e5, false), infinity);
  EXPECT_EQ(rounded(-1e9f, e5fnuz), -57344);
  EXPECT_TRUE(std::isnan(rounded(infinity, e5fnuz, false)));
  EXPECT_EQ(value_of(0x01, *narrow_type(fnuz)), 0x1p-10f);
  EXPECT_EQ(value_of(0x01, *narrow_type(e5fnuz)), 0x1p-17f);
  EXPECT_TRUE(std::isnan(value_of(0x80, *narrow_type(fnuz))));
}

}  // namespace
}  // namespace dojo::onnx
