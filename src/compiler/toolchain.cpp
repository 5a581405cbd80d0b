#include "compiler/toolchain.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <string_view>

#include "base/error.h"
#include "base/file.h"
#include "base/parallel.h"
#include "base/temporary_folder.h"

extern char** environ;

namespace dojo::compiler {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view architecture =
    "rv64gcv_zba_zbb_zbs_zfh_zvl{}b_zvfh_zvfbfmin_zvfbfwma_xsfmmbase_xsfmm32a16f_xsfmm32a8f_xsfmm32a32f_"
    "xsfmm16t";

// start.S comes first: its section is the program's first.
std::vector<std::string_view> library_sources() {
  std::vector<std::string_view> sources{"start.S"};
  sources.insert(sources.end(), device_library.begin(), device_library.end());
  return sources;
}

fs::path source_folder() { return DOJO_SOURCE_DIR; }

// Runs a command in `folder` with its output in `log`; true if it succeeds.
bool run(const std::vector<std::string>& command, const fs::path& folder, const fs::path& log) {
  std::vector<char*> arguments;
  for (const std::string& part : command) arguments.push_back(const_cast<char*>(part.c_str()));
  arguments.push_back(nullptr);

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addchdir_np(&actions, folder.c_str());
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
  pid_t child = 0;
  const int failed = ::posix_spawn(&child, arguments[0], &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) return false;
  int status = 0;
  while (::waitpid(child, &status, 0) < 0)
    if (errno != EINTR) return false;
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

// The first error line of a tool's output, without the temporary names.
std::string first_error(const fs::path& log) {
  const std::string text = fs::exists(log) ? read_text(log) : "";
  std::size_t at = text.find("error:");
  if (at == std::string::npos) at = 0;
  const std::size_t begin = text.rfind('\n', at) == std::string::npos ? 0 : text.rfind('\n', at) + 1;
  const std::string line = text.substr(begin, text.find('\n', at) - begin);
  return line.empty() ? "the tool failed without a message" : line;
}

struct Compilation {
  std::string name;  // for people
  fs::path folder;   // to work in
  fs::path source;   // relative to the folder, or absolute: the object holds this name
  fs::path object;   // relative to the folder
  unsigned vlen_bits;
  std::vector<std::string> extra_flags;
};

void compile_one(const fs::path& clang, const Compilation& job) {
  std::vector<std::string> command{clang.string()};
  for (std::string& flag : compile_flags(job.vlen_bits)) command.push_back(std::move(flag));
  if (job.source.extension() == ".S") command.emplace_back("-Wno-unused-command-line-argument");
  command.insert(command.end(), job.extra_flags.begin(), job.extra_flags.end());
  for (const std::string& part :
       {std::string("-c"), job.source.string(), std::string("-o"), job.object.string()})
    command.push_back(part);
  const fs::path log = job.folder / (job.object.string() + ".log");
  if (!run(command, job.folder, log)) refuse(job.name, "does not compile: {}", first_error(log));
}

std::vector<std::byte> link(const fs::path& lld, std::string_view name,
                            const std::vector<std::string>& objects, const BuildOptions& options,
                            const fs::path& folder, std::size_t index) {
  const std::string output = fmt::format("{}.elf", index);
  std::vector<std::string> command{lld.string()};
  for (std::string& flag : link_flags(options)) command.push_back(std::move(flag));
  command.insert(command.end(), objects.begin(), objects.end());
  command.insert(command.end(), {"-o", output});
  const fs::path log = folder / (output + ".log");
  if (!run(command, folder, log)) refuse(name, "does not link: {}", first_error(log));
  return read_file(folder / output);
}

}  // namespace

fs::path find_tool(std::string_view name, std::string_view package) {
  const char* path = std::getenv("PATH");
  std::string_view rest = path != nullptr ? path : "/usr/local/bin:/usr/bin:/bin";
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find(':'), rest.size());
    const fs::path candidate = fs::path(rest.substr(0, end)) / name;
    if (::access(candidate.c_str(), X_OK) == 0) return candidate;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  refuse(name, "not found; programs for the nodes are built with it (apt install {})", package);
}

std::vector<std::string> link_flags(const BuildOptions& options) {
  return {"-static",
          "--nmagic",
          "--gc-sections",
          "--build-id=none",
          "--no-dynamic-linker",
          "-T",
          (source_folder() / "device" / "program.ld").string(),
          fmt::format("--defsym=__program_base={:#x}", options.program_base),
          fmt::format("--defsym=__dojo_threads={}", options.node_threads)};
}

// Not -ffreestanding: there main() would be a function like any other. What the compiler calls on its own is
// in device/memory.cpp.
std::vector<std::string> compile_flags(unsigned vlen_bits) {
  const fs::path root = source_folder();
  return {"--target=riscv64-unknown-elf",
          "-menable-experimental-extensions",
          "-march=" + fmt::format(architecture, vlen_bits),
          "-mabi=lp64d",
          "-mcmodel=medany",
          "-std=c++23",
          "-O3",
          "-ffp-contract=off",
          "-fno-math-errno",
          "-fno-exceptions",
          "-fno-rtti",
          "-fno-threadsafe-statics",
          "-fno-asynchronous-unwind-tables",
          "-fno-stack-protector",
          "-fno-ident",
          "-ffunction-sections",
          "-fdata-sections",
          "-nostdlib",
          "-fdebug-compilation-dir=.",
          fmt::format("-ffile-prefix-map={}=.", root.string()),
          "-I",
          (root / "device").string(),
          "-I",
          (root / "src").string()};
}

std::vector<std::vector<std::byte>> build_programs(std::span<const std::vector<SourceText>> programs,
                                                   const BuildOptions& options) {
  const fs::path clang = find_tool("clang++-22", "clang-22");
  const fs::path lld = find_tool("ld.lld-22", "lld-22");
  DOJO_ENSURE(options.node_threads >= 1 && options.node_threads <= 4);
  const TemporaryFolder folder("dojo-build");

  std::vector<Compilation> jobs;
  std::vector<std::string> library;
  std::vector<std::vector<std::string>> objects(programs.size());
  for (std::size_t p = 0; p < programs.size(); ++p) {
    const fs::path own = folder.path() / fmt::format("{}", p);
    fs::create_directory(own);
    for (std::size_t i = 0; i < programs[p].size(); ++i) {
      const SourceText& source = programs[p][i];
      write_text(own / fmt::format("{}.cpp", i), fmt::format("#line 1 \"{}\"\n{}", source.name, source.text));
      jobs.push_back({source.name, own, fmt::format("{}.cpp", i), fmt::format("{}.o", i), options.vlen_bits,
                      options.extra_flags});
      objects[p].push_back(fmt::format("{}/{}.o", p, i));
    }
  }
  for (const std::string_view name : library_sources()) {
    const fs::path source = source_folder() / "device" / name;
    jobs.push_back(
        {source.string(), folder.path(), source, fmt::format("library-{}.o", name), options.vlen_bits, {}});
    library.push_back(fmt::format("library-{}.o", name));
  }
  parallel_for(options.host_threads, jobs.size(), [&](std::size_t i) { compile_one(clang, jobs[i]); });

  std::vector<std::vector<std::byte>> elves(programs.size());
  parallel_for(options.host_threads, programs.size(), [&](std::size_t p) {
    std::vector<std::string> all = library;
    all.insert(all.end(), objects[p].begin(), objects[p].end());
    const std::string_view name =
        programs[p].empty() ? "a program without sources" : std::string_view(programs[p][0].name);
    elves[p] = link(lld, name, all, options, folder.path(), p);
  });
  return elves;
}

std::vector<std::byte> build_program(std::vector<SourceText> sources, const BuildOptions& options) {
  const std::array<std::vector<SourceText>, 1> programs{std::move(sources)};
  return std::move(build_programs(programs, options).front());
}

}  // namespace dojo::compiler
