// How often are names asked for: once for each of the list, and once or twice for each that is found or
// given?
#include "graph/name_index.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

namespace dojo::graph {
namespace {

class NameIndexTest : public ::testing::Test {
protected:
  std::optional<std::size_t> find(std::string_view wanted) {
    return index_.find(wanted, names_.size(), [&](std::size_t place) -> const std::string& {
      ++asked_;
      return names_.at(place);
    });
  }

  NameIndex index_;
  std::vector<std::string> names_;
  std::size_t asked_ = 0;
};

// As an import asks of a network of so many ops: is there one of this name, before each is made, and where is
// the one before?
TEST_F(NameIndexTest, AsksForEachNameOnceHoweverOftenTheListGrows) {
  constexpr std::size_t ops = 20'000;
  for (std::size_t k = 0; k < ops; ++k) {
    const std::string name = "op" + std::to_string(k);
    ASSERT_EQ(find(name), std::nullopt);
    names_.push_back(name);
    ASSERT_EQ(find(names_[k / 2]), k / 2);
  }
  EXPECT_EQ(asked_, 2 * ops);
}

TEST_F(NameIndexTest, FollowsAListThatHasBecomeShorterAndOneThatChangesInPlace) {
  names_ = {"a", "b", "c"};
  EXPECT_EQ(find("c"), 2u);
  names_ = {"b", "c"};
  EXPECT_EQ(find("c"), 1u);
  EXPECT_EQ(find("a"), std::nullopt);
  names_[0] = std::string("d");
  index_.renamed(0, "d");
  EXPECT_EQ(find("d"), 0u);
  EXPECT_EQ(find("b"), std::nullopt);
}

// Where thousands of ops have one name, each asks for one or two: the last that was given, and the next.
TEST(FreshNames, GoOnWhereTheLastSearchEnded) {
  std::set<std::string> names;
  FreshNames fresh;
  std::size_t asked = 0;
  const auto take = [&](const std::string& wish) {
    return *names
                .insert(
                    fresh.pick(wish, [&](const std::string& name) { return ++asked, names.contains(name); }))
                .first;
  };
  EXPECT_EQ(take("relu"), "relu");
  names.insert("relu.3");
  EXPECT_EQ(take("relu"), "relu.2");
  EXPECT_EQ(take("relu"), "relu.4");
  EXPECT_EQ(take("relu.2"), "relu.2.2");
  for (int k = 5; k < 20'000; ++k) ASSERT_EQ(take("relu"), "relu." + std::to_string(k));
  EXPECT_LT(asked, 3 * names.size() + 6);
}

}  // namespace
}  // namespace dojo::graph
