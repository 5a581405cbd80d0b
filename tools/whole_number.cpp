#include "whole_number.h"

#include <fmt/format.h>

#include <charconv>

namespace dojo::tools {

namespace {

bool is_whole(const std::string& text, std::uint64_t least, std::uint64_t most) {
  std::uint64_t value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool all = failure == std::errc() && end == text.data() + text.size();
  const bool plain = text.size() == 1 || !text.starts_with('0');
  return all && plain && value >= least && value <= most;
}

}  // namespace

CLI::Validator whole_number(std::uint64_t least, std::uint64_t most) {
  return {[=](const std::string& text) {
            return is_whole(text, least, most)
                       ? ""
                       : fmt::format("'{}' is no whole number from {} to {}", text, least, most);
          },
          ""};
}

CLI::Validator number_of_nodes() {
  return {[](const std::string& text) {
            return is_whole(text, 1, most_nodes)
                       ? ""
                       : fmt::format("'{}' is no whole number from 1 to the nodes of the machine", text);
          },
          ""};
}

}  // namespace dojo::tools
