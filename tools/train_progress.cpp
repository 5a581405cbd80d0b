#include "train_progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <string>

#include "report/duration.h"
#include "say.h"

namespace dojo::tools {

namespace {

// A log that cannot be written, on a full disk for instance, must not end a long run.
void write(const std::string& text) { std::fputs(text.c_str(), stderr); }

}  // namespace

ProgressLine::ProgressLine() : terminal_(isatty(STDERR_FILENO) != 0) {}

void ProgressLine::phase(std::string_view what) {
  finish();
  say("{}...", what);
}

void ProgressLine::show(const training::Progress& progress) {
  show(fmt::format("step {}/{}  loss {:.5f}  {:.1f} frames/s  simulated {:.1f} us a step  matrix unit {:.2f} "
                   "%  {} left",
                   progress.step, progress.steps, progress.loss, progress.frames_per_second,
                   progress.simulated_seconds_per_step * 1e6, 100 * progress.matrix_utilisation,
                   report::duration(progress.seconds_left)),
       progress.step == progress.steps);
}

// The first batch, which also translates the program, says nothing of the pace.
void ProgressLine::show_frames(std::size_t done, std::size_t all) {
  std::string words = fmt::format("frame {}/{}", done, all);
  if (!predicting_) {
    predicting_.emplace();
    before_ = done;
  } else {
    const double pace = static_cast<double>(done - before_) / predicting_->seconds();
    words += fmt::format("  {:.1f} frames/s  {} left", pace,
                         report::duration(static_cast<double>(all - done) / pace));
  }
  show(words, done == all);
}

void ProgressLine::show(const std::string& words, bool last) {
  const auto now = std::chrono::steady_clock::now();
  if (!terminal_ && !last && now - last_ < std::chrono::seconds(10)) return;
  last_ = now;
  if (terminal_) {
    write("\r\033[K" + words);
    std::fflush(stderr);
    open_ = true;
  } else {
    write(words + "\n");
  }
}

void ProgressLine::finish() {
  if (open_) write("\n");
  open_ = false;
}

}  // namespace dojo::tools
