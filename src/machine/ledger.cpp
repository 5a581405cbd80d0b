#include "machine/ledger.h"

#include <fmt/format.h>

namespace dojo::machine {

void Ledger::add(std::string_view part, std::uint32_t op, std::string_view event, std::uint64_t count) {
  if (count != 0) rows_[Key{std::string(part), op, std::string(event)}] += count;
}

void Ledger::add(std::uint32_t op, const Event& event, std::uint64_t count, unsigned interface) {
  const bool of_interface = event.part == hbm_part;
  add(of_interface ? fmt::format("{}.{}", hbm_part, interface) : std::string(event.part), op, event.key,
      count);
}

void Ledger::add(const Ledger& other) {
  for (const auto& [key, count] : other.rows_) rows_[key] += count;
}

std::uint64_t Ledger::total(std::string_view part, std::string_view event) const {
  std::uint64_t sum = 0;
  for (const auto& [key, count] : rows_)
    if (key.part == part && key.event == event) sum += count;
  return sum;
}

std::uint64_t Ledger::total(const Event& event) const {
  std::uint64_t sum = 0;
  for (const auto& [key, count] : rows_)
    if (key.event == event.key && key.part.starts_with(event.part)) sum += count;
  return sum;
}

std::uint64_t Ledger::total(std::string_view part, std::uint32_t op, std::string_view event) const {
  const auto row = rows_.find(Key{std::string(part), op, std::string(event)});
  return row == rows_.end() ? 0 : row->second;
}

}  // namespace dojo::machine
