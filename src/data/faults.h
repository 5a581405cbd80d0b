// What is wrong in recorded data: borne with a count and the first place of each kind, or, strictly, refused
// at the first.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace dojo::data {

class Faults {
public:
  explicit Faults(bool strict) : strict_(strict) {}

  // A record that is left out, or a catalog. `where` is a file or file:line; those with the same `reason` are
  // counted together. Throws UserError if strict.
  void skip(const std::string& where, const std::string& reason);
  // What is wrong with more than one record, and what is done about it. Throws UserError, which says the
  // first alone, if strict.
  void note(const std::string& where, const std::string& what, const std::string& remedy = "");

  std::size_t skipped() const;  // records, and catalogs, for all reasons
  // One for each reason and each note, in the order of their first places.
  std::vector<std::string> sentences() const;

private:
  struct Kind {
    std::string where, what;
    std::size_t skipped = 0;  // 0: a note
  };
  bool strict_;
  std::vector<Kind> kinds_;
};

}  // namespace dojo::data
