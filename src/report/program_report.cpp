#include "report/program_report.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/json_text.h"
#include "machine/events.h"
#include "machine/rates.h"

namespace dojo::report {
namespace {

using Json = nlohmann::ordered_json;

double per_cycle(const system::LaunchResult& result) {
  return result.cycles == 0 ? 0
                            : static_cast<double>(result.instructions) / static_cast<double>(result.cycles);
}

// An interrupted launch has worked for some cycles, but how long it takes is not known.
bool has_an_end(const system::LaunchResult& result) { return result.outcome != system::Outcome::interrupted; }

// How much memory the program used and, if it is more than a node has, what that means.
std::string memory_text(const machine::Machine& machine, const system::LaunchResult& result) {
  const std::uint64_t sram = machine.node.sram_bytes;
  const std::string used = fmt::format("{} bytes used", result.memory_used);
  if (result.memory_used > sram)
    return fmt::format(
        "{}, {} more than a node's {}: no node can run it; its cycles treat all memory as SRAM", used,
        result.memory_used - sram, sram);
  return fmt::format("{} of a node's {}", used, sram);
}

std::string causes_text(const system::LaunchResult& result) {
  std::uint64_t sum = 0;
  for (const machine::Event& cause : machine::cause_events) sum += result.ledger.total(cause);
  std::string text = "where the cycles of all threads went\n";
  for (const machine::Event& cause : machine::cause_events) {
    const std::uint64_t cycles = result.ledger.total(cause);
    if (cycles == 0) continue;
    text += fmt::format("  {:<16}{:>14}  {:5.1f} %\n", name_of(cause), cycles,
                        100.0 * static_cast<double>(cycles) / static_cast<double>(sum));
  }
  return text;
}

Json stranded_json(const system::Stranded& stranded) {
  Json registers;
  for (const auto& [name, value] : stranded.registers) registers[name] = fmt::format("{:#x}", value);
  return {{"node", stranded.node},
          {"thread", stranded.thread},
          {"reason", stranded.reason},
          {"pc", fmt::format("{:#x}", stranded.pc)},
          {"disassembly", stranded.disassembly},
          {"symbol", stranded.symbol},
          {"registers", registers}};
}

}  // namespace

std::string_view name_of(system::Outcome outcome) {
  switch (outcome) {
    case system::Outcome::finished:
      return "finished";
    case system::Outcome::trapped:
      return "trapped";
    case system::Outcome::deadlocked:
      return "deadlocked";
    case system::Outcome::too_long:
      return "too long";
    case system::Outcome::interrupted:
      return "interrupted";
  }
  return "";
}

std::string program_text(const ProgramReport& report) {
  const machine::Machine& machine = report.machine;
  const system::LaunchResult& result = report.run.result;
  const bool finished = result.outcome == system::Outcome::finished;
  std::string text = fmt::format(
      "nodes         {}\nexit code     {}\ninstructions  {}\n", report.nodes,
      finished ? fmt::format("{}", result.exit_code) : fmt::format("none: {}", name_of(result.outcome)),
      result.instructions);
  text += fmt::format("memory        {}\n", memory_text(report.as_read, result));
  if (!report.timing) return text;
  if (has_an_end(result)) {
    const double microseconds = static_cast<double>(result.cycles) / machine.node.clock_ghz / 1000;
    text += fmt::format("cycles        {}  ({:.3f} us at {} GHz)\n", result.cycles, microseconds,
                        machine.node.clock_ghz);
    text += fmt::format("per cycle     {:.3f} instructions{}\n", per_cycle(result),
                        report.nodes == 1 ? "" : ", all nodes together");
  }
  text += causes_text(result);
  if (!report.sensitivity.runs.empty()) text += sensitivity_text(report.sensitivity);
  return text;
}

std::string program_json(const ProgramReport& report) {
  const system::LaunchResult& result = report.run.result;
  Json json;
  json["program"] = report.file;
  json["program_sha256"] = report.program.sha256();
  json["machine"] = report.machine.name;
  json["nodes"] = report.nodes;
  json["outcome"] = name_of(result.outcome);
  if (result.outcome == system::Outcome::finished)
    json["exit_code"] = result.exit_code;
  else
    json["exit_code"] = nullptr;
  json["output"] = report.run.output;
  json["error_output"] = report.run.error_output;
  json["warnings"] = result.warnings;
  json["memory_bytes_used"] = result.memory_used;
  json["instructions"] = result.instructions;
  if (report.timing) {
    if (has_an_end(result)) {
      json["cycles"] = result.cycles;
      json["instructions_per_cycle"] = per_cycle(result);
      json["simulated_seconds"] = machine::simulated_seconds(report.machine, result.cycles);
    }
    for (const machine::Event& cause : machine::cause_events)
      json["cycles_by_cause"][std::string(name_of(cause))] = result.ledger.total(cause);
  }
  for (const auto& [key, count] : result.ledger.rows())
    json["ledger"].push_back({{"part", key.part}, {"op", key.op}, {"event", key.event}, {"count", count}});
  json["stranded"] = Json::array();
  for (const system::Stranded& stranded : result.stranded)
    json["stranded"].push_back(stranded_json(stranded));
  if (!report.sensitivity.runs.empty()) json["sensitivity"] = sensitivity_json(report.sensitivity);
  // A program may write any bytes; what is not UTF-8 is replaced.
  return json_text(json, 2) + "\n";
}

}  // namespace dojo::report
