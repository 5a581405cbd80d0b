#include "onnx/file.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <functional>

#include "base/error.h"
#include "base/file.h"
#include "base/random.h"
#include "base/temporary_folder.h"
#include "graph/gradient.h"
#include "graph/interpreter.h"
#include "onnx/export.h"
#include "onnx/for_tests.h"
#include "onnx/import.h"

namespace dojo::onnx {
namespace {

namespace fs = std::filesystem;
const fs::path models = fs::path(DOJO_SOURCE_DIR) / "models";

// --- A network in five lines: y = relu(x w + b) ---

Model small_model() {
  Model model;
  model.ir_version = 8;
  model.opsets[""] = 17;
  const std::vector<float> weight = {1, 2, 3, -4, -5, -6}, bias = {0.5f, 0.25f};
  model.graph.nodes = {node("MatMul", "product", {"x", "w"}, {"xw"}),
                       node("Add", "shift", {"xw", "b"}, {"z"}), node("Relu", "bend", {"z"}, {"y"})};
  model.graph.initialisers = {make_tensor("w", {3, 2}, weight), make_tensor("b", {2}, bias)};
  model.graph.inputs = {value("x", {Dimension{{}, "N"}, Dimension{3, ""}})};
  model.graph.outputs = {value("y", {Dimension{{}, "N"}, Dimension{2, ""}})};
  return model;
}

TEST(OnnxFile, ReadsBackWhatItWrote) {
  for (const char* name : {"pilotnet.onnx", "resnet_small.onnx", "two_heads.onnx"}) {
    const Model model = read_model(models / name);
    const std::string bytes = encode_model(model);
    EXPECT_EQ(encode_model(parse_model(bytes, "copy")), bytes) << name;
    EXPECT_EQ(bytes.size(), fs::file_size(models / name))
        << name << ": another writer of the same format agrees in size";
  }
}

bool has_tensor(const Node& node) {
  return std::ranges::any_of(node.attributes,
                             [](const Attribute& a) { return a.type == AttributeType::tensor; });
}

TEST(OnnxFile, LosesNothingOfFilesThatOthersWrote) {
  const fs::path folder = "/usr/share/libonnx-testdata/data/node";
  ASSERT_TRUE(fs::exists(folder)) << "install libonnx-testdata";
  std::size_t files = 0;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const Model model = read_model(entry.path() / "model.onnx");
    const std::string once = encode_model(model), twice = encode_model(parse_model(once, "copy"));
    ASSERT_EQ(once, twice) << entry.path();
    // The same fields in another order. Typed tensor data may take another form, and empty strings go
    // unwritten.
    const bool has_tensors =
        !model.graph.initialisers.empty() || std::ranges::any_of(model.graph.nodes, has_tensor);
    if (has_tensors) continue;
    const auto size = static_cast<double>(fs::file_size(entry.path() / "model.onnx"));
    ASSERT_NEAR(static_cast<double>(once.size()), size, 8 + size / 50) << entry.path();
    ++files;
  }
  EXPECT_GT(files, 700u);
}

TEST(OnnxFile, AFileCutOffAtAnyByteIsRefusedWithFileAndByte) {
  Model model = small_model();
  model.metadata["opendojo.loss.y"] = "mae";
  const std::string bytes = encode_model(model);
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    const std::string message =
        message_of([&] { parse_model(std::string_view(bytes).substr(0, length), "cut.onnx"); });
    ASSERT_TRUE(message.starts_with(length == 0 ? "cut.onnx: is empty" : "cut.onnx: byte "))
        << length << ": " << message;
  }
  const std::string pilotnet = read_text(models / "pilotnet.onnx");
  for (std::size_t length = 0; length < pilotnet.size(); length += 997) {
    const std::string message =
        message_of([&] { parse_model(std::string_view(pilotnet).substr(0, length), "cut.onnx"); });
    ASSERT_TRUE(message.starts_with("cut.onnx: ")) << length << ": " << message;
  }
}

TEST(OnnxFile, AChangedByteIsReadOrRefusedAndNothingElse) {
  const std::string bytes = encode_model(small_model());
  Random random(5);
  std::size_t refused = 0;
  for (std::size_t at = 0; at < bytes.size(); ++at)
    for (int trial = 0; trial < 8; ++trial) {
      std::string changed = bytes;
      changed[at] = static_cast<char>(random.bits());
      try {
        import_model(parse_model(changed, "changed.onnx"), "changed.onnx", {});
      } catch (const UserError&) {
        ++refused;
      }
    }
  EXPECT_GT(refused, bytes.size());
}

TEST(OnnxFile, TensorsKeptOutsideAreReadFromTheModelsFolderOnly) {
  const TemporaryFolder own("dojo-onnx-test");
  const fs::path& folder = own.path();
  const float weights[] = {9, 8, 7, 6, 5, 4, 3, 2};
  write_text(folder / "weights.bin", {reinterpret_cast<const char*>(weights), sizeof weights});
  const auto with_place = [&](const std::string& location, const std::string& offset) {
    Model model = small_model();
    Tensor& w = model.graph.initialisers[0];
    const auto entry = [](const std::string& key, const std::string& text) {
      const std::string inner = std::string{'\x0a', static_cast<char>(key.size())} + key +
                                std::string{'\x12', static_cast<char>(text.size())} + text;
      return std::string{'\x6a', static_cast<char>(inner.size())} + inner;  // field 13, counted
    };
    w.other = entry("location", location) + entry("offset", offset) + entry("length", "24") +
              "\x70\x01";  // field 14 = 1
    return encode_model(model);
  };
  const Model read = parse_model(with_place("weights.bin", "4"), "m.onnx", folder);
  EXPECT_EQ(to_floats(read.graph.initialisers[0], ""), (std::vector<float>{8, 7, 6, 5, 4, 3}));
  EXPECT_EQ(message_of([&] { parse_model(with_place("weights.bin", "12"), "m.onnx", folder); }),
            "m.onnx: tensor 'w' ends beyond the end of 'weights.bin'");
  EXPECT_EQ(message_of([&] { parse_model(with_place("../weights.bin", "4"), "m.onnx", folder); }),
            "m.onnx: tensor 'w' keeps its data in '../weights.bin', outside the model's folder");
}

TEST(OnnxImport, GivesTheNetworksOutputs) {
  ImportOptions options;
  options.batch = 2;
  const Network network = import_model(small_model(), "small.onnx", options);
  graph::Interpreter interpreter(network.graph);
  const std::vector<float> x = {1, 1, 1, -1, 0, 2};
  interpreter.set(network.inputs[0].tensor, x);
  interpreter.run();
  // Row 0: (1 + 3 - 5, 2 - 4 - 6); row 1: (-1 - 10, -2 - 12), plus the bias.
  EXPECT_EQ(interpreter.value(network.outputs[0].tensor), (std::vector<float>{0, 0, 0, 0}));
  interpreter.set(network.inputs[0].tensor, std::vector<float>{-1, -1, -1, 1, 0, -2});
  interpreter.run();
  EXPECT_EQ(interpreter.value(network.outputs[0].tensor), (std::vector<float>{1.5f, 8.25f, 11.5f, 14.25f}));
}

TEST(OnnxImport, RefusesWithNodeAndOperator) {
  const auto refusal = [](auto change) {
    Model model = small_model();
    change(model);
    return message_of([&] { import_model(model, "m.onnx", {}); });
  };
  EXPECT_EQ(refusal([](Model& m) { m.graph.nodes[2].op = "Foo"; }),
            "m.onnx: op 'Foo' of node 'bend' (unsupported)");
  EXPECT_EQ(refusal([](Model& m) { m.graph.nodes[2].domain = "com.microsoft"; }),
            "m.onnx: op 'com.microsoft.Relu' of node 'bend' (unsupported)");
  EXPECT_EQ(refusal([](Model& m) { m.graph.nodes[1].inputs[0] = "nowhere"; }),
            "m.onnx: node 'shift' (Add): reads 'nowhere', which nothing before it makes");
  EXPECT_EQ(refusal([](Model& m) {
              m.graph.nodes[2].attributes.resize(1);
              m.graph.nodes[2].attributes[0].name = "slope";
            }),
            "m.onnx: node 'bend' (Relu): attribute 'slope' (unsupported)");
  EXPECT_EQ(refusal([](Model& m) { m.graph.nodes[2].op = "Dropout"; }),
            "m.onnx: node 'bend' (Dropout): ratio 0.5 in training; exported after eval() and with "
            "optimize=False the "
            "network has no dropout, and its batch norms train all the same (not yet implemented)");
  EXPECT_EQ(refusal([](Model& m) { m.opsets[""] = 99; }),
            "m.onnx: operator set 99; 1 to 28 are known (unsupported)");
  EXPECT_EQ(refusal([](Model& m) { m.graph.outputs[0].name = "other"; }),
            "m.onnx: nothing makes the output 'other'");
  EXPECT_EQ(refusal([](Model& m) { m.metadata["opendojo.loss.y"] = "least"; }),
            "m.onnx: metadata 'opendojo.loss.y' = 'least' is none of mse, mae, huber, binary_cross_entropy, "
            "binary_cross_entropy_with_logits, cross_entropy");
  EXPECT_EQ(refusal([](Model& m) { (*m.graph.inputs[0].shape)[1] = Dimension{{}, "width"}; }),
            "m.onnx: input 'x': dimension 1 ('width') is not fixed; only the batch may vary (unsupported)");
  EXPECT_TRUE(refusal([](Model& m) {
                m.graph.initialisers[0].dims = {2, 3};
              }).starts_with("m.onnx: node 'product' (MatMul): "));
}

TEST(OnnxImport, TakesLossesFromTheMetadata) {
  Network network = import_model(read_model(models / "two_heads.onnx"), "two_heads.onnx", {.batch = 3});
  ASSERT_EQ(network.outputs.size(), 2u);
  EXPECT_EQ(network.outputs[0].name, "angle");
  EXPECT_EQ(network.outputs[1].loss.kind->key, "mae");
  EXPECT_EQ(network.outputs[1].loss.weight, 0.5f);
  const Losses losses = add_losses(network);
  graph::Interpreter interpreter(network.graph);
  interpreter.set(network.inputs[0].tensor, std::vector<float>(3 * 3 * 66 * 200, 0.1f));
  for (const graph::TensorId label : losses.labels) interpreter.set(label, std::vector<float>{0, 1, -1});
  interpreter.run();
  const float angle = interpreter.value(losses.each[0])[0], throttle = interpreter.value(losses.each[1])[0];
  EXPECT_FLOAT_EQ(interpreter.value(losses.total)[0], angle + 0.5f * throttle);
  const auto& predicted = interpreter.value(network.outputs[1].tensor);
  EXPECT_NEAR(throttle,
              (std::fabs(predicted[0]) + std::fabs(predicted[1] - 1) + std::fabs(predicted[2] + 1)) / 3,
              1e-6);
}

TEST(OnnxImport, EveryModelHereHasItsParametersAndTrains) {
  const std::map<std::string, std::int64_t> parameters = {
      {"pilotnet.onnx", 252219}, {"two_heads.onnx", 207254}, {"resnet_small.onnx", 77457}};
  for (const auto& [name, expected] : parameters) {
    Network network = import_model(read_model(models / name), name, {.batch = 2});
    std::int64_t count = 0, trained = 0;
    for (const graph::Tensor& tensor : network.graph.tensors)
      if (tensor.role == graph::Role::parameter) count += graph::element_count(tensor.shape), ++trained;
    EXPECT_EQ(count, expected) << name;
    differentiate(network.graph, add_losses(network).total);
    EXPECT_EQ(static_cast<std::int64_t>(network.graph.gradient.size()), trained) << name;
    validate(network.graph);
  }
}

TEST(OnnxImport, DrawsNewWeightsFromTheSeedWhenAsked) {
  const Model model = read_model(models / "resnet_small.onnx");
  const auto drawn = [&](std::uint64_t seed) {
    return initial_values(import_model(model, "m", {.initialise = true, .seed = seed}));
  };
  const auto file = initial_values(import_model(model, "m", {})), first = drawn(1);
  EXPECT_EQ(first, drawn(1));
  EXPECT_NE(first, drawn(2));
  EXPECT_NE(first, file);
  const auto& weight = first.at("block1.conv1.weight");  // 16 channels of 3 x 3: fan-in 144
  const float bound = std::sqrt(6.0f / 144);
  float largest = 0;
  for (const float w : weight) largest = std::max(largest, std::fabs(w));
  EXPECT_LE(largest, bound);
  EXPECT_GT(largest, 0.99f * bound);
  EXPECT_EQ(first.at("stem.bn.weight"), std::vector<float>(16, 1.0f));
}

// PyTorch's exporter writes equal initial values once: two fresh batch norms then share all four vectors, and
// three of the second's come through an Identity.
TEST(OnnxImport, GivesEveryIdentityOfAnInitialiserAValueOfItsOwn) {
  Model model = small_model();
  const std::vector<float> ones = {1, 1}, zeros = {0, 0};
  for (const char* name : {"scale", "variance"})
    model.graph.initialisers.push_back(make_tensor(name, {2}, ones));
  for (const char* name : {"shift", "average"})
    model.graph.initialisers.push_back(make_tensor(name, {2}, zeros));
  model.graph.nodes[2] =
      node("BatchNormalization", "norm1", {"z", "scale", "shift", "average", "variance"}, {"n"});
  for (const char* name : {"scale", "shift", "average", "variance"})
    model.graph.nodes.push_back(
        node("Identity", std::string("copy_") + name, {name}, {std::string(name) + "2"}));
  model.graph.nodes.push_back(
      node("BatchNormalization", "norm2", {"n", "scale2", "shift2", "average2", "variance2"}, {"y"}));
  Network network = import_model(model, "m", {.batch = 3});
  EXPECT_EQ(network.graph.update.size(), 4u);
  differentiate(network.graph, add_losses(network).total);
  EXPECT_EQ(network.graph.gradient.size(), 6u);

  auto values = initial_values(network);
  values.at("average2") = {3, 4};
  const Model written = parse_model(encode_model(with_values(model, values)), "copy");
  EXPECT_EQ(written.graph.nodes.size(), model.graph.nodes.size() - 4);
  EXPECT_EQ(initial_values(import_model(written, "copy", {.batch = 3})), values);
  model.graph.nodes.back().inputs[3] = "average";
  EXPECT_EQ(message_of([&] { import_model(model, "m", {.batch = 3}); }),
            "m: node 'norm2' (BatchNormalization): 'average' is its statistics and read elsewhere, too, as "
            "exporters "
            "leave it that write equal initialisers once; untie them (unsupported)");
}

// The loss is the cross entropy of the scores, whether the file ends in them or in a softmax of them.
TEST(OnnxImport, ScoresOfMoreThanTwoClassesLearnByCrossEntropyBeforeTheirSoftmax) {
  Model model = small_model();
  model.graph.initialisers = {make_tensor("w", {3, 3}, std::vector<float>{1, 2, 3, -4, -5, -6, 0, 1, 0}),
                              make_tensor("b", {3}, std::vector<float>{0.5f, 0.25f, 0})};
  std::vector<float> losses;
  for (const char* end : {"Identity", "Softmax", "LogSoftmax"}) {
    model.graph.nodes[2] = node(end, "end", {"z"}, {"y"});
    Network network = import_model(model, "m", {.batch = 2});
    EXPECT_EQ(network.outputs[0].loss.kind->key, "cross_entropy");
    const Losses made = add_losses(network);
    graph::Interpreter interpreter(network.graph);
    interpreter.set(network.inputs[0].tensor, std::vector<float>{0.1f, 0.2f, 0.3f, -0.3f, 0.1f, 0.5f});
    interpreter.set(made.labels[0], std::vector<float>{2, 0});
    interpreter.run();
    losses.push_back(interpreter.value(made.total)[0]);
  }
  // Scores (-0.2, -0.25, -0.9) and (-0.2, -0.35, -1.5), by hand.
  const double first = 0.9 + std::log(std::exp(-0.2) + std::exp(-0.25) + std::exp(-0.9));
  const double second = 0.2 + std::log(std::exp(-0.2) + std::exp(-0.35) + std::exp(-1.5));
  for (const float loss : losses) EXPECT_NEAR(loss, (first + second) / 2, 1e-5);
}

TEST(OnnxImport, ANameWithANulIsRefusedLikeAnyOther) {
  Model model = small_model();
  model.graph.nodes[1].name = std::string("sh\0ift and so on", 15);
  model.graph.initialisers[1] = make_tensor("b", {3}, std::vector<float>{1, 2, 3});
  EXPECT_THROW(import_model(model, "m", {}), UserError);
}

TEST(OnnxFile, ANameThatIsNoTextIsRefusedWithItsByte) {
  Model model = small_model();
  model.graph.outputs[0].name = "angl\xe9";
  const std::string bytes = encode_model(model);
  EXPECT_EQ(message_of([&] { parse_model(bytes, "latin.onnx"); }),
            fmt::format("latin.onnx: byte {}: a name or text that is not UTF-8", bytes.find("angl\xe9")));
}

TEST(OnnxImport, ARangeBetweenNoNumbersIsRefused) {
  Model model = small_model();
  model.graph.initialisers.push_back(make_tensor("one", {}, std::vector<std::int64_t>{1}));
  model.graph.initialisers.push_back(make_tensor("none", {0}, std::vector<std::int64_t>{}));
  model.graph.nodes.push_back(node("Range", "count", {"one", "none", "one"}, {"places"}));
  model.graph.nodes.push_back(node("Reshape", "shape", {"z", "places"}, {"y"}));
  model.graph.nodes.erase(model.graph.nodes.begin() + 2);
  EXPECT_EQ(message_of([&] { import_model(model, "m", {}); }),
            "m: node 'count' (Range): 'none' must have one element");
}

// A class token is spread over the batch by a shape that is computed from the input's.
TEST(OnnxImport, AValueExpandedOverTheBatchStandsBesideEverySample) {
  Model model = small_model();
  model.graph.initialisers.push_back(make_tensor("token", {1, 2}, std::vector<float>{7, 8}));
  model.graph.nodes[2] = node("Shape", "extents", {"z"}, {"s"});
  model.graph.nodes.push_back(node("Expand", "spread", {"token", "s"}, {"t"}));
  model.graph.nodes.push_back(node("Concat", "join", {"t", "z"}, {"y"}));
  for (const std::int64_t batch : {1, 3}) {
    Network network = import_model(model, "m", {.batch = batch});
    graph::Interpreter interpreter(network.graph);
    interpreter.set(network.inputs[0].tensor, std::vector<float>(static_cast<std::size_t>(3 * batch), 0));
    interpreter.run();
    const auto& joined = interpreter.value(network.outputs[0].tensor);
    ASSERT_EQ(joined.size(), static_cast<std::size_t>(4 * batch));
    for (std::size_t n = 0; n < static_cast<std::size_t>(batch); ++n)
      EXPECT_EQ(std::vector(joined.begin() + 4 * static_cast<std::ptrdiff_t>(n),
                            joined.begin() + 4 * static_cast<std::ptrdiff_t>(n) + 4),
                (std::vector<float>{7, 8, 0.5f, 0.25f}));
  }
}

TEST(OnnxExport, WritesTrainedValuesBackAndLeavesTheRestAlone) {
  const Model model = small_model();
  auto values = initial_values(import_model(model, "m", {}));
  EXPECT_EQ(encode_model(with_values(model, values)), encode_model(model));
  values.at("b") = {7, 8};
  const Model changed = parse_model(encode_model(with_values(model, values)), "copy");
  EXPECT_EQ(initial_values(import_model(changed, "m", {})), values);
}

}  // namespace
}  // namespace dojo::onnx
