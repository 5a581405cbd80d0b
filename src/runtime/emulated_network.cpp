#include "runtime/emulated_network.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "base/parallel.h"
#include "numerics/convert.h"
#include "numerics/format.h"
#include "runtime/resident_state.h"

namespace dojo::runtime {
namespace {

template <typename T>
void append(std::vector<std::byte>& bytes, T value) {
  const auto* first = reinterpret_cast<const std::byte*>(&value);
  bytes.insert(bytes.end(), first, first + sizeof value);
}

void encode(std::span<const float> values, numerics::Format format, std::byte* to) {
  switch (numerics::storage_bytes(format)) {
    case 4:
      std::memcpy(to, values.data(), values.size_bytes());
      return;
    case 2: {
      std::vector<std::uint16_t> codes(values.size());
      if (format == numerics::Format::bf16)
        numerics::to_bf16(values, codes);
      else
        numerics::to_codes(values, numerics::spec_of(format), codes);
      std::memcpy(to, codes.data(), codes.size() * 2);
      return;
    }
    default: {
      std::vector<std::uint8_t> codes(values.size());
      numerics::to_codes(values, numerics::spec_of(format), codes);
      std::memcpy(to, codes.data(), codes.size());
    }
  }
}

// Moving the training state is short, and half of it would be no state at all.
bool never() { return false; }

std::size_t elements(const lowering::HbmField& field) {
  return field.bytes / numerics::storage_bytes(field.format);
}

}  // namespace

EmulatedNetwork::EmulatedNetwork(const machine::Machine& machine, const codegen::CompiledNetwork& network,
                                 std::vector<std::string> losses, std::vector<std::string> outputs,
                                 system::Host host)
    : network_(network),
      losses_(std::move(losses)),
      outputs_(std::move(outputs)),
      host_(std::move(host)),
      computer_(machine, network.nodes),
      train_(system::Program::parse(network.train.elf, "train.elf")),
      predict_(system::Program::parse(network.predict.elf, "predict.elf")),
      load_(system::Program::parse(network.load.elf, "load.elf")),
      store_(system::Program::parse(network.store.elf, "store.elf")) {}

bool EmulatedNetwork::store_examples(const data::Examples& examples, std::span<const std::uint32_t> frames) {
  const lowering::HbmLayout& hbm = network_.hbm;
  constexpr std::size_t at_once = 256;  // frames decoded in parallel before they are written
  std::vector<std::vector<std::byte>> records(at_once);
  for (std::size_t first = 0; first < frames.size(); first += at_once) {
    const std::size_t count = std::min(at_once, frames.size() - first);
    parallel_for(host_.threads, count, [&](std::size_t i) {
      std::vector<float> values(examples.input_elements() + examples.target_elements());
      const std::span<float> all(values);
      examples.read(frames[first + i], all.first(examples.input_elements()),
                    all.subspan(examples.input_elements()));
      records[i].assign(hbm.record_bytes, std::byte{0});
      std::size_t cursor = 0;
      for (const lowering::HbmField& field : hbm.record) {
        encode(all.subspan(cursor, elements(field)), field.format, records[i].data() + field.offset);
        cursor += elements(field);
      }
      DOJO_ENSURE(cursor == values.size());
    });
    for (std::size_t i = 0; i < count; ++i) {
      const machine::HbmPlace place = hbm.place_of_record(frames[first + i]);
      computer_.write_hbm(place.interface, place.offset, records[i]);
    }
    if (host_.interrupted()) return false;
  }
  return true;
}

system::LaunchResult EmulatedNetwork::launch(const system::Program& program, std::string_view name,
                                             const std::function<bool()>& interrupted) {
  system::LaunchOptions options;
  options.host = host_;
  options.host.interrupted = interrupted;
  system::LaunchResult result =
      computer_.launch(program, network_.persistent.begin, network_.persistent.end, options);
  if (result.outcome == system::Outcome::interrupted) return result;
  if (result.outcome != system::Outcome::finished || result.exit_code != 0) {
    const std::string reason = result.stranded.empty()
                                   ? fmt::format("exit code {}", result.exit_code)
                                   : fmt::format("node {} at {}: {}", result.stranded[0].node,
                                                 result.stranded[0].symbol, result.stranded[0].reason);
    refuse(name, "the compiled program did not finish ({})", reason);
  }
  return result;
}

void EmulatedNetwork::load_parameters(const lowering::Tensors& values) {
  write_parameter_images(computer_, network_, lowering::pack_parameters(network_.persistent, values));
  launch(load_, "load", never);
}

lowering::Tensors EmulatedNetwork::parameters() {
  launch(store_, "store", never);
  return lowering::unpack_parameters(network_.persistent, read_parameter_images(computer_, network_));
}

void EmulatedNetwork::write_launch(std::span<const std::uint32_t> frames, std::uint64_t step,
                                   std::uint64_t seed,
                                   std::span<const std::pair<std::string, float>> scalars) {
  const lowering::HbmLayout& hbm = network_.hbm;
  DOJO_ENSURE(!frames.empty() && frames.size() <= static_cast<std::size_t>(network_.batch));
  std::vector<std::byte> block;
  append(block, step);
  append(block, static_cast<std::uint64_t>(frames.size()));
  append(block, seed);
  for (const std::string& name : hbm.scalars) {
    const auto found = std::find_if(scalars.begin(), scalars.end(),
                                    [&](const auto& scalar) { return scalar.first == name; });
    DOJO_ENSURE(scalars.empty() || found != scalars.end());  // a prediction has none
    append(block, found == scalars.end() ? 0.0f : found->second);
  }
  for (unsigned interface = 0; interface < hbm.interfaces; ++interface)
    computer_.write_hbm(interface, hbm.launch_block, block);

  for (unsigned node = 0; node < network_.nodes; ++node) {
    for (std::int64_t local = 0; local < network_.samples_per_node; ++local) {
      const std::size_t sample = static_cast<std::size_t>(node * network_.samples_per_node + local);
      const std::uint64_t address = hbm.place_of_record(frames[sample < frames.size() ? sample : 0]).global();
      const machine::HbmPlace entry = hbm.table_entry(node, local);
      computer_.write_hbm(entry.interface, entry.offset, std::as_bytes(std::span(&address, 1)));
    }
  }
}

const lowering::HbmField& EmulatedNetwork::result(std::string_view name) const {
  for (const lowering::HbmField& field : network_.hbm.results)
    if (field.name == name) return field;
  broken_invariant("the compiled network has every output as a result", __FILE__, __LINE__);
}

std::vector<float> EmulatedNetwork::read_result(const lowering::HbmField& field, std::size_t samples) const {
  const std::uint64_t bytes = field.per_sample ? field.bytes * samples : field.bytes;
  const std::vector<std::byte> raw = computer_.read_hbm(0, field.offset, bytes);
  std::vector<float> values(bytes / sizeof(float));
  std::memcpy(values.data(), raw.data(), bytes);
  return values;
}

StepResult EmulatedNetwork::step(std::span<const std::uint32_t> frames, std::uint64_t step,
                                 std::uint64_t seed, std::span<const std::pair<std::string, float>> scalars) {
  write_launch(frames, step, seed, scalars);
  system::LaunchResult launched = launch(train_, "train", host_.interrupted);
  StepResult result;
  result.interrupted = launched.outcome == system::Outcome::interrupted;
  if (result.interrupted) return result;
  result.cycles = launched.cycles;
  result.instructions = launched.instructions;
  result.ledger = std::move(launched.ledger);
  for (const std::string& loss : losses_) result.values.push_back(read_result(this->result(loss), 1).front());
  return result;
}

Predictions EmulatedNetwork::predict(std::span<const std::uint32_t> frames) {
  Predictions predictions;
  predictions.outputs.resize(outputs_.size());
  const std::size_t batch = static_cast<std::size_t>(network_.batch);
  for (std::size_t first = 0; first < frames.size(); first += batch) {
    const auto part = frames.subspan(first, std::min(batch, frames.size() - first));
    write_launch(part, 0, 0, {});
    const system::LaunchResult launched = launch(predict_, "predict", host_.interrupted);
    if (launched.outcome == system::Outcome::interrupted) {
      predictions.interrupted = true;
      return predictions;
    }
    predictions.cycles += launched.cycles;
    for (std::size_t i = 0; i < outputs_.size(); ++i) {
      const std::vector<float> values = read_result(result(outputs_[i]), part.size());
      predictions.outputs[i].insert(predictions.outputs[i].end(), values.begin(), values.end());
    }
  }
  return predictions;
}

std::vector<std::vector<std::byte>> EmulatedNetwork::regions() const {
  return read_state(computer_, network_);
}

void EmulatedNetwork::restore(const std::vector<std::vector<std::byte>>& regions) {
  write_state(computer_, network_, regions);
}

}  // namespace dojo::runtime
