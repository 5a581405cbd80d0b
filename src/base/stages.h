// What the passes of a long piece of work made, shown to whoever wants to read it.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace dojo {

struct Stage {
  std::string_view of;      // what it is about: "train"
  std::string_view name;    // what was made: "lowered"
  std::string_view ending;  // of a file with this text: "txt"
  std::string text;
};

// Sees the stages in the order of the work. By default nobody looks, and then no text is made.
class StageSink {
public:
  StageSink() = default;
  explicit StageSink(std::function<void(const Stage&)> see) : see_(std::move(see)) {}

  // `text()` gives the text.
  template <typename Text>
  void show(std::string_view of, std::string_view name, std::string_view ending, Text text) const {
    if (see_) see_({of, name, ending, text()});
  }

private:
  std::function<void(const Stage&)> see_;
};

// Every stage as a file of its own in the folder, numbered as they come: "07-train-lowered.txt". Makes the
// folder; throws UserError if it cannot, or if something lies there already, which would mix with the stages.
StageSink stages_into(const std::filesystem::path& folder);

}  // namespace dojo
