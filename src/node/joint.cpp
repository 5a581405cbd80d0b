// States form a graph: an edge for each start, each stretch of code fed and each finish, and one for the time
// that passes from a state in which nobody wants anything. Both kinds of edges are pure functions of the
// state, so whichever node of the launch comes by first computes them.
#include "node/joint.h"

#include <algorithm>
#include <bit>

#include "base/error.h"
#include "node/pipeline.h"

namespace dojo::node {

namespace {

std::size_t mixed(std::uint64_t hash, std::uint64_t word) {
  return (hash ^ hash >> 29 ^ word) * 0xc4ceb9fe1a85ec53u;
}

}  // namespace

std::size_t JointTiming::ByWords::operator()(const State* state) const {
  std::uint64_t hash = state->words.size();
  for (const std::uint32_t word : state->words) hash = mixed(hash, word);
  return hash ^ hash >> 32;
}

std::size_t JointTiming::KeyHash::operator()(const Key& key) const {
  std::uint64_t hash = key.words.size();
  for (const std::uint64_t word : key.words) hash = mixed(hash, word);
  return hash ^ hash >> 32;
}

JointTiming::JointTiming(const machine::Node& node, unsigned threads, Places places, std::size_t most_states)
    : node_(node),
      threads_(threads),
      places_(places),
      most_states_(most_states),
      idle_(threads),
      pipeline_(node, threads, Keep::places) {}

// --- Code -----------------------------------------------------------------------------------------------

std::uint32_t JointTiming::stretch(const RecordedBlock& ran, bool is_own, std::uint32_t op) {
  const Config& c = ran.config;
  const std::uint32_t place = places_ == Places::ops ? op : 0;
  Key key{{std::uint64_t{place} << 32 | ran.count,
           c.vl | std::uint64_t{c.sew_log2} << 16 |
               std::uint64_t{static_cast<std::uint8_t>(c.lmul_log2)} << 24 | std::uint64_t{c.widen} << 32 |
               std::uint64_t{c.tile_m} << 40 | std::uint64_t{c.tile_k} << 48 |
               static_cast<std::uint64_t>(ran.exit) << 56 | std::uint64_t{is_own} << 63,
           is_own ? ran.block->pc : reinterpret_cast<std::uintptr_t>(ran.block)}};
  for (std::uint32_t i = 0; is_own && i < ran.count; ++i) key.words.push_back(ran.block->code[i].word);
  const auto [entry, is_new] =
      known_stretches_.try_emplace(std::move(key), static_cast<std::uint32_t>(stretches_.size()));
  if (!is_new) return entry->second;

  Stretch& made = stretches_.emplace_back();
  made.first = static_cast<std::uint32_t>(steps_.size());
  made.stops = ran.exit == Exit::stopped;
  std::uint64_t pc = ran.block->pc;
  const std::vector<Step> steps = steps_of(*ran.block, ran.count, c, ran.exit, node_);
  for (std::uint32_t i = 0; i < steps.size(); ++i) {
    if (places_ == Places::addresses) made.addresses.push_back(pc);
    if (steps[i].job.route != Route::free) {  // a marker takes no time
      Step& step = steps_.emplace_back(steps[i]);
      step.number = static_cast<std::uint32_t>(steps_.size() - 1);
      step.place = places_ == Places::ops ? op : pc;
    }
    pc += ran.block->code[i].length;
  }
  made.count = static_cast<std::uint32_t>(steps_.size()) - made.first;
  if (is_own && made.count != 0) steps_.back().drains = !made.stops;
  return entry->second;
}

// --- States ---------------------------------------------------------------------------------------------

const JointTiming::State* JointTiming::idle(Cycle now) {
  const State*& known = idle_[static_cast<std::size_t>(now) % threads_];
  if (known == nullptr) {
    Situation words = ReferencePipeline(node_, threads_, Keep::places).situation();
    words.front() = static_cast<std::uint32_t>(now % static_cast<Cycle>(threads_));
    words.push_back(0);
    known = know(std::move(words), false);
  }
  return known;
}

const JointTiming::State* JointTiming::know_pipeline(unsigned running) {
  Situation words = pipeline_.situation();
  words.push_back(running);
  return pipeline_state_ = know(std::move(words), true);
}

const JointTiming::State* JointTiming::know(Situation words, bool pipeline_is_there) {
  State candidate;
  candidate.words = std::move(words);
  if (const auto found = states_.find(&candidate); found != states_.end()) return *found;
  State& made = store_.emplace_back(std::move(candidate));
  made.running = made.words.back();
  states_.insert(&made);
  if (!pipeline_is_there) pipeline_at(made);
  for (unsigned thread = 0; thread < threads_ && made.wants < 0; ++thread)
    if ((made.running >> thread & 1) != 0 && pipeline_.hungry(thread)) made.wants = static_cast<int>(thread);
  return &made;
}

ReferencePipeline& JointTiming::pipeline_at(const State& state) {
  if (pipeline_state_ != &state) {
    pipeline_.resume(state.words, [this](std::uint32_t number) -> const Step& { return steps_[number]; });
    pipeline_state_ = &state;
  }
  return pipeline_;
}

const JointTiming::State* JointTiming::after(const State& from, unsigned thread, std::uint32_t what) {
  if (what < finish_edge) ++stretches_[what].times;
  for (const Edge& edge : from.edges)
    if (edge.thread == thread && edge.what == what) return edge.to;
  ReferencePipeline& pipeline = pipeline_at(from);
  unsigned running = from.running;
  if (what == start_edge) {
    running |= 1u << thread;
  } else if (what == finish_edge) {
    pipeline.finish(thread);
  } else {
    const Stretch& stretch = stretches_[what];
    for (std::uint32_t i = 0; i < stretch.count; ++i) pipeline.feed(thread, steps_[stretch.first + i]);
  }
  return from.edges.emplace_back(Edge{thread, what, know_pipeline(running)}).to;
}

const JointTiming::Run& JointTiming::run(const State& from) {
  if (from.run) return *from.run;
  ReferencePipeline& pipeline = pipeline_at(from);
  pipeline.take_spent();
  const Cycle begin = pipeline.now();
  Run run;
  for (bool wanted = false; !wanted && run.stopped == 0;) {
    pipeline.tick();
    for (unsigned thread = 0; thread < threads_; ++thread) {
      if ((from.running >> thread & 1) == 0) continue;
      wanted |= pipeline.hungry(thread);
      if (pipeline.stopped(thread) || pipeline.finished(thread)) run.stopped |= 1u << thread;
    }
  }
  for (unsigned thread = 0; thread < threads_; ++thread)
    if ((run.stopped >> thread & 1) != 0) pipeline.acknowledge(thread);
  run.cycles = pipeline.now() - begin;
  run.spent = pipeline.take_spent();
  run.to = know_pipeline(from.running & ~run.stopped);
  return from.run.emplace(std::move(run));
}

const JointTiming::State* JointTiming::part(const State& from, Cycle cycles) {
  ReferencePipeline& pipeline = pipeline_at(from);
  pipeline.take_spent();
  for (Cycle i = 0; i < cycles; ++i) pipeline.tick();
  add(pipeline.take_spent(), 1);
  return know_pipeline(from.running);
}

// Forgets all states but those that the timers are in.
void JointTiming::renew() {
  for (const State& state : store_)
    if (state.run) add(state.run->spent, state.run->times);
  std::vector<Situation> present;
  for (const JointTimer* timer : timers_) present.push_back(timer->state_->words);
  states_.clear();
  store_.clear();
  std::ranges::fill(idle_, nullptr);
  pipeline_state_ = nullptr;
  for (std::size_t i = 0; i < timers_.size(); ++i) timers_[i]->state_ = know(std::move(present[i]), false);
}

// --- Counts ---------------------------------------------------------------------------------------------

void JointTiming::add(const std::vector<Spent>& spent, std::uint64_t times) {
  for (const Spent& one : spent)
    for (std::size_t c = 0; c < causes; ++c) spent_[one.place][c] += one.cycles[c] * times;
}

std::map<std::uint64_t, std::array<std::uint64_t, causes>> JointTiming::spent() const {
  std::map<std::uint64_t, std::array<std::uint64_t, causes>> sum(spent_.begin(), spent_.end());
  for (const State& state : store_) {
    if (!state.run) continue;
    for (const Spent& one : state.run->spent)
      for (std::size_t c = 0; c < causes; ++c) sum[one.place][c] += one.cycles[c] * state.run->times;
  }
  return sum;
}

std::map<std::uint64_t, std::uint64_t> JointTiming::instructions() const {
  std::map<std::uint64_t, std::uint64_t> sum;
  for (const Stretch& stretch : stretches_)
    for (const std::uint64_t address : stretch.addresses) sum[address] += stretch.times;
  return sum;
}

// --- A node ---------------------------------------------------------------------------------------------

JointTimer::JointTimer(JointTiming& timing) : timing_(timing), state_(timing.idle(0)) {
  timing_.timers_.push_back(this);
}

JointTimer::~JointTimer() { std::erase(timing_.timers_, this); }

void JointTimer::move(unsigned thread, std::uint32_t what) {
  if (timing_.states_.size() > timing_.most_states_) timing_.renew();
  state_ = timing_.after(*state_, thread, what);
}

void JointTimer::start(unsigned thread) {
  DOJO_ENSURE(!running(thread));
  move(thread, JointTiming::start_edge);
}

std::optional<unsigned> JointTimer::wants() const {
  return state_->wants < 0 ? std::nullopt : std::optional(static_cast<unsigned>(state_->wants));
}

void JointTimer::feed(unsigned thread, std::uint32_t stretch) { move(thread, stretch); }

void JointTimer::finish(unsigned thread) { move(thread, JointTiming::finish_edge); }

std::optional<Cycle> JointTimer::next() {
  DOJO_ENSURE(state_->wants < 0);
  if (state_->running == 0) return std::nullopt;
  return now_ + timing_.run(*state_).cycles;
}

unsigned JointTimer::advance(Cycle to) {
  DOJO_ENSURE(to >= now_);
  if (to == now_) return 0;
  const Cycle begin = std::exchange(now_, to);
  if (state_->running == 0) {
    state_ = timing_.idle(to);
    return 0;
  }
  DOJO_ENSURE(state_->wants < 0);
  const JointTiming::Run& run = timing_.run(*state_);
  DOJO_ENSURE(to - begin <= run.cycles);
  if (to - begin < run.cycles) {
    state_ = timing_.part(*state_, to - begin);
    return 0;
  }
  ++run.times;
  state_ = run.to;
  return run.stopped;
}

}  // namespace dojo::node
