#include "runtime/resident_network.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "numerics/convert.h"
#include "runtime/resident_state.h"

namespace dojo::runtime {
namespace {

using codegen::CompiledProgram;
using lowering::HbmField;
using machine::HbmPlace;

// Moving what is resident is short, and half of it would be nothing at all: it is not interrupted.
constexpr auto to_the_end = [] { return false; };

// What kept the launch from finishing; empty if nothing did.
std::string stranded(const system::LaunchResult& result, const CompiledProgram& program) {
  if (result.outcome == system::Outcome::finished) return {};
  if (result.stranded.empty()) return program.name + " did not finish";
  const auto& thread = result.stranded.front();
  return fmt::format("{}: node {} at {} {}: {}", program.name, thread.node, thread.symbol, thread.disassembly,
                     thread.reason);
}

}  // namespace

ResidentNetwork::ResidentNetwork(const machine::Machine& machine, codegen::CompiledNetwork network,
                                 system::Host host)
    : network_(std::move(network)), host_(std::move(host)), computer_(machine, network_.nodes) {}

system::LaunchResult ResidentNetwork::launch(const CompiledProgram& program,
                                             const std::function<bool()>& interrupted) {
  system::LaunchOptions options;
  options.host = host_;
  options.host.interrupted = interrupted;
  return computer_.launch(system::Program::parse(program.elf, program.name), network_.persistent.begin,
                          network_.persistent.end, options);
}

std::string ResidentNetwork::load(const lowering::Tensors& values) {
  write_parameter_images(computer_, network_, lowering::pack_parameters(network_.persistent, values));
  return stranded(launch(network_.load, to_the_end), network_.load);
}

lowering::Tensors ResidentNetwork::store() {
  const std::string reason = stranded(launch(network_.store, to_the_end), network_.store);
  if (!reason.empty()) refuse("store", "{}", reason);
  return lowering::unpack_parameters(network_.persistent, read_parameter_images(computer_, network_));
}

void ResidentNetwork::write_samples(const lowering::Tensors& samples) {
  const lowering::HbmLayout& hbm = network_.hbm;
  for (std::int64_t sample = 0; sample < network_.batch; ++sample) {
    std::vector<std::byte> record(hbm.record_bytes);
    for (const HbmField& field : hbm.record) {
      const std::size_t elements = field.bytes / numerics::storage_bytes(field.format);
      const float* values = samples.at(field.name).data() + static_cast<std::size_t>(sample) * elements;
      std::byte* const place = record.data() + field.offset;
      if (field.format == numerics::Format::fp32) {
        std::memcpy(place, values, field.bytes);
      } else if (field.format == numerics::Format::bf16) {
        numerics::to_bf16({values, elements}, {reinterpret_cast<std::uint16_t*>(place), elements});
      } else {
        throw UserError(field.name, fmt::format("an input in {}", numerics::name(field.format)),
                        Refusal::not_yet);
      }
    }
    const HbmPlace place = hbm.place_of_record(static_cast<std::uint64_t>(sample));
    computer_.write_hbm(place.interface, place.offset, record);
    const HbmPlace entry = hbm.table_entry(static_cast<unsigned>(sample / network_.samples_per_node),
                                           sample % network_.samples_per_node);
    const std::uint64_t address = place.global();
    computer_.write_hbm(entry.interface, entry.offset, std::as_bytes(std::span(&address, 1)));
  }
}

void ResidentNetwork::write_launch(const std::vector<std::pair<std::string, float>>& scalars,
                                   std::int64_t valid) {
  const lowering::HbmLayout& hbm = network_.hbm;
  std::vector<std::byte> block(hbm.launch_bytes);
  const std::uint64_t words[3] = {1, static_cast<std::uint64_t>(valid), 0};
  std::memcpy(block.data(), words, sizeof words);
  for (std::size_t k = 0; k < hbm.scalars.size(); ++k) {
    const auto found = std::ranges::find(scalars, hbm.scalars[k], &std::pair<std::string, float>::first);
    const float value = found == scalars.end() ? 0 : found->second;
    std::memcpy(block.data() + sizeof words + k * sizeof value, &value, sizeof value);
  }
  for (unsigned d = 0; d < hbm.interfaces; ++d) computer_.write_hbm(d, hbm.launch_block, block);
}

ResidentRun ResidentNetwork::run(Program program, const lowering::Tensors& samples,
                                 const std::vector<std::pair<std::string, float>>& scalars,
                                 std::int64_t valid) {
  DOJO_ENSURE(valid >= 0 && valid <= network_.batch);
  write_samples(samples);
  write_launch(scalars, valid == 0 ? network_.batch : valid);
  const StateImages before = read_state(computer_, network_);
  const CompiledProgram& compiled = program == Program::train ? network_.train : network_.predict;
  const system::LaunchResult launched = launch(compiled, host_.interrupted);
  ResidentRun run;
  run.interrupted = host_.interrupted();  // a launch that came to its end before it was asked, too
  if (!run.interrupted) run.stranded = stranded(launched, compiled);
  if (run.interrupted || !run.stranded.empty()) {
    write_state(computer_, network_, before);
    return run;
  }
  run.cycles = launched.cycles;
  run.ledger = launched.ledger;
  for (const HbmField& field : network_.hbm.results) {
    const auto count = static_cast<std::uint64_t>(field.per_sample ? network_.batch : 1);
    const std::vector<std::byte> read = computer_.read_hbm(0, field.offset, field.bytes * count);
    std::vector<float>& values = run.results[field.name];
    values.resize(read.size() / sizeof(float));
    std::memcpy(values.data(), read.data(), read.size());
  }
  return run;
}

}  // namespace dojo::runtime
