#include "data/faults.h"

#include <algorithm>

#include "base/error.h"

namespace dojo::data {

void Faults::skip(const std::string& where, const std::string& reason) {
  if (strict_) refuse(where, "{}", reason);
  const auto known = std::ranges::find_if(
      kinds_, [&](const Kind& kind) { return kind.skipped != 0 && kind.what == reason; });
  if (known != kinds_.end()) {
    ++known->skipped;
  } else {
    kinds_.push_back({where, reason, 1});
  }
}

void Faults::note(const std::string& where, const std::string& what, const std::string& remedy) {
  if (strict_) refuse(where, "{}", what);
  kinds_.push_back({where, remedy.empty() ? what : fmt::format("{}; {}", what, remedy), 0});
}

std::size_t Faults::skipped() const {
  std::size_t count = 0;
  for (const Kind& kind : kinds_) count += kind.skipped;
  return count;
}

std::vector<std::string> Faults::sentences() const {
  std::vector<std::string> sentences;
  for (const auto& [where, what, skipped] : kinds_) {
    std::string sentence = fmt::format("{}: {}", where, what);
    if (skipped != 0) sentence += "; skipped";
    if (skipped > 1) sentence += fmt::format(", with {} more like it", skipped - 1);
    sentences.push_back(std::move(sentence));
  }
  return sentences;
}

}  // namespace dojo::data
