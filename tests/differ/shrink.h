// Compares two runners on random programs and makes what differs small.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "program.h"
#include "shell.h"

namespace dojo::differ {

// How one program ended differently: which state, or who died; empty if it did not.
std::string difference(const Program& program, const Ended& theirs, const Ended& ours, std::size_t place);

class Differ {
public:
  // Keeps references.
  Differ(const Shell& shell, Runner theirs, Runner ours)
      : shell_(shell), theirs_(std::move(theirs)), ours_(std::move(ours)) {}

  // The first program of these that ends differently; all of one VLEN.
  std::optional<Program> find(std::span<const Program> programs);

  // The smallest program found by taking out parts that still ends differently in the same manner (other
  // state, or somebody's death).
  Program shrink(Program program);

  // What differs, with the program and what it started from, for people.
  std::string describe(const Program& program);

  std::uint64_t instructions() const {
    return instructions_;
  }  // executed by `ours` in programs that find() compared

private:
  enum class Manner { none, state, they_died, we_died };
  std::vector<Manner> manners(std::span<const Program> programs);
  Manner manner(const Program& program);
  std::optional<Program> smaller(const Program& program, Manner wanted);

  const Shell& shell_;
  Runner theirs_, ours_;
  std::uint64_t instructions_ = 0;
};

}  // namespace dojo::differ
