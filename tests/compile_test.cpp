// Does the text of a file stay out of the code that is made from it, whatever its names hold?
#include "codegen/compile.h"

#include <gtest/gtest.h>

#include <cctype>
#include <functional>
#include <map>

#include "graph/fuse.h"
#include "graph/gradient.h"
#include "graph/optimizer.h"
#include "onnx/for_tests.h"
#include "onnx/import.h"

namespace dojo::codegen {
namespace {

using Rename = std::function<std::string(const std::string&)>;

onnx::Tensor filled(const std::string& name, std::vector<std::int64_t> dims, std::size_t count) {
  return onnx::make_tensor(name, std::move(dims), std::span<const float>(std::vector(count, 0.25f)));
}

// Two dense layers with a batch norm and a sum with a constant between; every name is what `as` makes of it.
onnx::Model model_with(const Rename& as) {
  const auto node = [&](const char* op, std::vector<std::string> in, const char* out) {
    for (std::string& name : in) name = as(name);
    return onnx::node(op, as(std::string(op) + out), in, {as(out)});
  };
  onnx::Node offset = node("Constant", {}, "offset");
  offset.attributes.resize(1);
  offset.attributes[0].name = "value";
  offset.attributes[0].type = onnx::AttributeType::tensor;
  offset.attributes[0].tensor = filled("", {1, 4}, 4);
  onnx::Model model = onnx::model_of(
      {6}, {offset, node("Gemm", {"x", "weight", "bias"}, "h"),
            node("BatchNormalization", {"h", "scale", "shift", "mean", "var"}, "n"), node("Relu", {"n"}, "r"),
            node("Add", {"r", "offset"}, "sum"), node("MatMul", {"sum", "head"}, "y")});
  model.graph.name = as("net");
  model.graph.inputs[0].name = as("x");
  model.graph.outputs[0].name = as("y");
  model.graph.outputs[0].shape->at(1).extent = 1;
  model.graph.initialisers = {filled(as("weight"), {6, 4}, 24), filled(as("head"), {4, 1}, 4)};
  for (const char* vector : {"bias", "scale", "shift", "mean", "var"})
    model.graph.initialisers.push_back(filled(as(vector), {4}, 4));
  return model;
}

graph::Graph step_of(const onnx::Model& model, bool training) {
  onnx::ImportOptions options;
  options.batch = 4;
  options.training = training;
  onnx::Network network = onnx::import_model(model, "names.onnx", options);
  network.graph.name = model.graph.name;
  if (training) {
    const onnx::Losses losses = onnx::add_losses(network);
    network.graph.outputs.push_back(losses.total);
    graph::differentiate(network.graph, losses.total);
    graph::add_optimizer(network.graph, graph::optimizer_named("adamw"));
  }
  graph::fuse(network.graph);
  return network.graph;
}

CompiledNetwork compiled(const Rename& as) {
  const onnx::Model model = model_with(as);
  Options options;
  options.nodes = 2;
  return compile(step_of(model, true), step_of(model, false), machine::read_machine("test6"), options);
}

// What may stand in an identifier, and a _ for everything else.
std::string as_identifier(std::string text) {
  for (char& c : text) c = std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
  return text;
}

TEST(Compile, keeps_names_out_of_the_code_whatever_they_hold) {
  constexpr const char* ends[] = {"\n#error from a name\n",
                                  "\r#error from a name\r",
                                  "\v\f#error\t",
                                  "*/ #error /*",
                                  "\\",
                                  "?\?/",
                                  "\"'`",
                                  "\x7f\x1b[2J\xe2\x80\xae"};
  const auto hostile = [&](std::string name) {
    for (const char* end : ends) name += end;
    return name + "\n\\";
  };
  const CompiledNetwork wanted =
      compiled([&](const std::string& name) { return as_identifier(hostile(name)); });
  const CompiledNetwork got = compiled(hostile);
  EXPECT_NE(got.train.source.find("\\x0a"), std::string::npos) << "names are no longer in comments";
  EXPECT_TRUE(got.train.elf == wanted.train.elf) << got.train.source;
  EXPECT_TRUE(got.predict.elf == wanted.predict.elf) << got.predict.source;
}

TEST(Compile, lets_names_be_what_the_code_calls_things_of_its_own) {
  // In the order of the buffers, which are numbered: a macro of clang's, a function and a place of ours.
  const std::map<std::string, std::string> names = {
      {"bias", "A"}, {"weight", "__GCC_HAVE_SYNC_COMPARE_AND_SWAP"}, {"head", "op"}, {"h", "scratch"}};
  const CompiledNetwork network = compiled([&](const std::string& name) {
    const auto found = names.find(name);
    return found == names.end() ? name : found->second;
  });
  EXPECT_FALSE(network.train.elf.empty());
}

}  // namespace
}  // namespace dojo::codegen
