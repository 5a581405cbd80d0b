#include "toolchain/toolchain.h"

#include <array>
#include <string_view>

#include "base/cache.h"
#include "base/error.h"
#include "base/file.h"
#include "base/parallel.h"
#include "base/resources.h"
#include "base/temporary_folder.h"
#include "isa/extensions.h"
#include "toolchain/content_key.h"
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

struct Tools {
  fs::path clang = find_tool("clang++-22", "clang-22");
  fs::path lld = find_tool("ld.lld-22", "lld-22");
};

using Sources = std::vector<SourceText>;
using Elf = std::vector<std::byte>;

// What every program follows from but for its own sources. Those include nothing but these folders' headers.
std::string key_of_all(const Tools& tools, const BuildOptions& options, const fs::path& folder) {
  ContentKey key;
  key.add_answer({tools.clang.string(), "--no-default-config", "--version"}, folder);
  key.add_answer({tools.lld.string(), "--version"}, folder);
  for (const std::vector<std::string>& flags :
       {compile_flags(options.vlen_bits), options.extra_flags, link_flags(options)}) {
    key.add(fmt::format("{} flags", flags.size()));
    for (const std::string& flag : flags) key.add(flag);
  }
  key.add_folder(resource("device"));
  key.add_folder(resource("src/numerics"));
  return key.hex();
}

std::string key_of(const std::string& all, const Sources& sources) {
  ContentKey key;
  key.add(all);
  for (const SourceText& source : sources) {
    key.add(source.name);
    key.add(source.text);
  }
  return key.hex();
}

// Those of the programs at these places.
std::vector<Elf> compile(const Tools& tools, std::span<const Sources> programs,
                         const std::vector<std::size_t>& places, const BuildOptions& options,
                         const fs::path& folder) {
  std::vector<std::string> flags = compile_flags(options.vlen_bits);
  // start.S comes first: its section is the program's first.
  const std::vector<std::string> library = library_objects(
      {.start = {"start.S"}, .flags = flags, .headers = {}, .host_threads = options.host_threads}, folder);

  std::vector<Compilation> jobs;
  std::vector<std::vector<std::string>> objects(places.size());
  for (std::size_t p = 0; p < places.size(); ++p) {
    const Sources& sources = programs[places[p]];
    const fs::path own = folder / fmt::format("{}", p);
    fs::create_directory(own);
    for (std::size_t i = 0; i < sources.size(); ++i) {
      const SourceText& source = sources[i];
      write_text(own / fmt::format("{}.cpp", i), fmt::format("#line 1 \"{}\"\n{}", source.name, source.text));
      jobs.push_back({source.name, own, fmt::format("{}.cpp", i), fmt::format("{}.o", i)});
      objects[p].push_back(fmt::format("{}/{}.o", p, i));
    }
  }
  flags.insert(flags.end(), options.extra_flags.begin(), options.extra_flags.end());
  parallel_for(options.host_threads, jobs.size(), [&](std::size_t i) {
    compile_source(tools.clang, flags, jobs[i].name, jobs[i].folder, jobs[i].source, jobs[i].object);
  });

  std::vector<Elf> elves(places.size());
  parallel_for(options.host_threads, places.size(), [&](std::size_t p) {
    const Sources& sources = programs[places[p]];
    std::vector<std::string> all = library;
    all.insert(all.end(), objects[p].begin(), objects[p].end());
    const std::string_view name =
        sources.empty() ? "a program without sources" : std::string_view(sources[0].name);
    elves[p] = link(tools.lld, name, all, options, folder, p);
  });
  return elves;
}

std::vector<Elf> build_in(const TemporaryFolder& folder, std::span<const Sources> programs,
                          const BuildOptions& options) {
  DOJO_ENSURE(options.node_threads >= 1 && options.node_threads <= 4);
  const Tools tools;
  const Cache cache("programs");
  const std::string all = key_of_all(tools, options, folder.path());
  std::vector<std::string> keys;
  std::vector<Elf> elves(programs.size());
  std::vector<std::size_t> absent;
  for (std::size_t p = 0; p < programs.size(); ++p) {
    keys.push_back(key_of(all, programs[p]));
    if (auto kept = cache.find(keys[p])) {
      elves[p] = std::move(*kept);
    } else {
      absent.push_back(p);
    }
  }
  if (absent.empty()) return elves;
  std::vector<Elf> made = compile(tools, programs, absent, options, folder.path());
  for (std::size_t k = 0; k < absent.size(); ++k) {
    cache.keep(keys[absent[k]], made[k]);
    elves[absent[k]] = std::move(made[k]);
  }
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
