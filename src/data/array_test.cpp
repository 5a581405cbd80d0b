// Do arrays and archives read as NumPy wrote them, and does NumPy read ours? What is cut or damaged must be
// refused.
#include "data/array.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <limits>

#include "base/error.h"
#include "base/file.h"
#include "base/temporary_folder.h"
#include "data/zip.h"

namespace dojo::data {
namespace {

// Debian's numpy is for Debian's own interpreter.
void numpy(const TemporaryFolder& folder, std::string_view program) {
  write_text(folder.path() / "program.py", fmt::format("import numpy as np\n{}", program));
  const std::string line = fmt::format("cd '{}' && /usr/bin/python3 -B program.py", folder.path().string());
  ASSERT_EQ(std::system(line.c_str()), 0);
}

std::string refusal(std::span<const std::byte> file) {
  try {
    parse_npy(file, "a.npy");
  } catch (const UserError& error) {
    return error.what();
  }
  return "";
}

TEST(Arrays, OfEveryElementOrderAndVersionReadAsNumPyWroteThem) {
  const TemporaryFolder folder("dojo-arrays");
  numpy(folder, R"(
import os
os.mkdir('all')
for code in ['b1', 'i1', 'u1', 'i2', 'u2', 'i4', 'u4', 'i8', 'u8', 'f2', 'f4', 'f8']:
    for order in '<>':
        values = (np.arange(24) % 7 * (1 if code[0] in 'bu' else -1)).reshape(2, 3, 4).astype(order + code)
        np.save(f'all/{code}{"le" if order == "<" else "be"}.npy', values)
        np.save(f'all/{code}{"le" if order == "<" else "be"}-columns.npy', np.asfortranarray(values))
for version in (1, 2, 3):
    with open(f'all/i2-version{version}.npy', 'wb') as file:
        np.lib.format.write_array(file, -(np.arange(24, dtype='<i2') % 7).reshape(2, 3, 4), version=(version, 0))
)");
  const Arrays arrays = read_arrays(folder.path() / "all");
  ASSERT_EQ(arrays.size(), 51u);
  for (const auto& [name, array] : arrays) {
    EXPECT_EQ(array.shape, (std::vector<std::int64_t>{2, 3, 4})) << name;
    const std::vector<float> values = floats(array);
    ASSERT_EQ(values.size(), 24u) << name;
    for (int i = 0; i < 24; ++i) {
      const float value = static_cast<float>(i % 7);
      ASSERT_EQ(values[static_cast<std::size_t>(i)], name[0] == 'b'   ? value != 0
                                                     : name[0] == 'u' ? value
                                                                      : -value)
          << name << " " << i;
    }
  }
}

TEST(Arrays, OfNoDimensionsOrNoElementsAreArrays) {
  const TemporaryFolder folder("dojo-arrays");
  numpy(folder,
        "np.savez('some.npz', scalar=np.float32(2.5), none=np.zeros((3, 0, 2)), one=np.array([7]))\n");
  const Arrays arrays = read_arrays(folder.path() / "some.npz");
  ASSERT_EQ(arrays.size(), 3u);
  EXPECT_TRUE(arrays.at("scalar").shape.empty());
  EXPECT_EQ(floats(arrays.at("scalar")), std::vector<float>{2.5f});
  EXPECT_EQ(arrays.at("none").shape, (std::vector<std::int64_t>{3, 0, 2}));
  EXPECT_EQ(arrays.at("none").count(), 0u);
  EXPECT_EQ(arrays.at("one").shape, std::vector<std::int64_t>{1});
}

TEST(Arrays, PackedOrNotReadFromAnArchive) {
  const TemporaryFolder folder("dojo-arrays");
  numpy(folder, R"(
values = dict(x=np.arange(100000, dtype='f4') / 3, y=np.full((300, 2), -np.inf, 'f8'))
np.savez('plain.npz', **values)
np.savez_compressed('packed.npz', **values)
)");
  const Arrays plain = read_arrays(folder.path() / "plain.npz"),
               packed = read_arrays(folder.path() / "packed.npz");
  ASSERT_EQ(plain.size(), 2u);
  for (const char* const name : {"x", "y"}) {
    EXPECT_EQ(plain.at(name).bytes, packed.at(name).bytes);
    EXPECT_EQ(plain.at(name).element, packed.at(name).element);
  }
  EXPECT_EQ(floats(plain.at("x"))[99999], 99999.0f / 3);
  EXPECT_EQ(floats(plain.at("y"))[5], -std::numeric_limits<float>::infinity());
  EXPECT_LT(read_file(folder.path() / "packed.npz").size(), read_file(folder.path() / "plain.npz").size());
}

TEST(Arrays, AreReadByNumPyAsWeWroteThem) {
  const TemporaryFolder folder("dojo-arrays");
  const std::vector<float> values = {1, -0.0f, std::numeric_limits<float>::denorm_min(), 3e38f, -2, NAN};
  const Arrays arrays = {{"net/out:0", float_array({2, 3}, values)},
                         {"scalar", float_array({}, {values.data(), 1})},
                         {"line", {Element::int64, {1}, std::vector<std::byte>(8, std::byte{255})}}};
  write_npz(folder.path() / "ours.npz", arrays);
  write_npz(folder.path() / "again.npz", arrays);
  EXPECT_EQ(read_file(folder.path() / "ours.npz"), read_file(folder.path() / "again.npz"));
  numpy(folder, R"(
import zipfile
assert zipfile.ZipFile('ours.npz').testzip() is None
ours = np.load('ours.npz')
assert sorted(ours) == ['line', 'net/out:0', 'scalar'], list(ours)
x = ours['net/out:0']
assert x.dtype == np.float32 and x.shape == (2, 3) and x[0, 0] == 1 and np.signbit(x[0, 1]), x
assert x[0, 2] == np.float32(1e-45) and x[1, 0] == np.float32(3e38) and np.isnan(x[1, 2]), x
assert ours['scalar'].shape == () and ours['scalar'] == 1
assert ours['line'].dtype == np.int64 and ours['line'].tolist() == [-1]
)");
  const Arrays back = read_arrays(folder.path() / "ours.npz");
  EXPECT_EQ(back.at("net/out:0").bytes, arrays.at("net/out:0").bytes);
}

TEST(Arrays, OfAnythingButRealNumbersAreRefused) {
  const TemporaryFolder folder("dojo-arrays");
  numpy(folder, R"(
np.save('complex.npy', np.zeros(2, 'c8'))
np.save('text.npy', np.array(['a', 'bc']))
np.save('fields.npy', np.zeros(2, [('x', 'f4'), ('y', 'i4')]))
np.save('pair.npy', np.zeros(2, 'V2'))
np.save('objects.npy', np.array([{}, 1], dtype=object), allow_pickle=True)
)");
  const auto said = [&](const char* name) { return refusal(read_file(folder.path() / name)); };
  EXPECT_EQ(said("complex.npy"),
            "a.npy: it holds elements of kind '<c8', which are no real numbers (unsupported)");
  EXPECT_EQ(said("text.npy"),
            "a.npy: it holds elements of kind '<U2', which are no real numbers (unsupported)");
  EXPECT_EQ(said("fields.npy"), "a.npy: it holds structures, which are no numbers (unsupported)");
  EXPECT_EQ(said("pair.npy"),
            "a.npy: it holds two bytes an element of no said meaning, as NumPy writes bfloat16: save it as "
            "float32 (unsupported)");
  EXPECT_EQ(said("objects.npy"),
            "a.npy: it holds elements of kind '|O', which are no real numbers (unsupported)");
}

TEST(Arrays, LargerThanAnyMemoryAreRefused) {
  // The second product has more than 64 bits, and is 0 in them.
  for (const char* const shape : {"1099511627777,", "1099511627776, 1099511627776"}) {
    const std::string header =
        fmt::format("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}), }}\n", shape);
    const std::string file =
        fmt::format("\x93NUMPY\1{}{}{}{}", '\0', static_cast<char>(header.size()), '\0', header);
    EXPECT_TRUE(refusal(std::as_bytes(std::span(file))).contains("says to hold more than memory does"))
        << shape;
  }
}

TEST(Arrays, CutAnywhereAreRefused) {
  const std::vector<std::byte> whole = npy_bytes(float_array({2, 2}, std::vector<float>{1, 2, 3, 4}));
  EXPECT_EQ(whole.size() % 64, 16u);
  EXPECT_EQ(refusal(whole), "");
  for (std::size_t length = 0; length < whole.size(); ++length) {
    const std::string said = refusal(std::span(whole).first(length));
    EXPECT_FALSE(said.empty()) << length;
  }
  EXPECT_EQ(refusal(std::span(whole).first(whole.size() - 1)),
            "a.npy: it ends after 15 of 16 bytes of elements");
}

TEST(Archives, CutOrChangedAnywhereAreRefusedOrReadAsTheyAre) {
  const std::vector<ZipMember> members = {{"a.npy", npy_bytes(float_array({1}, std::vector<float>{1}))},
                                          {"b.txt", {std::byte{1}, std::byte{2}}}};
  const std::vector<std::byte> whole = zip_bytes(members);
  ASSERT_EQ(read_zip(whole, "x").size(), 2u);
  for (std::size_t length = 0; length < whole.size(); ++length)
    EXPECT_THROW(read_zip(std::span(whole).first(length), "x"), UserError) << length;
  std::size_t refused = 0;
  for (std::size_t at = 0; at < whole.size(); ++at) {
    std::vector<std::byte> changed = whole;
    changed[at] ^= std::byte{0x41};
    try {
      // What is not refused may bear another name or date, but no other data.
      for (const ZipMember& member : read_zip(changed, "x"))
        EXPECT_TRUE(member.bytes == members[0].bytes || member.bytes == members[1].bytes) << at;
    } catch (const UserError&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, members[0].bytes.size());
}

TEST(Archives, OfNoArraysAreRefused) {
  const TemporaryFolder folder("dojo-arrays");
  write_file(folder.path() / "texts.npz", zip_bytes(std::vector<ZipMember>{{"b.txt", {}}}));
  EXPECT_THROW(read_arrays(folder.path() / "texts.npz"), UserError);
  EXPECT_THROW(read_arrays(folder.path()), UserError);
  EXPECT_THROW(read_arrays(folder.path() / "absent.npz"), UserError);
}

TEST(WholeArray, HoldsTheNearestNumberOfItsType) {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  const float values[] = {-3, 127, 1e30f, -infinity, std::numeric_limits<float>::quiet_NaN()};
  const auto held = [&]<typename Integer>(Element element, Integer) {
    const Array array = whole_array(element, {5}, values);
    std::vector<Integer> numbers(5);
    std::memcpy(numbers.data(), array.bytes.data(), array.bytes.size());
    return numbers;
  };
  using std::vector;
  EXPECT_EQ(held(Element::int8, std::int8_t{}), (vector<std::int8_t>{-3, 127, 127, -128, 0}));
  EXPECT_EQ(held(Element::uint16, std::uint16_t{}), (vector<std::uint16_t>{0, 127, 65535, 0, 0}));
  EXPECT_EQ(held(Element::int64, std::int64_t{}), (vector<std::int64_t>{-3, 127, INT64_MAX, INT64_MIN, 0}));
}

}  // namespace
}  // namespace dojo::data
