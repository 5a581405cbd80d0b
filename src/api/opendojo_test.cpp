// Does the C ABI say what it promises: errors as statuses and sentences, states that stay, machines apart?
#include "api/opendojo.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "onnx/aten_for_tests.h"

namespace dojo::api {
namespace {

struct Given {
  std::vector<float> values;
  std::vector<std::int64_t> shape;
  opendojo_tensor tensor() {
    return {values.data(), shape.data(), static_cast<std::int32_t>(shape.size()), OPENDOJO_FLOAT32};
  }
};

opendojo_options options_of(const char* machine, std::uint32_t nodes) {
  return {sizeof(opendojo_options), machine, nullptr, nodes, 1};
}

opendojo_program* compiled(const onnx::Model& model, std::uint32_t nodes, const char* machine = "test6") {
  const std::string bytes = onnx::encode_model(model);
  const opendojo_options options = options_of(machine, nodes);
  opendojo_program* program = nullptr;
  opendojo_error error;
  EXPECT_EQ(opendojo_compile(bytes.data(), bytes.size(), &options, &program, &error), OPENDOJO_OK)
      << error.sentence;
  return program;
}

std::string refusal_of(const onnx::Model& model, opendojo_status status, const char* machine = "test6") {
  const std::string bytes = onnx::encode_model(model);
  const opendojo_options options = options_of(machine, 1);
  opendojo_program* program = nullptr;
  opendojo_error error;
  EXPECT_EQ(opendojo_compile(bytes.data(), bytes.size(), &options, &program, &error), status);
  EXPECT_EQ(program, nullptr);
  return error.sentence;
}

// One run of decaying_state(): the sum of x * s.
float run(opendojo_program* program, std::vector<float> x, float rate) {
  Given number{{rate}, {}}, vector{std::move(x), {4}}, total{{0}, {}};
  const opendojo_tensor inputs[] = {number.tensor(), vector.tensor()}, output = total.tensor();
  opendojo_error error;
  EXPECT_EQ(opendojo_run(program, inputs, 2, &output, 1, &error), OPENDOJO_OK) << error.sentence;
  return total.values[0];
}

std::vector<float> state_of(opendojo_program* program) {
  Given state{std::vector<float>(4), {4}};
  const opendojo_tensor tensor = state.tensor();
  opendojo_error error;
  EXPECT_EQ(opendojo_read_states(program, &tensor, 1, &error), OPENDOJO_OK) << error.sentence;
  return state.values;
}

void set_state(opendojo_program* program, std::vector<float> values) {
  Given state{std::move(values), {4}};
  const opendojo_tensor tensor = state.tensor();
  opendojo_error error;
  EXPECT_EQ(opendojo_write_states(program, &tensor, 1, &error), OPENDOJO_OK) << error.sentence;
}

TEST(CAbi, StatesStayInTheMachineFromRunToRun) {
  for (const std::uint32_t nodes : {1u, 4u}) {
    opendojo_program* program = compiled(onnx::decaying_state(), nodes);
    EXPECT_EQ(state_of(program), std::vector<float>({0, 0, 0, 0}));
    set_state(program, {1, 2, 3, 4});
    EXPECT_EQ(run(program, {1, 0, 2, 1}, 0.5f), 11);
    EXPECT_EQ(run(program, {1, 1, 1, 1}, 0.25f), 4.5f);
    EXPECT_EQ(state_of(program), std::vector<float>({0.375f, 1.5f, 0, 1.5f}));
    opendojo_costs costs;
    EXPECT_EQ(opendojo_report(program, &costs, nullptr), OPENDOJO_OK);
    EXPECT_EQ(costs.nodes, nodes);
    EXPECT_EQ(costs.runs, 2u);
    EXPECT_GT(costs.cycles, 0u);
    EXPECT_GT(costs.total_cycles, costs.cycles);
    opendojo_release(program);
  }
}

TEST(CAbi, TheInterpreterGivesWhatAMachineGivesAndHasNoCycles) {
  opendojo_program* program = compiled(onnx::decaying_state(), 0, "interpreter");
  set_state(program, {1, 2, 3, 4});
  EXPECT_EQ(run(program, {1, 0, 2, 1}, 0.5f), 11);
  EXPECT_EQ(run(program, {1, 1, 1, 1}, 0.25f), 4.5f);
  EXPECT_EQ(state_of(program), std::vector<float>({0.375f, 1.5f, 0, 1.5f}));
  opendojo_costs costs;
  EXPECT_EQ(opendojo_report(program, &costs, nullptr), OPENDOJO_OK);
  EXPECT_EQ(costs.nodes, 0u);
  EXPECT_EQ(costs.runs, 2u);
  EXPECT_EQ(costs.cycles, 0u);
  opendojo_release(program);
}

// 257 lies between 256 and 258, of which 256 is the even one; each of two sums is rounded by itself.
TEST(CAbi, EveryResultOfBfloat16IsRoundedOnce) {
  const auto value = [](const char* name) { return onnx::aten_value(name, {2}, onnx::DataType::bfloat16); };
  const onnx::Model model =
      onnx::aten_model({value("x")},
                       {onnx::aten_node("add.Tensor", {"x"}, {"one"}, {onnx::number("other", 1)}),
                        onnx::aten_node("add.Tensor", {"one"}, {"two"}, {onnx::number("other", 1)})},
                       {value("two")}, {value("one")});
  for (const char* machine : {"interpreter", "test6"}) {
    opendojo_program* program = compiled(model, 1, machine);
    std::uint16_t x[] = {0x4380, 0x3f80}, two[] = {0, 0};  // 256 and 1
    const std::int64_t shape[] = {2};
    const opendojo_tensor input{x, shape, 1, OPENDOJO_BFLOAT16}, output{two, shape, 1, OPENDOJO_BFLOAT16};
    opendojo_error error;
    EXPECT_EQ(opendojo_run(program, &input, 1, &output, 1, &error), OPENDOJO_OK) << error.sentence;
    EXPECT_EQ(two[0], 0x4380);
    EXPECT_EQ(two[1], 0x4040);
    opendojo_release(program);
  }
}

TEST(CAbi, TwoMachinesInOneProcessDoNotKnowOfEachOther) {
  opendojo_program* one = compiled(onnx::decaying_state(), 1);
  opendojo_program* other = compiled(onnx::decaying_state(), 2);
  set_state(one, {1, 1, 1, 1});
  set_state(other, {2, 2, 2, 2});
  const auto halve = [](opendojo_program* program) {
    for (int k = 0; k < 3; ++k) run(program, {1, 1, 1, 1}, 0.5f);
  };
  std::thread beside(halve, one);
  halve(other);
  beside.join();
  EXPECT_EQ(state_of(one), std::vector<float>(4, 0.125f));
  opendojo_release(one);
  EXPECT_EQ(state_of(other), std::vector<float>(4, 0.25f));
  opendojo_release(other);
}

// Long enough to be asked on the way whether it is to go on.
TEST(CAbi, AnInterruptedRunChangesNothingAndTheNextOneRuns) {
  const std::vector<std::int64_t> shape = {64, 1024};
  onnx::Model model = onnx::aten_model(
      {onnx::aten_value("s", shape), onnx::aten_value("x", shape)},
      {onnx::aten_node("add.Tensor", {"s", "x"}, {"sum"}), onnx::aten_node("erf.default", {"sum"}, {"next"}),
       onnx::aten_node("sum.default", {"x"}, {"total"})},
      {onnx::aten_value("total", {}), onnx::aten_value("next", shape)}, {onnx::aten_value("sum", shape)});
  model.metadata["opendojo.state.s"] = "next";
  opendojo_program* program = compiled(model, 1);
  Given ones{std::vector<float>(64 * 1024, 1), shape}, total{{0}, {}},
      state{std::vector<float>(64 * 1024), shape};
  const opendojo_tensor input = ones.tensor(), output = total.tensor(), resident = state.tensor();
  opendojo_error error;
  opendojo_interrupt(program);  // no run: nothing
  std::atomic<bool> ended = false;
  std::thread beside([&] {
    while (!ended) opendojo_interrupt(program);
  });
  EXPECT_EQ(opendojo_run(program, &input, 1, &output, 1, &error), OPENDOJO_INTERRUPTED);
  ended = true;
  beside.join();
  ASSERT_EQ(opendojo_read_states(program, &resident, 1, &error), OPENDOJO_OK) << error.sentence;
  EXPECT_EQ(state.values, std::vector<float>(64 * 1024, 0));
  ASSERT_EQ(opendojo_run(program, &input, 1, &output, 1, &error), OPENDOJO_OK) << error.sentence;
  ASSERT_EQ(opendojo_read_states(program, &resident, 1, &error), OPENDOJO_OK) << error.sentence;
  EXPECT_NEAR(state.values[7], 0.8427f, 1e-4f);
  EXPECT_EQ(total.values[0], 64 * 1024);
  opendojo_release(program);
}

TEST(CAbi, TensorsAreDescribedAndHeldToThat) {
  opendojo_program* program = compiled(onnx::decaying_state(), 1);
  EXPECT_EQ(opendojo_count(program, OPENDOJO_INPUT), 2u);
  EXPECT_EQ(opendojo_count(program, OPENDOJO_OUTPUT), 1u);
  EXPECT_EQ(opendojo_count(program, OPENDOJO_STATE), 1u);
  opendojo_description described;
  opendojo_error error;
  ASSERT_EQ(opendojo_describe(program, OPENDOJO_STATE, 0, &described, &error), OPENDOJO_OK);
  EXPECT_STREQ(described.name, "s");
  EXPECT_EQ(described.rank, 1);
  EXPECT_EQ(described.shape[0], 4);
  EXPECT_EQ(described.type, OPENDOJO_FLOAT32);
  EXPECT_EQ(described.replaced, 1);
  EXPECT_EQ(opendojo_describe(program, OPENDOJO_INPUT, 2, &described, &error), OPENDOJO_INVALID);

  Given number{{0.5f}, {}}, shorter{{1, 1, 1}, {3}}, total{{0}, {}};
  opendojo_tensor inputs[] = {number.tensor(), shorter.tensor()};
  const opendojo_tensor output = total.tensor();
  EXPECT_EQ(opendojo_run(program, inputs, 2, &output, 1, &error), OPENDOJO_INVALID);
  EXPECT_STREQ(error.sentence, "x: has the shape [3] where [4] is wanted");
  EXPECT_EQ(opendojo_run(program, inputs, 1, &output, 1, &error), OPENDOJO_INVALID);
  EXPECT_STREQ(error.sentence, "inputs: are 1 where 2 are wanted");
  inputs[0].type = OPENDOJO_INT64;
  EXPECT_EQ(opendojo_run(program, inputs, 2, &output, 1, &error), OPENDOJO_INVALID);
  EXPECT_STREQ(error.sentence, "rate: holds int64 where float32 is wanted");
  opendojo_release(program);
}

// x + 1 of four samples, turned, and its sum.
onnx::Model turned_and_summed() {
  onnx::Node plus = onnx::aten_node("add.Scalar", {"x"}, {"more"}, {onnx::number("other", 1)});
  onnx::Model model = onnx::aten_model({onnx::aten_value("x", {4, 3}), onnx::aten_value("counts", {4})},
                                       {plus, onnx::aten_node("t.default", {"more"}, {"turned"}),
                                        onnx::aten_node("sum.default", {"more"}, {"total"})},
                                       {onnx::aten_value("turned", {3, 4}), onnx::aten_value("total", {})},
                                       {onnx::aten_value("more", {4, 3})});
  model.metadata["opendojo.samples"] = "x,counts:0:1:1";
  return model;
}

TEST(CAbi, SaysWhereSamplesLie) {
  opendojo_program* program = compiled(turned_and_summed(), 2);
  const auto place = [&](opendojo_kind kind, std::size_t index) {
    opendojo_description described;
    EXPECT_EQ(opendojo_describe(program, kind, index, &described, nullptr), OPENDOJO_OK);
    return described.samples_dimension;
  };
  EXPECT_EQ(place(OPENDOJO_INPUT, 0), 0);
  EXPECT_EQ(place(OPENDOJO_OUTPUT, 0), 1);
  EXPECT_EQ(place(OPENDOJO_OUTPUT, 1), -1);
  opendojo_release(program);
}

TEST(CAbi, LeavesSamplesOut) {
  onnx::Model model = turned_and_summed();
  model.metadata["opendojo.valid"] = "counts";
  opendojo_program* program = compiled(model, 2);
  Given x{{1, 2, 3, 4, 5, 6, 0, 0, 0, 0, 0, 0}, {4, 3}}, counts{{1, 1, 0, 0}, {4}};
  Given turned{std::vector<float>(12), {3, 4}}, total{{0}, {}};
  const opendojo_tensor inputs[] = {x.tensor(), counts.tensor()},
                        outputs[] = {turned.tensor(), total.tensor()};
  opendojo_error error;
  ASSERT_EQ(opendojo_run(program, inputs, 2, outputs, 2, &error), OPENDOJO_OK) << error.sentence;
  EXPECT_EQ(total.values[0], 27);
  EXPECT_EQ(turned.values[5], 6);
  opendojo_release(program);
  model.metadata["opendojo.samples"] = "x:1:1:3,counts";
  EXPECT_EQ(refusal_of(model, OPENDOJO_INVALID), "x: holds 1 samples where others hold 4");
  model.metadata["opendojo.samples"] = "x:a:1:3,counts";
  EXPECT_EQ(refusal_of(model, OPENDOJO_INVALID),
            "tested: 'x:a:1:3' in metadata 'opendojo.samples' is no place of samples");
  model.metadata["opendojo.samples"] = "x";
  EXPECT_EQ(refusal_of(model, OPENDOJO_INVALID),
            "tested: metadata 'opendojo.valid' names 'counts', which holds no samples");
}

TEST(CAbi, WholeNumbersAreExactOrRefused) {
  const onnx::DataType whole = onnx::DataType::int64;
  const onnx::Model model =
      onnx::aten_model({onnx::aten_value("i", {2}, whole)}, {onnx::aten_node("neg.default", {"i"}, {"o"})},
                       {onnx::aten_value("o", {2}, whole)});
  opendojo_program* program = compiled(model, 1);
  const std::int64_t shape[] = {2};
  std::int64_t in[] = {1 << 23, -7}, out[] = {0, 0};
  opendojo_tensor given = {in, shape, 1, OPENDOJO_INT64}, taken = {out, shape, 1, OPENDOJO_INT64};
  opendojo_error error;
  ASSERT_EQ(opendojo_run(program, &given, 1, &taken, 1, &error), OPENDOJO_OK) << error.sentence;
  EXPECT_EQ(out[0], -(1 << 23));
  EXPECT_EQ(out[1], 7);
  in[0] = (1 << 23) + 2;
  EXPECT_EQ(opendojo_run(program, &given, 1, &taken, 1, &error), OPENDOJO_INVALID);
  EXPECT_STREQ(error.sentence, "i: holds 8388610; whole numbers are taken up to 2^23");
  opendojo_release(program);
}

TEST(CAbi, RefusalsSayOpModuleAndLine) {
  onnx::Model model = onnx::decaying_state();
  model.graph.nodes[0].op = "fft_fft.default";
  model.graph.nodes[0].metadata = {{"module", "fc1"}, {"line", "model.py:3"}};
  const std::string bytes = onnx::encode_model(model);
  opendojo_program* program = nullptr;
  opendojo_error error;
  EXPECT_EQ(opendojo_compile(bytes.data(), bytes.size(), nullptr, &program, &error), OPENDOJO_UNSUPPORTED);
  EXPECT_STREQ(error.op, "fft_fft.default");
  EXPECT_STREQ(error.module, "fc1");
  EXPECT_STREQ(error.line, "model.py:3");
  EXPECT_EQ(opendojo_compile(bytes.data(), bytes.size(), nullptr, &program, nullptr), OPENDOJO_UNSUPPORTED);
}

TEST(CAbi, WhatMakesNoSenseIsRefused) {
  opendojo_error error;
  opendojo_program* program = nullptr;
  EXPECT_EQ(opendojo_compile(nullptr, 0, nullptr, &program, &error), OPENDOJO_INVALID);
  EXPECT_EQ(opendojo_compile("abc", 3, nullptr, &program, &error), OPENDOJO_INVALID);
  EXPECT_NE(error.sentence[0], 0);
  EXPECT_EQ(opendojo_run(nullptr, nullptr, 0, nullptr, 0, &error), OPENDOJO_INVALID);
  EXPECT_STREQ(error.sentence, "program: is NULL");
  EXPECT_EQ(opendojo_count(nullptr, OPENDOJO_INPUT), 0u);
  opendojo_release(nullptr);
  opendojo_interrupt(nullptr);
  opendojo_options options = options_of("test6", 1);
  options.size = 3;
  const std::string bytes = onnx::encode_model(onnx::decaying_state());
  EXPECT_EQ(opendojo_compile(bytes.data(), bytes.size(), &options, &program, &error), OPENDOJO_INVALID);
  EXPECT_NE(refusal_of(onnx::decaying_state(), OPENDOJO_INVALID, "no_such_machine"), "");
  options = options_of("test6", 400);
  EXPECT_EQ(opendojo_compile(bytes.data(), bytes.size(), &options, &program, &error), OPENDOJO_INVALID);
}

TEST(CAbi, ASentenceThatIsTooLongIsCutBetweenCharacters) {
  onnx::Model model = onnx::decaying_state();
  model.graph.nodes[0].op = "fft_fft.default";
  for (int k = 0; k < 600; ++k) model.graph.nodes[0].metadata["module"] += "\xc3\xa4";  // two bytes each
  const std::string bytes = onnx::encode_model(model);
  opendojo_program* program = nullptr;
  opendojo_error error;
  EXPECT_EQ(opendojo_compile(bytes.data(), bytes.size(), nullptr, &program, &error), OPENDOJO_UNSUPPORTED);
  const std::string module = error.module;
  EXPECT_EQ(module.size() % 2, 1u);  // whole characters, and three dots
  EXPECT_TRUE(module.ends_with("\xa4..."));
}

TEST(CAbi, TheOperatorsAreListed) {
  const std::string names = opendojo_operators();
  EXPECT_NE(names.find("\nadd.Tensor\n"), std::string::npos);
  EXPECT_EQ(opendojo_abi(), static_cast<std::uint32_t>(OPENDOJO_ABI));
}

}  // namespace
}  // namespace dojo::api
