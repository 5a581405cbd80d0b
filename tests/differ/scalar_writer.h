// The scalar instructions of a random program, control flow apart.
#pragma once

#include <vector>

#include "repertoire.h"
#include "words.h"

namespace dojo::differ {

class ScalarWriter {
public:
  ScalarWriter(Words& words, const Repertoire& repertoire) : words_(words), repertoire_(repertoire) {}

  void add_arithmetic(std::vector<Item>& made);
  void add_float(std::vector<Item>& made);
  void add_compressed(std::vector<Item>& made);
  void add_access(std::vector<Item>& made);
  void add_atomic(std::vector<Item>& made);
  void add_csr(std::vector<Item>& made);

private:
  void add_cache_block(std::vector<Item>& made);

  Words& words_;
  const Repertoire& repertoire_;
};

}  // namespace dojo::differ
