// dojo cc: C or C++ to a program for a node, with a C library. One clang command line with this machine's
// flags in front of the user's own, so that what clang says and how it ends reach the user as they are.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <iterator>
#include <memory>
#include <string_view>

#include "base/error.h"
#include "base/file.h"
#include "base/resources.h"
#include "base/temporary_folder.h"
#include "commands.h"
#include "machine/machine.h"
#include "machine_options.h"
#include "output_files.h"
#include "stop_request.h"
#include "toolchain/device_library.h"
#include "toolchain/tool.h"
#include "toolchain/toolchain.h"

namespace dojo::tools {

namespace {

namespace fs = std::filesystem;

struct CcOptions {
  std::string output, machine = "d1";
  unsigned node_threads = 1;
};

// What a program of `dojo cc` is linked with before the device library: its start and the C library's view of
// the machine.
constexpr std::array<std::string_view, 5> start_sources{
    "hosted/entry.S", "hosted/start.cpp", "hosted/system.cpp", "hosted/files.cpp", "hosted/clock.cpp"};

// With these clang makes something else than a program, and names it on its own.
constexpr std::array<std::string_view, 6> unlinked{"-c", "-S", "-E", "-M", "-MM", "-fsyntax-only"};

// How many registers the vectors of clang's own loops take at most. With two, as it has it, the next
// operation waits for the last one's latency; with eight, loops of many arrays spill registers.
constexpr std::string_view vector_group = "-riscv-v-register-bit-width-lmul";

// Debian's packages picolibc-riscv64-unknown-elf and gcc-riscv64-unknown-elf; the compiler's own routines for
// this ABI lie in a folder that is named after another, equally called one.
const fs::path libc = "/usr/lib/picolibc/riscv64-unknown-elf";
const fs::path gcc = "/usr/lib/gcc/riscv64-unknown-elf";

fs::path libgcc() {
  std::error_code none;
  for (const auto& version : fs::directory_iterator(gcc, none)) {
    const fs::path library = version.path() / "rv64iafd" / "lp64d" / "libgcc.a";
    if (fs::exists(library)) return library;
  }
  refuse("libgcc.a", "not found; C programs need it (apt install picolibc-riscv64-unknown-elf)");
}

std::vector<std::string> hosted_flags(const machine::Machine& machine) {
  std::vector<std::string> flags = toolchain::compile_flags(static_cast<unsigned>(machine.node.vlen_bits));
  flags.insert(flags.end(),
               {"-isystem", resource("device/hosted/include").string(), "-isystem",
                (libc / "include").string(), "-D_GNU_SOURCE", "-Wno-unused-command-line-argument"});
  return flags;
}

std::vector<std::string> library_in(const TemporaryFolder& scratch, const std::vector<std::string>& flags) {
  try {
    return toolchain::library_objects(
        {.start = {start_sources.begin(), start_sources.end()}, .flags = flags, .headers = libc / "include"},
        scratch.path());
  } catch (const std::runtime_error& error) {
    scratch.refuse_if_full(error.what());
    throw;
  }
}

bool is_c(const std::string& word) { return word.ends_with(".c"); }
bool is_cpp(const std::string& word) {
  return word.ends_with(".cpp") || word.ends_with(".cc") || word.ends_with(".cxx");
}

std::vector<NamedFile> inputs_of(const machine::Machine& machine, const std::vector<std::string>& words) {
  std::vector<NamedFile> inputs = files_of(machine);
  for (const std::string& word : words)
    if (!word.starts_with('-')) inputs.push_back({"a file to compile", word});
  return inputs;
}

// What clang names after the program, which it writes elsewhere: dependencies, and files beside it.
std::vector<std::string> names_after(const fs::path& program, const std::vector<std::string>& words) {
  const auto given = [&](std::string_view one, std::string_view other) {
    return std::ranges::any_of(
        words, [&](const std::string& word) { return word.starts_with(one) || word.starts_with(other); });
  };
  std::vector<std::string> flags{"-dumpdir", program.string() + "-"};
  if (!given("-MD", "-MMD")) return flags;
  if (!given("-MF", "-MF")) flags.insert(flags.end(), {"-MF", fs::path(program).replace_extension("d")});
  if (!given("-MT", "-MQ")) flags.insert(flags.end(), {"-MQ", program});
  return flags;
}

// Whole or not at all, into a device or a pipe, too.
void put_in_place(const fs::path& program, const fs::path& output) {
  std::error_code none;
  if (!fs::exists(program, none)) return;  // clang was only asked something
  write_file(output, read_file(program));
  if (!fs::is_other(output, none)) fs::permissions(output, fs::status(program, none).permissions(), none);
}

int cc(const CcOptions& options, const std::vector<std::string>& words) {
  listen_for_stop_requests();
  if (std::ranges::none_of(words, [](const std::string& word) { return !word.starts_with('-'); }))
    refuse("dojo cc", "names no file to compile");
  std::error_code none;
  for (const std::string& word : words)  // clang would wait for somebody to write into it
    if (fs::is_fifo(word, none)) refuse(word, "is a FIFO, not a file");
  const bool c = std::ranges::any_of(words, is_c);
  if (c && std::ranges::any_of(words, is_cpp))
    refuse("dojo cc", "takes C or C++ at a time; compile one of them with -c and name its .o file");
  const bool links = std::ranges::none_of(
      words, [](const std::string& word) { return std::ranges::find(unlinked, word) != unlinked.end(); });
  const std::string output = links && options.output.empty() ? "a.elf" : options.output;
  const machine::Machine machine = machine::read_machine(options.machine);
  refuse_bad_outputs(std::array{NamedFile{"-o", output}}, inputs_of(machine, words));
  if (!fs::exists(libc / "include"))
    refuse("picolibc", "not found; C programs need it (apt install picolibc-riscv64-unknown-elf)");
  const std::string clang = toolchain::find_tool(c ? "clang-22" : "clang++-22", "clang-22").string();
  const std::string lld = toolchain::find_tool("ld.lld-22", "lld-22").string();

  std::vector<std::string> flags = hosted_flags(machine);
  const TemporaryFolder scratch("dojo-cc");
  std::vector<std::string> library;
  if (links) library = unless_stopped("nothing was compiled", [&] { return library_in(scratch, flags); });
  end_if_stopped("nothing was compiled");

  if (c)
    std::erase_if(flags, [](const std::string& flag) { return flag == "-std=c++23" || flag == "-fno-rtti"; });
  std::vector<std::string> command{clang};
  command.insert(command.end(), flags.begin(), flags.end());
  command.emplace_back("-g");
  if (std::ranges::none_of(words, [](const std::string& word) { return word.starts_with(vector_group); }))
    command.insert(command.end(), {"-mllvm", fmt::format("{}=4", vector_group)});
  command.insert(command.end(), words.begin(), words.end());
  if (links) {
    command.push_back("--ld-path=" + lld);
    toolchain::BuildOptions build;
    build.program_base = machine.node.program_base;
    build.node_threads = options.node_threads;
    for (const std::string& flag : toolchain::link_flags(build)) {
      command.emplace_back("-Xlinker");
      command.push_back(flag);
    }
    command.emplace_back("-xnone");  // what -x says is said of the user's files
    for (const std::string& object : library) command.push_back((scratch.path() / object).string());
    const fs::path folder = libc / "lib/rv64imafdc/lp64d";
    command.push_back("-L" + folder.string());  // who writes -lm, as everywhere else, finds it
    for (const fs::path& archive : {folder / "libc.a", folder / "libm.a", libgcc()})
      command.push_back(archive.string());
  }
  // What -c and its like make, clang itself writes beside its place and renames.
  const bool moved = links || fs::is_other(output, none);
  const fs::path made = moved ? scratch.path() / "program" : fs::path(output);
  if (!made.empty()) command.insert(command.end(), {"-o", made});
  if (links) std::ranges::copy(names_after(output, words), std::back_inserter(command));
  const int code = toolchain::run_tool_in_view(command, scratch.path());
  end_if_stopped("nothing was compiled");
  if (code != 0) {
    scratch.refuse_if_full("");
    return code;
  }
  if (moved) put_in_place(made, output);
  return 0;
}

}  // namespace

Command cc_command() {
  auto options = std::make_shared<CcOptions>();
  CcOptions& o = *options;
  return {.name = "cc",
          .summary = "Compile C or C++ to a program for a node, with clang",
          .options = {{.name = "-o",
                       .into = &o.output,
                       .help = "The program; without it a.elf, or clang's own names with -c",
                       .value = "FILE",
                       .is_path = true},
                      machine_option(o.machine, "Whose vector length, name or .toml file"),
                      {.name = "--node-threads",
                       .into = &o.node_threads,
                       .help = "Hardware threads to start; all but the first enter dojo_thread_main(thread)",
                       .least = 1,
                       .most = 4}},
          .footer = "All other words go to clang as they are: files, -O2, -I, -D, -W..., -c",
          .takes_other_words = true,
          .run = [options](Command& command) { return cc(*options, command.other_words); }};
}

}  // namespace dojo::tools
