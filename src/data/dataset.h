// Where frames come from, as training sees it: a recorded drive and rendered scenes are read through the same
// two interfaces.
//
// A Dataset gives pictures as a camera took them, and labels as they were recorded. Examples give what one
// network sees of them: numbers in the shape of its inputs, and its targets. Frames are numbered in order of
// time from 0. All members may be called from several threads at once; none
// changes what another returns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace dojo::data {

struct Image {
  unsigned width = 0, height = 0;
  std::vector<std::uint8_t> rgb;  // rows from the top, three bytes a pixel
};

class Dataset {
public:
  virtual ~Dataset() = default;
  virtual std::string name() const = 0;                             // for people and run.json
  virtual std::string fingerprint() const = 0;                      // changes when any frame or label changes
  virtual std::size_t size() const = 0;                             // frames, at least 1
  virtual const std::vector<std::string>& label_names() const = 0;  // "angle", "throttle", then what else is
                                                                    // measured
  virtual const std::vector<std::string>& warnings()
      const = 0;                                     // one sentence for each thing that was skipped
  virtual Image image(std::size_t frame) const = 0;  // throws UserError if it cannot be read any more
  virtual std::vector<float> labels(
      std::size_t frame) const = 0;  // in the order of label_names; NaN for what was not measured
  virtual std::string place(std::size_t frame) const = 0;  // where a person finds it: file:line
  // Whose frame it is, and its number there, which other programs know it by, too.
  virtual std::string recording([[maybe_unused]] std::size_t frame) const { return name(); }
  virtual std::int64_t record(std::size_t frame) const { return static_cast<std::int64_t>(frame); }
  // How many frames each recording has, in their order: between two of them time does not go on.
  virtual std::vector<std::size_t> recordings() const { return {size()}; }
  virtual std::size_t skipped() const { return 0; }  // records that are no frames here; warnings say why
};

class Examples {
public:
  virtual ~Examples() = default;
  virtual std::size_t size() const = 0;
  virtual std::size_t input_elements() const = 0;   // of all inputs of the network, one sample
  virtual std::size_t target_elements() const = 0;  // of all targets, one sample
  // Writes one sample: the inputs one after the other, row-major, then the same for the targets.
  virtual void read(std::size_t frame, std::span<float> inputs, std::span<float> targets) const = 0;
  // Writes what the targets stand for, in their places: the value itself, also where the target is its class.
  virtual void measured(std::size_t frame, std::span<float> values) const = 0;
};

}  // namespace dojo::data
