// Compares two ways to run random programs and makes what differs small.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "program.h"
#include "shell.h"
#include "ways.h"

namespace dojo::differ {

class Differ {
public:
  // Keeps references.
  Differ(const Shell& shell, Way theirs, Way ours)
      : shell_(shell), theirs_(std::move(theirs)), ours_(std::move(ours)) {}

  // The first program of these that ends differently; all of one VLEN.
  std::optional<Program> find(std::span<const Program> programs);

  // The smallest program found by taking out parts, and by beginning where earlier parts have led, that still
  // ends differently in the same manner (other state, or somebody's death).
  Program shrink(Program program);

  // What differs, with the program and what it started from, for people.
  std::string describe(const Program& program);

  const std::string& theirs() const { return theirs_.name; }
  const std::string& ours() const { return ours_.name; }
  // Executed by `ours` in programs that find() compared.
  std::uint64_t instructions() const { return instructions_; }

private:
  enum class Manner { none, state, they_died, we_died };
  std::vector<Manner> manners(std::span<const Program> programs);
  Manner manner(const Program& program);
  std::optional<Program> smaller(const Program& program, Manner wanted);
  std::optional<Program> begun_later(const Program& program, Manner wanted);
  std::string difference(const Program& program, const Ended& theirs, const Ended& ours) const;

  const Shell& shell_;
  Way theirs_, ours_;
  std::uint64_t instructions_ = 0;
};

}  // namespace dojo::differ
