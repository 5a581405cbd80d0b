// The state of the pipeline of several threads as words, relative to its present cycle, and back.
//
// Words: the cycle within a round of turns with the threads that run; the shared pipes, divider and ports
// (which of several ports is free makes no difference, so they are sorted); then per running thread its flags
// with what follows, its own times, its registers whose values lie ahead, its queue and what it has still to
// pass on. Times are cycles from now, 0 for all that are past.
#include <algorithm>

#include "base/bits.h"
#include "base/error.h"
#include "node/smt_pipeline.h"

namespace dojo::node {

namespace {

enum Flag : std::uint32_t { is_stopping = 1, is_stop_fed = 2, is_finishing = 4 };
constexpr unsigned tiles_shift = 4, queued_shift = 8, pieces_shift = 16, running_shift = 8;

}  // namespace

template <typename Visit>
void SmtPipeline::each_shared_time(Visit visit) {
  for (Cycle* at : {&simd_, &matrix_, &divider_}) visit(*at);
  for (std::uint64_t i = 0; i < node_->sram_load_ports; ++i) visit(loads_[i]);
  for (std::uint64_t i = 0; i < node_->sram_store_ports; ++i) visit(stores_[i]);
}

void SmtPipeline::state(std::vector<std::uint32_t>& words) {
  words.clear();
  words.push_back(static_cast<std::uint32_t>(now_ % count_) | running_ << running_shift);
  const auto put = [&](Cycle at) { words.push_back(at > now_ ? static_cast<std::uint32_t>(at - now_) : 0); };
  std::sort(loads_.begin(), loads_.begin() + static_cast<std::ptrdiff_t>(node_->sram_load_ports));
  std::sort(stores_.begin(), stores_.begin() + static_cast<std::ptrdiff_t>(node_->sram_store_ports));
  each_shared_time(put);
  for_each_bit(running_, [&](unsigned number) {
    Thread& t = threads_[number];
    std::uint32_t tiles = 0;
    for (unsigned i = 0; i < 4; ++i)
      tiles |= std::uint32_t{t.tile[i].ready > now_ || t.tile[i].forward > now_} << i;
    for_each_bit(t.x_ahead, [&](unsigned r) { t.x_ahead ^= std::uint32_t{t.x[r] <= now_} << r; });
    for_each_bit(t.f_ahead, [&](unsigned r) { t.f_ahead ^= std::uint32_t{t.f[r] <= now_} << r; });
    for_each_bit(t.v_ahead, [&](unsigned r) { t.v_ahead ^= std::uint32_t{t.v[r].last <= now_} << r; });
    words.push_back(t.stopping * is_stopping | t.stop_fed * is_stop_fed | t.finishing * is_finishing |
                    tiles << tiles_shift | t.queued << queued_shift | t.pieces << pieces_shift);
    for (const Cycle at : {t.config, t.done, t.front_ready}) put(at);
    words.push_back(t.stopping || t.finishing ? t.passed_bucket : 0);
    words.insert(words.end(), {t.x_ahead, t.f_ahead, t.v_ahead});
    for_each_bit(t.x_ahead, [&](unsigned r) { put(t.x[r]); });
    for_each_bit(t.f_ahead, [&](unsigned r) { put(t.f[r]); });
    for_each_bit(t.v_ahead, [&](unsigned r) { put(t.v[r].first), put(t.v[r].last); });
    for_each_bit(tiles, [&](unsigned i) { put(t.tile[i].forward), put(t.tile[i].ready); });
    for (std::uint32_t i = 0; i < t.queued; ++i) words.push_back(queued(t, i));
    for (std::uint32_t i = 0; i < t.pieces; ++i)
      words.insert(words.end(), {piece(t, i).first, piece(t, i).count});
  });
}

void SmtPipeline::resume(std::span<const std::uint32_t> words) {
  auto word = words.begin();
  now_ = *word & ((1u << running_shift) - 1);
  running_ = *word++ >> running_shift;
  hungry_ = finishing_ = 0;
  spent_.clear();
  threads_.fill({});
  const auto get = [&](Cycle& at) {
    at = *word == 0 ? 0 : now_ + *word;
    ++word;
  };
  each_shared_time(get);
  for_each_bit(running_, [&](unsigned number) {
    Thread& t = threads_[number];
    const std::uint32_t flags = *word++;
    t.stopping = (flags & is_stopping) != 0;
    t.stop_fed = (flags & is_stop_fed) != 0;
    t.finishing = (flags & is_finishing) != 0;
    for (Cycle* at : {&t.config, &t.done, &t.front_ready}) get(*at);
    for (std::uint32_t* mask : {&t.passed_bucket, &t.x_ahead, &t.f_ahead, &t.v_ahead}) *mask = *word++;
    for_each_bit(t.x_ahead, [&](unsigned r) { get(t.x[r]); });
    for_each_bit(t.f_ahead, [&](unsigned r) { get(t.f[r]); });
    for_each_bit(t.v_ahead, [&](unsigned r) { get(t.v[r].first), get(t.v[r].last); });
    for_each_bit(flags >> tiles_shift & 0xf,
                 [&](unsigned i) { get(t.tile[i].forward), get(t.tile[i].ready); });
    for (std::uint32_t left = flags >> queued_shift & 0xff; left != 0; --left) enqueue(t, *word++);
    for (std::uint32_t left = flags >> pieces_shift; left != 0; --left, word += 2) {
      piece(t, t.pieces++) = {word[0], word[1]};
      t.waiting += word[1];
    }
    finishing_ |= std::uint32_t{t.finishing} << number;
    if (!t.stop_fed && !t.finishing && t.waiting <= node_->decode_width) hungry_ |= 1u << number;
  });
  DOJO_ENSURE(word == words.end());
}

}  // namespace dojo::node
