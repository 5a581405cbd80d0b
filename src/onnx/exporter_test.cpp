// What PyTorch 2.13's default exporter does to networks in training, in small files that look like its own.
#include "onnx/exporter.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "onnx/for_tests.h"
#include "onnx/import.h"
#include "onnx/preprocessing.h"

namespace dojo::onnx {
namespace {

std::vector<std::string> parameters(const Model& model) {
  const Network network = import_model(model, "m", {.batch = 2});
  std::vector<std::string> names;
  for (const graph::Tensor& tensor : network.graph.tensors)
    if (tensor.role == graph::Role::parameter) names.push_back(tensor.name);
  return names;
}

Tensor vector_of(std::string name, float value) {
  return make_tensor(std::move(name), {4}, std::vector<float>(4, value));
}

// Two layer norms of one width, fresh: one scale and one shift for both.
Model merged_norms() {
  Model model = model_of({4}, {node("LayerNormalization", "norm1", {"x", "n.weight", "n.bias"}, {"a"}),
                               node("MatMul", "product", {"a", "w"}, {"b"}),
                               node("LayerNormalization", "norm2", {"b", "n.weight", "n.bias"}, {"y"})});
  model.graph.initialisers = {vector_of("n.weight", 1), vector_of("n.bias", 0),
                              make_tensor("w", {4, 4}, std::vector<float>(16, 0.5f))};
  return model;
}

TEST(OnnxExporter, FindsTheVectorThatSeveralNormsRead) {
  const std::vector<SharedVector> shared = shared_vectors(merged_norms());
  ASSERT_EQ(shared.size(), 2u);
  EXPECT_EQ(shared[0].name, "n.weight");
  EXPECT_EQ(shared[0].readers, (std::vector<std::string>{"norm1", "norm2"}));
  EXPECT_EQ(shared[1].name, "n.bias");
}

TEST(OnnxExporter, UntiedEveryNormHasItsOwn) {
  const Model model = merged_norms(), own = untied(model);
  EXPECT_EQ(parameters(model).size(), 3u);
  EXPECT_EQ(parameters(own), (std::vector<std::string>{"n.weight", "n.bias", "w", "norm2.1", "norm2.2"}));
  EXPECT_TRUE(shared_vectors(own).empty());
  EXPECT_EQ(encode_model(untied(own)), encode_model(own));
}

TEST(OnnxExporter, AMatrixThatIsReadTwiceIsTiedOnPurpose) {
  Model model =
      model_of({4}, {node("MatMul", "p", {"x", "w"}, {"a"}), node("MatMul", "q", {"a", "w"}, {"y"})});
  model.graph.initialisers = {make_tensor("w", {4, 4}, std::vector<float>(16, 0.5f))};
  EXPECT_TRUE(shared_vectors(model).empty());
  EXPECT_EQ(encode_model(untied(model)), encode_model(model));
}

// A learnable fusion, w[0] * x + w[1] * x: each reads a number of its own.
TEST(OnnxExporter, AVectorThatIsReadInPartsIsNotShared) {
  Model model =
      model_of({4}, {node("Gather", "first", {"w", "zero"}, {"a"}),
                     node("Gather", "second", {"w", "one"}, {"b"}), node("Mul", "p", {"x", "a"}, {"c"}),
                     node("Mul", "q", {"x", "b"}, {"d"}), node("Add", "sum", {"c", "d"}, {"y"})});
  model.graph.initialisers = {make_tensor("w", {2}, std::vector<float>{0.6f, 0.4f}),
                              make_tensor("zero", {}, std::vector<std::int64_t>{0}),
                              make_tensor("one", {}, std::vector<std::int64_t>{1})};
  EXPECT_TRUE(shared_vectors(model).empty());
  EXPECT_EQ(encode_model(untied(model)), encode_model(model));
}

// A fresh batch norm's variance is its scale and its mean is its shift.
TEST(OnnxExporter, UntiedStatisticsOfABatchNormAreNotItsParameters) {
  Model model = model_of({4}, {node("BatchNormalization", "norm", {"x", "one", "zero", "zero", "one"}, {"n"}),
                               node("MatMul", "product", {"n", "w"}, {"y"})});
  model.graph.initialisers = {vector_of("one", 1), vector_of("zero", 0),
                              make_tensor("w", {4, 4}, std::vector<float>(16, 0.5f))};
  EXPECT_EQ(
      message_of([&] { import_model(model, "m", {}); }),
      "m: node 'norm' (BatchNormalization): 'zero' is its statistics and read elsewhere, too, as exporters "
      "leave it that write equal initialisers once; untie them (unsupported)");
  EXPECT_EQ(parameters(untied(model)), (std::vector<std::string>{"one", "zero", "w"}));
}

TEST(OnnxExporter, SeesThatABatchNormWasComputedIntoTheConvolution) {
  Model model = model_of({4}, {node("Gemm", "node_Gemm_7", {"x", "w"}, {"getitem_3"}),
                               node("Gemm", "node_linear", {"getitem_3", "w"}, {"y"})});
  EXPECT_TRUE(folded_norms(model).empty()) << "another producer's names mean nothing";
  model.producer = "pytorch";
  EXPECT_EQ(folded_norms(model), std::vector<std::string>{"node_Gemm_7"});
  model.graph.nodes[0].outputs[0] = model.graph.nodes[1].inputs[0] = "linear";
  EXPECT_TRUE(folded_norms(model).empty()) << "a convolution without a bias is named anew, too";
}

TEST(OnnxExporter, DoesNotTrainWhatItMadeUpForAGroupNorm) {
  Model model = model_of({2, 2}, {node("InstanceNormalization", "n", {"x", "val_1", "val_2"}, {"a"}),
                                  node("Mul", "scale", {"a", "g.weight"}, {"y"})});
  const std::vector<float> two(2, 1.0f);
  model.graph.initialisers = {make_tensor("val_1", {2}, two), make_tensor("val_2", {2}, two),
                              make_tensor("g.weight", {2, 1}, two)};
  EXPECT_EQ(parameters(model).size(), 3u);
  model.producer = "pytorch";
  EXPECT_EQ(parameters(model), std::vector<std::string>{"g.weight"});
}

// --- What only prepares the input ---

Model prepared(std::vector<Node> nodes) {
  nodes.push_back(node("MatMul", "product", {"p", "w"}, {"y"}));
  Model model = model_of({4}, std::move(nodes));
  model.graph.initialisers = {vector_of("mean", 0.5f), vector_of("deviation", 2),
                              make_tensor("w", {4, 4}, std::vector<float>(16, 0.5f))};
  return model;
}

TEST(OnnxPreprocessing, MeanAndDeviationAheadOfTheFirstWeightAreNotTrained) {
  Model model =
      prepared({node("Sub", "s", {"x", "mean"}, {"d"}), node("Div", "t", {"d", "deviation"}, {"p"})});
  EXPECT_EQ(parameters(model), std::vector<std::string>{"w"});
  const Network network = import_model(model, "m", {.batch = 2});
  EXPECT_EQ(network.frozen, (std::map<std::string, Frozen>{{"deviation", Frozen::prepares_input},
                                                           {"mean", Frozen::prepares_input}}));
  model.metadata["opendojo.trained"] = "mean, deviation";
  EXPECT_EQ(parameters(model), (std::vector<std::string>{"mean", "deviation", "w"}));
}

// Most are constants of a formula; a learnable one is trained when the metadata says so.
TEST(OnnxImport, NumbersOfNoDimensionsAreToldAndTrainedWhenAsked) {
  Model model =
      model_of({4}, {node("MatMul", "product", {"x", "w"}, {"a"}), node("Mul", "half", {"a", "val_3"}, {"b"}),
                     node("Mul", "scaled", {"b", "scale"}, {"y"})});
  model.producer = "pytorch";
  model.graph.initialisers = {make_tensor("w", {4, 4}, std::vector<float>(16, 0.5f)),
                              make_tensor("val_3", {}, std::vector<float>{0.5f}),
                              make_tensor("scale", {}, std::vector<float>{2})};
  EXPECT_EQ(parameters(model), std::vector<std::string>{"w"});
  EXPECT_EQ(import_model(model, "m", {.batch = 2}).frozen,
            (std::map<std::string, Frozen>{{"scale", Frozen::no_dimensions}}));
  model.metadata["opendojo.trained"] = "scale";
  EXPECT_EQ(parameters(model), (std::vector<std::string>{"w", "scale"}));
  EXPECT_TRUE(import_model(model, "m", {.batch = 2}).frozen.empty());
  model.graph.initialisers.push_back(make_tensor("idle", {}, std::vector<float>{2}));
  model.metadata["opendojo.trained"] = "idle";
  EXPECT_EQ(message_of([&] { import_model(model, "m", {}); }),
            "m: metadata 'opendojo.trained' names 'idle', which nothing reads as numbers to compute with");
}

TEST(OnnxPreprocessing, ReachesThroughWhatIsComputedFromInitialisers) {
  const Model model =
      prepared({node("Div", "inverse", {"mean", "deviation"}, {"r"}), node("Mul", "t", {"x", "r"}, {"p"})});
  EXPECT_EQ(parameters(model), std::vector<std::string>{"w"});
}

TEST(OnnxPreprocessing, WhatIsReadBehindTheFirstWeightIsTrained) {
  Model model = prepared({node("Mul", "s", {"x", "mean"}, {"p"})});
  model.graph.nodes.push_back(node("Add", "shift", {"y", "mean"}, {"z"}));
  model.graph.nodes.push_back(node("Mul", "scale", {"z", "deviation"}, {"out"}));
  model.graph.outputs[0].name = "out";
  EXPECT_EQ(parameters(model), (std::vector<std::string>{"mean", "w", "deviation"}));
}

TEST(OnnxPreprocessing, ANetworkThatIsNothingButScalesTrainsThem) {
  Model model = model_of({4}, {node("Mul", "s", {"x", "mean"}, {"y"})});
  model.graph.initialisers = {vector_of("mean", 0.5f)};
  EXPECT_EQ(parameters(model), std::vector<std::string>{"mean"});
}

TEST(OnnxPreprocessing, ABatchNormAheadOfTheFirstWeightIsTrained) {
  Model model = prepared({node("BatchNormalization", "n", {"x", "deviation", "mean", "m", "v"}, {"p"})});
  model.graph.initialisers.push_back(vector_of("m", 0));
  model.graph.initialisers.push_back(vector_of("v", 1));
  EXPECT_EQ(parameters(model), (std::vector<std::string>{"deviation", "mean", "w"}));
}

// --- Metadata ---

TEST(OnnxMetadata, MisspeltKeysAndNamesAreRefused) {
  const auto refusal = [](std::string key, std::string value) {
    Model model = prepared({node("Mul", "s", {"x", "mean"}, {"p"})});
    model.metadata[std::move(key)] = std::move(value);
    return message_of([&] { import_model(model, "m", {}); });
  };
  EXPECT_EQ(
      refusal("opendojo.los.y", "mae"),
      "m: unknown metadata 'opendojo.los.y'; known are opendojo.frozen, opendojo.trained and, with the name "
      "of an output behind it, opendojo.loss., opendojo.weight., opendojo.label. and opendojo.range.");
  EXPECT_EQ(refusal("opendojo.loss.z", "mae"),
            "m: metadata 'opendojo.loss.z': the network has no output 'z', it has y");
  EXPECT_EQ(refusal("opendojo.frozen", "w,men"),
            "m: metadata 'opendojo.frozen' names 'men', which is no initialiser of the network");
  EXPECT_EQ(refusal("opendojo.range.y", "2:1"),
            "m: metadata 'opendojo.range.y' = '2:1' is no range low:high");
  EXPECT_EQ(refusal("author", "somebody"), "no error");
  Model both = prepared({node("Mul", "s", {"x", "mean"}, {"p"})});
  both.metadata = {{"opendojo.frozen", "w"}, {"opendojo.trained", "mean,w"}};
  EXPECT_EQ(message_of([&] { import_model(both, "m", {}); }),
            "m: metadata says of 'w' both frozen and trained");
}

}  // namespace
}  // namespace dojo::onnx
