#include "runtime/sensitivity.h"

#include "base/parallel.h"

namespace dojo::runtime {

std::vector<ProgramRun> run_variants(std::span<const machine::Variant> variants,
                                     const system::Program& program, unsigned nodes,
                                     const system::LaunchOptions& launch, InputTape& input,
                                     ProgramRun baseline) {
  std::vector<ProgramRun> runs(variants.size());
  runs[0] = std::move(baseline);
  parallel_for(launch.host.threads, variants.size() - 1, [&](std::size_t index) {
    ProgramRun& run = runs[index + 1];
    system::LaunchOptions each = launch;
    each.host.threads = 1;
    each.measure_memory = false;
    each.text_input = input.reader();
    each.text_output = [&run](std::string_view words) { run.output += words; };
    each.error_output = [&run](std::string_view words) { run.error_output += words; };
    system::Computer computer(variants[index + 1].machine, nodes);
    run.result = computer.launch(program, 0, 0, each);
  });
  return runs;
}

}  // namespace dojo::runtime
