// Names of a growing list, without looking at all of them: which thing has this one, and which are free.
//
// NameIndex follows the list when it is asked: what was appended is read then, a list that has become shorter
// anew. Only a name that changes in place has to be told. Names in the list are unique.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace dojo::graph {

class NameIndex {
public:
  // The place of `wanted` in a list of `size` things; name_at(place) is the name of one.
  template <typename NameAt>
  std::optional<std::size_t> find(std::string_view wanted, std::size_t size, NameAt name_at) {
    if (size < read_) *this = {};
    for (; read_ < size; ++read_) places_.insert_or_assign(std::string(name_at(read_)), read_);
    const auto found = places_.find(wanted);
    if (found == places_.end() || name_at(found->second) != wanted) return std::nullopt;
    return found->second;
  }

  // The thing at `place` is called `name` now.
  void renamed(std::size_t place, const std::string& name) {
    if (place < read_) places_.insert_or_assign(name, place);
  }

private:
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  std::unordered_map<std::string, std::size_t, Hash, std::equal_to<>> places_;
  std::size_t read_ = 0;
};

// Names that nothing has yet: the wish itself, or with the least number behind it ("conv.2"). It goes on
// where the last search for the same wish ended, so names may be taken in between but none be given up.
class FreshNames {
public:
  template <typename Taken>
  std::string pick(const std::string& wish, Taken taken) {
    if (!taken(wish)) return wish;
    for (std::uint64_t& number = numbers_.try_emplace(wish, 2).first->second;; ++number) {
      std::string candidate = wish + "." + std::to_string(number);
      if (!taken(candidate)) return candidate;
    }
  }

private:
  std::unordered_map<std::string, std::uint64_t> numbers_;  // the least that may be free
};

}  // namespace dojo::graph
