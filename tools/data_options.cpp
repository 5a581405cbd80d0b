#include "data_options.h"

#include <fmt/format.h>

#include "data/recording.h"
#include "say.h"
#include "stop_request.h"

namespace dojo::tools {
namespace {

constexpr std::size_t most_drives = 20'000;  // a million frames

}  // namespace

std::vector<Option> data_options(DataArguments& arguments) {
  return {{.name = "--data",
           .into = &arguments.recordings,
           .help = fmt::format(
               "A recording: {}; given again, one more. Without it, rendered road scenes made from the seed",
               data::recording_names()),
           .is_path = true,
           .kept = Kept::as_file},
          {.name = "--drives",
           .into = &arguments.drives,
           .help = fmt::format("Without --data: how many drives, of {} frames each, are rendered",
                               driving::RenderedOptions{}.frames_per_drive),
           .least = 1,
           .most = most_drives,
           .excludes = {"--data"},
           .kept = Kept::as_given},
          {.name = "--strict",
           .into = &arguments.strict,
           .help = "Refuse a recording at its first damaged record instead of leaving that out"}};
}

Option arrays_option(DataArguments& arguments) {
  return {.name = "--arrays",
          .into = &arguments.arrays,
          .help =
              "Samples instead of drives: an .npz file or a folder of .npy files, arrays by the names of the "
              "network's inputs and of the outputs that learn them; dimension 0 counts samples",
          .is_path = true,
          .excludes = {"--data", "--drives"},
          .kept = Kept::as_file};
}

driving::DrivingData open_data(const DataArguments& arguments, std::uint64_t seed, unsigned threads,
                               std::string_view what) {
  const driving::DrivingSource source{.recordings = arguments.recordings,
                                      .drives = arguments.drives,
                                      .seed = seed,
                                      .strict = arguments.strict,
                                      .threads = threads,
                                      .interrupted = stop_was_asked};
  const driving::DrivingWatcher watcher{
      .warning = [](const std::string& sentence) { say("warning: {}", sentence); },
      .note = [](const std::string& sentence) { say("{}", sentence); }};
  driving::DrivingData data = unless_stopped(what, [&] { return driving::DrivingData(source, watcher); });
  end_if_stopped(what);
  return data;
}

}  // namespace dojo::tools
