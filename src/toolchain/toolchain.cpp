#include "toolchain/toolchain.h"

#include <array>
#include <string_view>

#include "base/error.h"
#include "base/file.h"
#include "base/parallel.h"
#include "base/resources.h"
#include "base/temporary_folder.h"
#include "isa/extensions.h"
#include "toolchain/device_library.h"
#include "toolchain/tool.h"

namespace dojo::toolchain {
namespace {

namespace fs = std::filesystem;

struct Compilation {
  std::string_view name;  // for people
  fs::path folder;        // to work in
  std::string source, object;
};

std::vector<std::byte> link(const fs::path& lld, std::string_view name,
                            const std::vector<std::string>& objects, const BuildOptions& options,
                            const fs::path& folder, std::size_t index) {
  const std::string output = fmt::format("{}.elf", index);
  std::vector<std::string> command{lld.string()};
  for (std::string& flag : link_flags(options)) command.push_back(std::move(flag));
  command.insert(command.end(), objects.begin(), objects.end());
  command.insert(command.end(), {"-o", output});
  const fs::path log = folder / (output + ".log");
  if (!run_tool(command, folder, log)) refuse(name, "does not link: {}", first_error(log));
  return read_file(folder / output);
}

}  // namespace

std::vector<std::string> link_flags(const BuildOptions& options) {
  return {"-static",
          "--nmagic",
          "--gc-sections",
          "--build-id=none",
          "--no-dynamic-linker",
          "-T",
          resource("device/program.ld").string(),
          fmt::format("--defsym=__program_base={:#x}", options.program_base),
          fmt::format("--defsym=__dojo_threads={}", options.node_threads)};
}

// Not -ffreestanding: there main() would be a function like any other. What the compiler calls on its own is
// in device/memory.cpp. Of clang's configuration files a program knows nothing.
std::vector<std::string> compile_flags(unsigned vlen_bits) {
  const fs::path device = resource("device");
  return {"--no-default-config",
          "--target=riscv64-unknown-elf",
          "-menable-experimental-extensions",
          "-march=" + isa::compiled_architecture(vlen_bits),
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
          fmt::format("-ffile-prefix-map={}=.", device.parent_path().string()),
          "-I",
          device.string(),
          "-I",
          resource("src").string()};
}

namespace {

std::vector<std::vector<std::byte>> build_in(const TemporaryFolder& folder,
                                             std::span<const std::vector<SourceText>> programs,
                                             const BuildOptions& options) {
  const fs::path clang = find_tool("clang++-22", "clang-22");
  const fs::path lld = find_tool("ld.lld-22", "lld-22");
  DOJO_ENSURE(options.node_threads >= 1 && options.node_threads <= 4);

  std::vector<std::string> flags = compile_flags(options.vlen_bits);
  // start.S comes first: its section is the program's first.
  const std::vector<std::string> library = library_objects(
      {.start = {"start.S"}, .flags = flags, .headers = {}, .host_threads = options.host_threads},
      folder.path());

  std::vector<Compilation> jobs;
  std::vector<std::vector<std::string>> objects(programs.size());
  for (std::size_t p = 0; p < programs.size(); ++p) {
    const fs::path own = folder.path() / fmt::format("{}", p);
    fs::create_directory(own);
    for (std::size_t i = 0; i < programs[p].size(); ++i) {
      const SourceText& source = programs[p][i];
      write_text(own / fmt::format("{}.cpp", i), fmt::format("#line 1 \"{}\"\n{}", source.name, source.text));
      jobs.push_back({source.name, own, fmt::format("{}.cpp", i), fmt::format("{}.o", i)});
      objects[p].push_back(fmt::format("{}/{}.o", p, i));
    }
  }
  flags.insert(flags.end(), options.extra_flags.begin(), options.extra_flags.end());
  parallel_for(options.host_threads, jobs.size(), [&](std::size_t i) {
    compile_source(clang, flags, jobs[i].name, jobs[i].folder, jobs[i].source, jobs[i].object);
  });

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

}  // namespace

std::vector<std::vector<std::byte>> build_programs(std::span<const std::vector<SourceText>> programs,
                                                   const BuildOptions& options) {
  const TemporaryFolder folder("dojo-build");
  try {
    return build_in(folder, programs, options);
  } catch (const std::runtime_error& error) {
    folder.refuse_if_full(error.what());
    throw;
  }
}

std::vector<std::byte> build_program(std::vector<SourceText> sources, const BuildOptions& options) {
  const std::array<std::vector<SourceText>, 1> programs{std::move(sources)};
  return std::move(build_programs(programs, options).front());
}

}  // namespace dojo::toolchain
