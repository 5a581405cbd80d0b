#include "train_progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <string>

namespace dojo::tools {

namespace {

// A log that cannot be written, on a full disk for instance, must not end a long run.
void say(const std::string& text) { std::fputs(text.c_str(), stderr); }

}  // namespace

std::string duration(double seconds) {
  const auto whole = static_cast<long>(seconds + 0.5);
  if (whole >= 3600) return fmt::format("{} h {:02} min", whole / 3600, whole / 60 % 60);
  if (whole >= 60) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  return fmt::format("{} s", whole);
}

ProgressLine::ProgressLine() : terminal_(isatty(STDERR_FILENO) != 0) {}

void ProgressLine::phase(std::string_view what) {
  finish();
  say(fmt::format("{}...\n", what));
}

void ProgressLine::show(const training::Progress& progress) {
  const auto now = std::chrono::steady_clock::now();
  const bool last = progress.step == progress.steps;
  if (!terminal_ && !last && now - last_ < std::chrono::seconds(10)) return;
  last_ = now;
  const std::string line = fmt::format(
      "step {}/{}  loss {:.5f}  {:.1f} frames/s  simulated {:.1f} us a step  matrix unit {:.2f} %  {} left",
      progress.step, progress.steps, progress.loss, progress.frames_per_second,
      progress.simulated_seconds_per_step * 1e6, 100 * progress.matrix_utilisation,
      duration(progress.seconds_left));
  if (terminal_) {
    say("\r\033[K" + line);
    std::fflush(stderr);
    open_ = true;
  } else {
    say(line + "\n");
  }
}

void ProgressLine::finish() {
  if (open_) say("\n");
  open_ = false;
}

}  // namespace dojo::tools
