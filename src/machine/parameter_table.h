// The parameters of a machine as rows: where each stands in a machine file, its unit, the field that holds it
// and the values that are accepted. A new one is a field of machine.h, a row here and a row of
// machines/d1.toml.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "machine/machine.h"

namespace dojo::machine {

using Positions = std::vector<std::uint64_t>;
using Field = std::variant<double*, std::uint64_t*, Positions*>;

struct ParameterRow {
  std::string_view section, key, unit;
  Field (*field)(Machine&);
  double low, high;  // ends included

  std::string name() const;  // "node.clock_ghz"
};

// In the order in which `dojo machine` prints them.
std::span<const ParameterRow> parameter_rows();

// Of a parameter that is a number.
double number_in(const Machine& machine, const ParameterRow& row);

}  // namespace dojo::machine
