#include "support/pattern.h"

#include <regex>

namespace dojo {
namespace {

Match groups_of(const std::smatch& found) {
  Match groups;
  for (const std::ssub_match& group : found) groups.push_back(group.str());
  return groups;
}

}  // namespace

Match first_match(const std::string& text, const std::string& expression) {
  std::smatch found;
  return std::regex_search(text, found, std::regex(expression)) ? groups_of(found) : Match();
}

std::vector<Match> all_matches(const std::string& text, const std::string& expression) {
  const std::regex pattern(expression);
  std::vector<Match> all;
  for (std::sregex_iterator at(text.begin(), text.end(), pattern), end; at != end; ++at)
    all.push_back(groups_of(*at));
  return all;
}

std::string replaced(const std::string& text, const std::string& expression, const std::string& by) {
  return std::regex_replace(text, std::regex(expression), by);
}

}  // namespace dojo
