// Ctrl-C, SIGTERM and a closed terminal: does every command that works for long end with 130, and leave
// nothing behind? And does one end whose output nobody reads?
#include "system/guest_for_tests.h"
#include "training_command.h"

namespace dojo {
namespace {

class StoppedCommands : public TrainingCommand {
protected:
  void SetUp() override {
    TrainingCommand::SetUp();
    fs::create_directories(folder_ / "temporary");
    // Writes more than a buffer holds, then runs for ever.
    write_guest("loop", "static char text[8192];",
                "system_call(64, 1, address(text), sizeof text);"
                "for (volatile int i = 0;; i = i + 1) {}");
    write_guest("yes", "static char text[8192];",
                "for (;;) system_call(64, 1, address(text), sizeof text); return 0;");
  }

  void write_guest(const std::string& name, std::string_view globals, std::string_view body) {
    write_file(folder_ / (name + ".elf"), system::build_guest(system::guest_source(globals, body)));
  }

  std::string line(const std::string& arguments) const {
    return fmt::format("export TMPDIR={}; exec {} {}", (folder_ / "temporary").string(), dojo_command(),
                       arguments);
  }

  // Ends the command with `signal` once it is time.
  template <typename IsTime>
  void expect_stopped(const std::string& arguments, int signal, IsTime is_time) {
    const pid_t child = start_shell(line(arguments));
    for (int waits = 0; waits < 6000 && !is_time(); ++waits)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    EXPECT_TRUE(is_time()) << arguments;
    kill(child, signal);
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_TRUE(WIFEXITED(status)) << arguments << ": signal " << WTERMSIG(status);
    EXPECT_EQ(WEXITSTATUS(status), 130) << arguments << ": " << read_text(folder_ / "errors");
    EXPECT_TRUE(has_said("interrupted")) << arguments << ": " << read_text(folder_ / "errors");
    EXPECT_TRUE(fs::is_empty(folder_ / "temporary")) << arguments;
    EXPECT_FALSE(fs::exists(folder_ / "out") && fs::is_empty(folder_ / "out")) << arguments;
    fs::remove_all(folder_ / "out");
    fs::remove(folder_ / "words");
  }

  // As a terminal's Ctrl-C, once there is something to compile.
  void stop_with_its_compiler(const std::string& arguments) {
    const pid_t child = fork();
    if (child == 0) {
      setpgid(0, 0);
      std::signal(SIGINT, SIG_DFL);
      fs::current_path(folder_);
      execl("/bin/sh", "sh", "-c", line(arguments + " 2>errors").c_str(), nullptr);
      _exit(127);
    }
    for (int waits = 0; waits < 6000 && fs::is_empty(folder_ / "temporary"); ++waits)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    kill(-child, SIGINT);
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 130) << read_text(folder_ / "errors");
  }

  bool has_written() const {
    std::error_code none;
    return fs::file_size(folder_ / "words", none) > 0 && !none;
  }
};

TEST_F(StoppedCommands, EndWith130AndLeaveNothing) {
  const auto says = [&](const char* words) { return [this, words] { return has_said(words); }; };
  const auto writes = [&] { return has_written(); };
  const std::string drives = "good.onnx --drives 40 --out out --threads 1";
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    expect_stopped("prepare " + drives, signal, [&] { return fs::exists(folder_ / "out"); });
    expect_stopped("train --machine test6 " + drives, signal, says("compiling..."));
    expect_stopped("predict --machine test6 " + drives, signal, says("compiling..."));
    expect_stopped("exec loop.elf", signal, writes);
    expect_stopped("exec loop.elf --gdb 0", signal, says("waiting for gdb"));
    expect_stopped("profile loop.elf", signal, writes);
  }
}

// Its compiler hears a terminal's Ctrl-C as well.
TEST_F(StoppedCommands, AmongThemTheCompiler) {
  std::string text = "int main(void) { return 0; }\n";
  for (int i = 0; i < 20000; ++i)
    text += fmt::format("int f{0}(int x) {{ return x * {0} + (x << 3); }}\n", i);
  write_text(folder_ / "slow.c", text);
  stop_with_its_compiler("cc -O2 slow.c -o slow.elf");
  EXPECT_FALSE(fs::exists(folder_ / "slow.elf"));
  for (const auto& entry : fs::directory_iterator(folder_ / "temporary"))
    EXPECT_FALSE(entry.path().filename().string().starts_with("dojo-")) << entry.path();
}

// What clang leaves undone then is not what one reads.
TEST_F(StoppedCommands, SayWhatIsLeftAndNotWhatTheCompilerDidNotDo) {
  stop_with_its_compiler("train good.onnx --machine test6 --drives 40 --out out --threads 1");
  const std::string said = read_text(folder_ / "errors");
  EXPECT_NE(said.find("\ninterrupted; nothing was trained or written\n"), std::string::npos) << said;
  EXPECT_FALSE(fs::exists(folder_ / "out"));
}

TEST_F(StoppedCommands, WhoseOutputNobodyReadsEndWithOneSentence) {
  for (const char* arguments :
       {"exec yes.elf --quiet", "exec loop.elf --quiet", "profile yes.elf", "machine d1"}) {
    const Said said =
        shell(fmt::format("((sleep 0.3; ({}); echo $? >code) 2>sentence | true)", line(arguments)));
    EXPECT_EQ(read_text(folder_ / "code"), "2\n") << arguments;
    EXPECT_EQ(read_text(folder_ / "sentence"), "dojo: standard output: cannot be written\n") << arguments;
  }
}

}  // namespace
}  // namespace dojo
