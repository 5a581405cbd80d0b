// Does the emulated machine, running the compiled program, produce the bits that the lowered program defines?
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cctype>
#include <chrono>
#include <cstdlib>
#include <cstring>

#include "base/error.h"
#include "base/random.h"
#include "codegen/compile.h"
#include "codegen/memory.h"
#include "graph/fuse.h"
#include "lowering/lowered_interpreter.h"
#include "lowering/sample_networks_for_tests.h"
#include "numerics/convert.h"
#include "system/computer.h"
#include "system/program.h"

namespace dojo::codegen {
namespace {

using graph::Graph;

// The forward part of a training step: what reaches the first output.
Graph forward_of(const Graph& step) {
  Graph graph = step;
  graph.outputs.resize(1);
  graph.update.clear();
  graph.gradient.clear();
  graph::eliminate_dead_ops(graph);
  return graph;
}

struct Case {
  const char* name;
  Graph (*make)(std::int64_t batch);
  lowering::FormatChoice formats;
  std::int64_t batch;
  unsigned nodes;
};

class Machine {
public:
  Machine(const codegen::CompiledNetwork& network, const machine::Machine& d1)
      : network_(network), computer_(d1, network.nodes) {}

  void write_samples(const lowering::Tensors& samples) {
    for (std::int64_t sample = 0; sample < network_.batch; ++sample) {
      std::vector<std::byte> record(network_.hbm.record_bytes);
      for (const lowering::HbmField& field : network_.hbm.record) {
        const std::size_t elements = field.bytes / numerics::storage_bytes(field.format);
        const float* values = samples.at(field.name).data() + static_cast<std::size_t>(sample) * elements;
        if (field.format == numerics::Format::fp32)
          std::memcpy(record.data() + field.offset, values, field.bytes);
        if (field.format == numerics::Format::bf16) {
          numerics::to_bf16({values, elements},
                            {reinterpret_cast<std::uint16_t*>(record.data() + field.offset), elements});
        }
      }
      const machine::HbmPlace place = network_.hbm.place_of_record(static_cast<std::uint64_t>(sample));
      computer_.write_hbm(place.interface, place.offset, record);
      const machine::HbmPlace entry = network_.hbm.table_entry(
          static_cast<unsigned>(sample / network_.samples_per_node), sample % network_.samples_per_node);
      const std::uint64_t address = place.global();
      computer_.write_hbm(entry.interface, entry.offset, std::as_bytes(std::span(&address, 1)));
    }
  }

  void write_launch(std::int64_t valid, const lowering::Tensors& scalars) {
    std::vector<std::byte> block(network_.hbm.launch_bytes);
    const std::uint64_t words[3] = {1, static_cast<std::uint64_t>(valid), 0};
    std::memcpy(block.data(), words, sizeof words);
    for (std::size_t k = 0; k < network_.hbm.scalars.size(); ++k) {
      std::memcpy(block.data() + 24 + 4 * k, scalars.at(network_.hbm.scalars[k]).data(), 4);
    }
    for (unsigned d = 0; d < network_.hbm.interfaces; ++d)
      computer_.write_hbm(d, network_.hbm.launch_block, block);
  }

  system::LaunchResult run(const codegen::CompiledProgram& program) {
    const auto start = std::chrono::steady_clock::now();
    const system::LaunchResult result =
        computer_.launch(system::Program::parse(program.elf, program.name), network_.persistent.begin,
                         network_.persistent.end, {});
    const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start;
    std::string stranded;
    for (const auto& thread : result.stranded)
      stranded += fmt::format("node {} at {} {}: {}\n", thread.node, thread.symbol, thread.disassembly,
                              thread.reason);
    EXPECT_EQ(result.outcome, system::Outcome::finished) << program.name << "\n" << stranded;
    std::printf("%s: %lu cycles, %lu instructions, %.3f s\n", program.name.c_str(), result.cycles,
                result.instructions, spent.count());
    if (std::getenv("OPENDOJO_OPS") != nullptr && program.plan.size() != 0) print_ops(result);
    return result;
  }

  void print_ops(const system::LaunchResult& result) {
    std::map<std::uint32_t, std::pair<std::uint64_t, std::uint64_t>> by_op;
    for (const auto& [key, count] : result.ledger.rows()) {
      if (key.part != "nodes") continue;
      if (key.event.starts_with("instructions.")) by_op[key.op].first += count;
      if (key.event.starts_with("cycles.")) by_op[key.op].second += count;
    }
    for (const auto& [op, counts] : by_op)
      std::printf("op %u instructions %lu cycles %lu\n", op, counts.first / network_.nodes,
                  counts.second / network_.nodes);
  }

  void load(const lowering::Tensors& parameters) {
    const auto images = lowering::pack_parameters(network_.persistent, parameters);
    for (unsigned node = 0; node < network_.nodes; ++node) {
      const machine::HbmPlace place = network_.hbm.parameter_image(node);
      computer_.write_hbm(place.interface, place.offset, images[node]);
    }
    run(network_.load);
  }

  lowering::Tensors store() {
    run(network_.store);
    std::vector<std::vector<std::byte>> images;
    for (unsigned node = 0; node < network_.nodes; ++node) {
      const machine::HbmPlace place = network_.hbm.parameter_image(node);
      images.push_back(computer_.read_hbm(place.interface, place.offset, network_.persistent.bytes()));
    }
    return unpack_parameters(network_.persistent, images);
  }

  std::vector<float> result(const std::string& name, std::int64_t valid) {
    for (const lowering::HbmField& field : network_.hbm.results) {
      if (field.name != name) continue;
      const std::uint64_t bytes = field.bytes * (field.per_sample ? static_cast<std::uint64_t>(valid) : 1);
      const std::vector<std::byte> read = computer_.read_hbm(0, field.offset, bytes);
      std::vector<float> values(bytes / 4);
      std::memcpy(values.data(), read.data(), bytes);
      return values;
    }
    ADD_FAILURE() << name;
    return {};
  }

private:
  const codegen::CompiledNetwork& network_;
  system::Computer computer_;
};

void expect_same_bits(const std::vector<float>& machine, const std::vector<float>& definition,
                      const std::string& name) {
  ASSERT_EQ(machine.size(), definition.size()) << name;
  std::size_t different = 0, first = 0;
  for (std::size_t k = machine.size(); k-- > 0;) {
    if (std::memcmp(&machine[k], &definition[k], 4) != 0) ++different, first = k;
  }
  EXPECT_EQ(different, 0u) << name << " of " << machine.size() << ": first at " << first << ": "
                           << machine[first] << " for " << definition[first];
}

class CompiledStep : public testing::TestWithParam<Case> {};

TEST_P(CompiledStep, gives_the_bits_of_the_lowered_program) {
  const Case& c = GetParam();
  const Graph step = c.make(c.batch);
  const machine::Machine d1 = machine::read_machine("d1");
  codegen::Options options;
  options.nodes = c.nodes;
  options.formats = c.formats;
  const codegen::CompiledNetwork network = compile(step, forward_of(step), d1, options);

  lowering::Tensors parameters, samples, scalars;
  Random random(11);
  for (const graph::Tensor& tensor : step.tensors) {
    std::size_t elements = 1;
    for (const std::int64_t extent : tensor.shape) elements *= static_cast<std::size_t>(extent);
    if (tensor.role == graph::Role::parameter || tensor.role == graph::Role::state)
      parameters[tensor.name] = tensor.data;
    if (tensor.role == graph::Role::scalar) scalars[tensor.name] = {0.01f};
    if (tensor.role != graph::Role::input && tensor.role != graph::Role::label) continue;
    for (std::size_t k = 0; k < elements; ++k)
      samples[tensor.name].push_back(static_cast<float>(random.normal()));
  }
  Machine machine(network, d1);
  machine.load(parameters);
  for (const lowering::PersistentTensor& tensor : network.persistent.tensors) {
    if (!tensor.initial.empty()) parameters[tensor.name] = tensor.initial;
  }
  lowering::LoweredInterpreter definition(network.train.lowered);
  definition.set_persistent(parameters);

  machine.write_samples(samples);
  machine.write_launch(network.batch, scalars);
  // Scales of CFloat8 storage move after the first step and matter in the second.
  for (int launch = 0; launch < (c.formats == lowering::FormatChoice::cfloat8 ? 2 : 1); ++launch) {
    definition.run(samples, network.batch, scalars);
    machine.run(network.train);
    for (const auto& [name, values] : definition.results())
      expect_same_bits(machine.result(name, network.batch), values, name);
    const lowering::Tensors trained = machine.store();
    for (const auto& [name, values] : definition.persistent())
      expect_same_bits(trained.at(name), values, name);
  }

  lowering::LoweredInterpreter prediction(network.predict.lowered);
  prediction.set_persistent(definition.persistent());
  prediction.run(samples, network.batch, scalars);
  machine.run(network.predict);
  for (const auto& [name, values] : prediction.results())
    expect_same_bits(machine.result(name, network.batch), values, name);
}

INSTANTIATE_TEST_SUITE_P(
    , CompiledStep,
    testing::Values(
        Case{"mlp_1", lowering::sample::mlp, lowering::FormatChoice::fp32, 5, 1},
        Case{"mlp_6_uneven", lowering::sample::mlp, lowering::FormatChoice::fp32, 13, 6},
        Case{"wide_4", lowering::sample::wide_mlp, lowering::FormatChoice::fp32, 8, 4},
        Case{"convolutions_1", lowering::sample::convolutions, lowering::FormatChoice::fp32, 3, 1},
        Case{"convolutions_6", lowering::sample::convolutions, lowering::FormatChoice::fp32, 6, 6},
        Case{"convolutions_bf16", lowering::sample::convolutions, lowering::FormatChoice::bf16, 12, 6},
        Case{"convolutions_uneven", lowering::sample::convolutions, lowering::FormatChoice::bf16, 13, 6},
        Case{"lookups_1", lowering::sample::lookups, lowering::FormatChoice::fp32, 4, 1},
        Case{"lookups_6_uneven", lowering::sample::lookups, lowering::FormatChoice::fp32, 13, 6},
        Case{"lookups_bf16", lowering::sample::lookups, lowering::FormatChoice::bf16, 12, 6},
        Case{"lookups_cfloat8", lowering::sample::lookups, lowering::FormatChoice::cfloat8, 7, 4},
        Case{"residual_6", lowering::sample::residual, lowering::FormatChoice::fp32, 12, 6},
        Case{"residual_bf16_uneven", lowering::sample::residual, lowering::FormatChoice::bf16, 7, 4},
        Case{"convolutions_cfloat8", lowering::sample::convolutions, lowering::FormatChoice::cfloat8, 12, 6},
        Case{"convolutions_cfloat8_uneven", lowering::sample::convolutions, lowering::FormatChoice::cfloat8,
             13, 6},
        Case{"residual_cfloat8", lowering::sample::residual, lowering::FormatChoice::cfloat8, 7, 4},
        Case{"wide_cfloat8", lowering::sample::wide_mlp, lowering::FormatChoice::cfloat8, 8, 4},
        Case{"sequence_6_uneven", lowering::sample::spread<graph::traced::sequence>,
             lowering::FormatChoice::fp32, 13, 6},
        Case{"places_first_4", lowering::sample::spread<graph::traced::places_first>,
             lowering::FormatChoice::fp32, 8, 4},
        Case{"attention_6", lowering::sample::spread<graph::traced::attention>, lowering::FormatChoice::fp32,
             12, 6},
        Case{"images_4_uneven", lowering::sample::spread<graph::traced::images>, lowering::FormatChoice::fp32,
             7, 4},
        Case{"clipped_6", lowering::sample::spread<graph::traced::clipped>, lowering::FormatChoice::fp32, 12,
             6},
        Case{"vocabulary_4_uneven", lowering::sample::spread<graph::traced::vocabulary>,
             lowering::FormatChoice::fp32, 7, 4},
        Case{"vocabulary_bf16", lowering::sample::spread<graph::traced::vocabulary>,
             lowering::FormatChoice::bf16, 12, 6},
        Case{"largest_6_uneven", lowering::sample::spread<graph::traced::largest>,
             lowering::FormatChoice::fp32, 8, 6},
        Case{"regularized_4", lowering::sample::spread<graph::traced::regularized>,
             lowering::FormatChoice::fp32, 8, 4},
        Case{"by_hand_6_uneven", lowering::sample::spread<graph::traced::by_hand>,
             lowering::FormatChoice::fp32, 13, 6},
        Case{"by_hand_bf16", lowering::sample::spread<graph::traced::by_hand>, lowering::FormatChoice::bf16,
             64, 4},
        Case{"random_9", lowering::sample::random_step<9>, lowering::FormatChoice::bf16, 9, 2},
        Case{"random_14", lowering::sample::random_step<14>, lowering::FormatChoice::bf16, 8, 6},
        Case{"random_18", lowering::sample::random_step<18>, lowering::FormatChoice::fp32, 6, 6},
        Case{"random_33", lowering::sample::random_step<33>, lowering::FormatChoice::fp32, 9, 2},
        Case{"mlp_on_the_die", lowering::sample::mlp, lowering::FormatChoice::fp32, 400, 354},
        Case{"pilotnet_bf16", lowering::sample::pilotnet, lowering::FormatChoice::bf16, 6, 6}),
    [](const auto& tested) { return tested.param.name; });

// More nodes than the definition can follow in a test's time: two steps on the same batch must lower the
// loss.
void expect_learning(Graph (*make)(std::int64_t), lowering::FormatChoice formats) {
  constexpr std::int64_t batch = 59;
  const Graph step = make(batch);
  const machine::Machine d1 = machine::read_machine("d1");
  codegen::Options options;
  options.nodes = 59;
  options.formats = formats;
  const codegen::CompiledNetwork network = compile(step, forward_of(step), d1, options);
  lowering::Tensors parameters, samples, scalars;
  Random random(11);
  for (const graph::Tensor& tensor : step.tensors) {
    if (tensor.role == graph::Role::parameter || tensor.role == graph::Role::state)
      parameters[tensor.name] = tensor.data;
    if (tensor.role == graph::Role::scalar) scalars[tensor.name] = {1.0f};
  }
  scalars["learning_rate"] = {1e-4f};
  for (const graph::Tensor& tensor : step.tensors) {
    if (tensor.role != graph::Role::input && tensor.role != graph::Role::label) continue;
    std::int64_t elements = 1;
    for (const std::int64_t extent : tensor.shape) elements *= extent;
    const double offset = tensor.role == graph::Role::label ? 1 : 0;
    for (std::int64_t k = 0; k < elements; ++k) {
      samples[tensor.name].push_back(static_cast<float>(offset + random.uniform()));
    }
  }
  Machine machine(network, d1);
  machine.load(parameters);
  machine.write_samples(samples);
  machine.write_launch(batch, scalars);
  const std::string& loss = step.at(step.outputs[1]).name;
  machine.run(network.train);
  const float before = machine.result(loss, batch).at(0);
  machine.run(network.train);
  const float after = machine.result(loss, batch).at(0);
  EXPECT_GT(before, 1.0f);
  EXPECT_LT(after, before);
}

TEST(CompiledRow, learns_pilotnet_in_bf16) {
  expect_learning(lowering::sample::pilotnet, lowering::FormatChoice::bf16);
}
TEST(CompiledRow, learns_pilotnet_in_fp32) {
  expect_learning(lowering::sample::pilotnet, lowering::FormatChoice::fp32);
}
// 8.7 MB of FP32 weights where a node has 1.25 MB.
TEST(CompiledRow, learns_what_no_node_could_hold) {
  expect_learning(lowering::sample::huge_mlp, lowering::FormatChoice::bf16);
}

TEST(Compile, fits_pilotnet_in_fp32_on_the_die) {
  const Graph step = lowering::sample::pilotnet(354);
  codegen::Options options;
  options.formats = lowering::FormatChoice::fp32;
  const codegen::CompiledNetwork network =
      compile(step, forward_of(step), machine::read_machine("d1"), options);
  EXPECT_EQ(network.nodes, 354u);
  EXPECT_EQ(network.samples_per_node, 1);
  EXPECT_LT(network.persistent.bytes(), 16u * 1024);
}

TEST(Compile, refuses_what_cannot_fit_and_names_the_tensor) {
  const Graph step = lowering::sample::pilotnet(59 * 8);
  codegen::Options options;
  options.formats = lowering::FormatChoice::fp32;
  options.nodes = 59;  // eight samples' activations on one node
  options.spread = Spread::samples;
  try {
    codegen::compile(step, forward_of(step), machine::read_machine("d1"), options);
    FAIL() << "it fits";
  } catch (const UserError& error) {
    const std::string words = error.what();
    EXPECT_NE(words.find("bytes"), std::string::npos) << words;
    EXPECT_NE(words.find("SRAM"), std::string::npos) << words;
    EXPECT_NE(words.find("'conv1"), std::string::npos) << words;
  }
}

// The number in a refusal, by the word that follows it.
std::uint64_t number_before(const std::string& words, const std::string& what) {
  const std::size_t end = words.find(what);
  if (end == std::string::npos) return 0;
  std::size_t begin = end;
  while (begin > 0 && std::isdigit(static_cast<unsigned char>(words[begin - 1])) != 0) --begin;
  return std::stoull(words.substr(begin, end - begin));
}

// So many bytes more, and it fits; 64 bytes less than that, and it does not.
TEST(Compile, refuses_with_the_exact_number_of_bytes) {
  const Graph step = lowering::sample::mlp(12);
  machine::Machine small = machine::read_machine("d1");
  codegen::Options options;
  options.spread = Spread::samples;
  options.nodes = 1;
  small.node.sram_bytes = codegen::stack_bytes + 16 * 1024;
  std::uint64_t over = 0;
  try {
    codegen::compile(step, forward_of(step), small, options);
    FAIL() << "it fits";
  } catch (const UserError& error) {
    over = number_before(error.what(), " over");
  }
  ASSERT_GT(over, 0u);
  small.node.sram_bytes += over - 64;
  EXPECT_THROW(codegen::compile(step, forward_of(step), small, options), UserError);
  small.node.sram_bytes += 64;
  EXPECT_NO_THROW(codegen::compile(step, forward_of(step), small, options));
}

TEST(Compile, fits_in_cfloat8_what_bf16_cannot) {
  const Graph step = lowering::sample::pilotnet(59 * 3);  // three samples on each node
  const machine::Machine d1 = machine::read_machine("d1");
  codegen::Options options;
  options.spread = Spread::samples;
  options.nodes = 59;
  options.formats = lowering::FormatChoice::bf16;
  EXPECT_THROW(codegen::compile(step, forward_of(step), d1, options), UserError);
  options.formats = lowering::FormatChoice::cfloat8;
  EXPECT_EQ(codegen::compile(step, forward_of(step), d1, options).samples_per_node, 3);
}

TEST(Compile, gives_the_same_bytes_twice) {
  const Graph step = lowering::sample::mlp(12);
  const machine::Machine d1 = machine::read_machine("d1");
  codegen::Options options;
  options.nodes = 6;
  EXPECT_EQ(codegen::compile(step, forward_of(step), d1, options).sha256,
            compile(step, forward_of(step), d1, options).sha256);
}

}  // namespace
}  // namespace dojo::codegen
