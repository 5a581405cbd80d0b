// The vector instructions of a random program. They follow what vtype and vl are at each place, and lie where
// their rows' operand groups allow them to.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "isa/hart.h"
#include "repertoire.h"
#include "words.h"

namespace dojo::differ {

class VectorWriter {
public:
  VectorWriter(Words& words, const Repertoire& repertoire, const Program& program);

  void add_configuration(std::vector<Item>& made);
  void add_arithmetic(std::vector<Item>& made);
  void add_access(std::vector<Item>& made);

  // vtype and vl at this place; nothing if they depend on how one came here.
  struct Configuration {
    std::uint64_t vtype, vl;
    bool operator==(const Configuration&) const = default;
  };
  std::optional<Configuration> configuration() const;
  // From here on they depend on that.
  void forget() { known_ = false; }

private:
  void configure(std::vector<Item>& made, std::uint64_t vtype);
  const isa::Row& chosen(std::vector<Item>& made, const VectorRows& rows);
  std::uint32_t word(const isa::Row& row);
  std::vector<std::uint32_t> unit_stride(std::uint32_t word);
  std::vector<std::uint32_t> strided(std::uint32_t word);
  std::vector<std::uint32_t> indexed(std::uint32_t word);
  void set_length(std::uint64_t length);

  Words& words_;
  const Repertoire& repertoire_;
  std::unique_ptr<isa::Hart> model_ = std::make_unique<isa::Hart>();  // its configuration is the program's
  bool known_ = true;
};

}  // namespace dojo::differ
