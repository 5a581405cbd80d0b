// `dojo` as a user meets it, on a small tub and small networks: for the tests of its commands.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "base/file.h"
#include "base/random.h"
#include "data/tub_for_tests.h"
#include "machine/variant_for_tests.h"
#include "onnx/file.h"
#include "support/command_test.h"

namespace dojo {

using data::write_tub;

// Grey pictures of height x width through one op without weights, then a dense layer of `outputs` values.
inline onnx::Model network(const std::string& op, std::int64_t height, std::int64_t width,
                           std::int64_t outputs, const std::string& output) {
  const std::int64_t pixels = height * width;
  Random random(1);
  std::vector<float> weights;
  for (std::int64_t i = 0; i < pixels * outputs; ++i)
    weights.push_back(static_cast<float>(random.uniform(-0.1, 0.1)));
  const auto shape = [](std::vector<std::int64_t> sample) {
    std::vector<onnx::Dimension> dimensions = {{std::nullopt, "N"}};
    for (const std::int64_t extent : sample) dimensions.push_back({extent, ""});
    return dimensions;
  };
  onnx::Model model;
  model.ir_version = 8;
  model.opsets[""] = 17;
  model.graph.name = "small";
  model.graph.inputs.push_back({"image", onnx::DataType::float32, shape({1, height, width}), ""});
  model.graph.outputs.push_back({output, onnx::DataType::float32, shape({outputs}), ""});
  model.graph.initialisers.push_back(
      onnx::make_tensor("weight", {pixels, outputs}, std::span<const float>(weights)));
  model.graph.nodes = {{"bend", op, "", {"image"}, {"bent"}, {}, ""},
                       {"flatten", "Flatten", "", {"bent"}, {"flat"}, {}, ""},
                       {"head", "MatMul", "", {"flat", "weight"}, {output}, {}, ""}};
  return model;
}

// Runs the command in a folder of its own, with a small tub and a small network in it.
class TrainingCommand : public CommandTest {
protected:
  void SetUp() override {
    write_tub(folder_ / "tub", 30);
    write_model("good", network("Tanh", 8, 16, 1, "angle"));
  }

  void write_model(const std::string& name, const onnx::Model& model) {
    onnx::write_model(folder_ / (name + ".onnx"), model);
  }

  std::string train_command(const std::string& model, const std::string& more) const {
    const bool own_machine = more.find("--machine") != std::string::npos;
    const bool own_data = more.find("--data") != std::string::npos;
    const bool own_place = more.find("--out") != std::string::npos;
    return fmt::format("exec {} train {}.onnx {} {} {} --threads 1 {}", dojo_command(), model,
                       own_machine ? "" : "--machine test6", own_data ? "" : "--data tub",
                       own_place ? "" : "--out out", more);
  }

  // In the test's folder, after `before` in the same shell.
  Said train(const std::string& model, const std::string& more, const std::string& before = "true") {
    return shell(fmt::format("{} && {}", before, train_command(model, more)));
  }

  // A command line in the test's folder, {} for the program.
  Said dojo(const std::string& line) {
    return shell(fmt::format("({})", fmt::format(fmt::runtime(line), dojo_command())));
  }

  Said shell(const std::string& line) const { return shell_in(folder_, line); }

  // The same as train(), which goes on behind this test's back.
  pid_t start(const std::string& model, const std::string& more) {
    return start_shell(train_command(model, more));
  }
  pid_t start_shell(const std::string& command_line) {
    const std::string line = fmt::format("cd {} && {} >words 2>errors", folder_.string(), command_line);
    fs::remove(folder_ / "errors");  // what an earlier command said
    const pid_t child = fork();
    if (child == 0) {
      for (const int signal : {SIGINT, SIGTERM, SIGHUP}) std::signal(signal, SIG_DFL);
      execl("/bin/sh", "sh", "-c", line.c_str(), nullptr);
      _exit(127);
    }
    return child;
  }
  // A run into the folder "out" that `signal` has stopped, once it was time; how it ended. One that was done
  // before the signal came shows nothing: then the next one is tried.
  template <typename IsTime>
  int stopped(const std::string& model, const std::string& more, int signal, IsTime is_time) {
    constexpr int most_attempts = 10, most_waits = 6000;
    int status = 0;
    for (int attempt = 0; attempt < most_attempts; ++attempt) {
      fs::remove_all(folder_ / "out");
      const pid_t child = start(model, more);
      for (int waits = 0; waits < most_waits && !is_time(); ++waits)
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
      kill(child, signal);
      waitpid(child, &status, 0);
      if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) break;
    }
    return status;
  }
  bool has_said(const std::string& words) const {
    return fs::exists(folder_ / "errors") && read_text(folder_ / "errors").find(words) != std::string::npos;
  }
  void expect_said_while(pid_t child, const std::string& words) {
    for (int waits = 0; waits < 6000 && !has_said(words); ++waits)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    EXPECT_TRUE(has_said(words)) << read_text(folder_ / "errors");
    EXPECT_EQ(waitpid(child, nullptr, WNOHANG), 0) << "it is over";
  }

  std::string weights_of(const std::string& out) const {
    const std::string run = read_text(folder_ / out / "run.json");
    return run.substr(run.find("\"weights_sha256\""), 90);
  }

  // One sentence that says every word of `words`, exit code 2, no folder made.
  void expect_refused(const Said& said, const std::vector<std::string>& words) {
    EXPECT_EQ(said.exit_code, 2) << said.errors;
    EXPECT_TRUE(said.last.starts_with("dojo: ")) << said.errors;
    for (const std::string& word : words)
      EXPECT_NE(said.last.find(word), std::string::npos) << word << " in: " << said.last;
    EXPECT_FALSE(fs::exists(folder_ / "out")) << said.last;
  }

  // test6 but for one row.
  std::string machine_with(std::string_view key, std::string_view value) {
    write_text(folder_ / "machine.toml", machine::variant_text("test6", key, value));
    return "--machine machine.toml";
  }
};

}  // namespace dojo
