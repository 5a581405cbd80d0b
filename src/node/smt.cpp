// States form a graph: an edge for each code run fed, each start and each finish, with the time that passes
// then, and one for time alone. Edges are pure functions of the state, so whichever node of the launch comes
// by first computes them.
#include "node/smt.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/error.h"
#include "node/pipeline.h"

namespace dojo::node {

namespace {

constexpr Cycle no_limit = Cycle{1} << 60;

// A remembered input costs about a fifth of one without remembering, one that is remembered in vain five
// times as much.
constexpr std::int64_t cost_in_vain = 3;
constexpr std::int64_t most_backoff = 65536, credit_share = 16;

std::uint64_t mixed(std::uint64_t hash, std::uint64_t word) {
  return (hash ^ hash >> 29 ^ word) * 0xc4ceb9fe1a85ec53u;
}

std::uint64_t hash_of(std::span<const std::uint32_t> words) {
  std::uint64_t hash = words.size();
  std::size_t i = 0;
  for (; i + 2 <= words.size(); i += 2) hash = mixed(hash, words[i] | std::uint64_t{words[i + 1]} << 32);
  if (i < words.size()) hash = mixed(hash, words[i]);
  return hash ^ hash >> 32;
}

// One entry for each bucket and cause.
std::vector<SmtSpent> summed(std::vector<SmtSpent> spent) {
  std::ranges::sort(spent, {}, [](const SmtSpent& s) { return std::pair(s.bucket, s.cause); });
  std::vector<SmtSpent> sum;
  for (const SmtSpent& s : spent) {
    if (!sum.empty() && sum.back().bucket == s.bucket && sum.back().cause == s.cause)
      sum.back().cycles += s.cycles;
    else
      sum.push_back(s);
  }
  return sum;
}

}  // namespace

std::size_t SmtTiming::KeyHash::operator()(const Key& key) const {
  std::uint64_t hash = key.words.size();
  for (const std::uint64_t word : key.words) hash = mixed(hash, word);
  return hash ^ hash >> 32;
}

SmtTiming::SmtTiming(const machine::Node& node, unsigned threads, CountBy count_by, std::size_t most_states)
    : node_(node), threads_(threads), count_by_(count_by), most_states_(most_states), table_(1024) {}

// --- Code -----------------------------------------------------------------------------------------------

std::uint32_t SmtTiming::bucket(std::uint64_t of) {
  const auto [entry, is_new] = bucket_numbers_.try_emplace(of, static_cast<std::uint32_t>(buckets_.size()));
  if (is_new) {
    buckets_.push_back(of);
    spent_.emplace_back();
  }
  return entry->second;
}

std::uint32_t SmtTiming::new_code_run(const Transition& ran, std::uint32_t op) {
  if (ran.number >= seen_.size()) seen_.resize(ran.number * 2 + 1);
  const isa::Block& block = static_cast<const CodeBlock*>(ran.block)->block;
  Seen& seen = seen_[ran.number];
  seen = {op, code_run({&block, block.count, ConfigWord{ran.config}.decode(), ran.exit}, false, op)};
  return seen.run;
}

std::uint32_t SmtTiming::code_run(const RecordedBlock& ran, bool is_own, std::uint32_t op) {
  const Config& c = ran.config;
  const std::uint32_t under = count_by_ == CountBy::op ? op : 0;
  Key key{{std::uint64_t{under} << 32 | ran.count,
           c.vl | std::uint64_t{c.sew_log2} << 16 |
               std::uint64_t{static_cast<std::uint8_t>(c.lmul_log2)} << 24 | std::uint64_t{c.widen} << 32 |
               std::uint64_t{c.tile_m} << 40 | std::uint64_t{c.tile_k} << 48 |
               static_cast<std::uint64_t>(ran.exit) << 56 | std::uint64_t{is_own} << 63,
           is_own ? ran.block->pc : reinterpret_cast<std::uintptr_t>(ran.block)}};
  for (std::uint32_t i = 0; is_own && i < ran.count; ++i) key.words.push_back(ran.block->code[i].word);
  const auto [entry, is_new] =
      known_code_runs_.try_emplace(std::move(key), static_cast<std::uint32_t>(code_runs_.size()));
  if (!is_new) return entry->second;

  CodeRun& made = code_runs_.emplace_back();
  made.first = static_cast<std::uint32_t>(instructions_.size());
  std::uint64_t pc = ran.block->pc;
  const std::vector<TimedInstruction> instructions =
      timed_instructions(*ran.block, ran.count, c, ran.exit, node_);
  for (std::uint32_t i = 0; i < instructions.size(); ++i) {
    if (count_by_ == CountBy::address && i < ran.count) made.addresses.push_back(pc);
    if (instructions[i].cost.route != Route::free)  // a marker takes no time
      instructions_.emplace_back(instructions[i]).bucket = bucket(count_by_ == CountBy::op ? op : pc);
    pc += ran.block->code[i].length;
  }
  made.count = static_cast<std::uint32_t>(instructions_.size()) - made.first;
  return entry->second;
}

// --- States ---------------------------------------------------------------------------------------------

// Where the state of these words is in the table, or belongs.
SmtTiming::State*& SmtTiming::slot(std::span<const std::uint32_t> of, std::uint64_t hash) {
  for (std::size_t i = hash;; ++i) {
    State*& at = table_[i & (table_.size() - 1)];
    if (at == nullptr || (at->hash == hash && std::ranges::equal(words(*at), of))) return at;
  }
}

// The state that the pipeline is in.
SmtTiming::State* SmtTiming::know(SmtPipeline& pipeline) {
  if (store_.size() * 2 >= table_.size()) {
    table_.assign(table_.size() * 2, nullptr);
    for (State& state : store_) slot(words(state), state.hash) = &state;
  }
  pipeline.state(new_words_);
  const std::uint64_t hash = hash_of(new_words_);
  State*& at = slot(new_words_, hash);
  if (at == nullptr) {
    at = &store_.emplace_back(State{.first_word = words_.size(),
                                    .words = static_cast<std::uint32_t>(new_words_.size()),
                                    .running = pipeline.running(),
                                    .hungry = pipeline.hungry(),
                                    .hash = hash,
                                    .countdown = countdown_});
    words_.insert(words_.end(), new_words_.begin(), new_words_.end());
  }
  return at;
}

void SmtTiming::apply(SmtPipeline& pipeline, const Input& input) const {
  switch (input.what) {
    case start_input:
      return pipeline.start(input.thread);
    case finish_input:
      return pipeline.finish(input.thread);
    case no_input:
      return;
    default:
      return pipeline.feed(input.thread, code_runs_[input.what].first, code_runs_[input.what].count);
  }
}

// `pipeline` is in the state, and then where the edge leads.
SmtTiming::Edge* SmtTiming::make(State& from, const Input& input, SmtPipeline& pipeline) {
  Edge& edge = edges_.emplace_back(Edge{.input = input, .spent = {}, .next = from.edges});
  from.edges = &edge;
  apply(pipeline, input);
  if (pipeline.hungry() == 0 && pipeline.running() != 0) {
    const Cycle begin = pipeline.now();
    edge.stopped = pipeline.run(no_limit);
    edge.cycles = pipeline.now() - begin;
    pipeline.take_spent(edge.spent);
    edge.spent = summed(std::move(edge.spent));
  }
  edge.to = know(pipeline);
  return &edge;
}

// Forgets all states but those that the timers are in.
void SmtTiming::renew() {
  for (const Edge& edge : edges_) add(edge.spent, edge.times);
  std::vector<std::vector<std::uint32_t>> present;
  for (const SmtTimer* timer : timers_) {
    auto& kept = present.emplace_back();
    if (timer->state_ == nullptr) continue;
    const auto words_of = words(*timer->state_);
    kept.assign(words_of.begin(), words_of.end());
  }
  std::vector<std::optional<Input>> under_way;
  for (const SmtTimer* timer : timers_)
    under_way.push_back(timer->edge_ != nullptr ? std::optional(timer->edge_->input) : std::nullopt);
  ++renewals_;
  std::ranges::fill(table_, nullptr);
  store_.clear();
  edges_.clear();
  words_.clear();
  for (std::size_t i = 0; i < timers_.size(); ++i) {
    SmtTimer& timer = *timers_[i];
    if (timer.state_ == nullptr) continue;
    timer.pipeline_.resume(present[i]);
    timer.pipeline_state_ = timer.state_ = know(timer.pipeline_);
    if (!under_way[i]) continue;
    timer.edge_ = find(*timer.state_, *under_way[i]);
    if (timer.edge_ != nullptr) continue;
    timer.edge_ = make(*timer.state_, *under_way[i], timer.pipeline_);
    timer.pipeline_state_ = timer.edge_->to;
  }
}

// --- Counts ---------------------------------------------------------------------------------------------

void SmtTiming::add(std::span<const SmtSpent> spent, std::uint64_t times) {
  for (const SmtSpent& one : spent)
    spent_[one.bucket][static_cast<std::size_t>(one.cause)] += one.cycles * times;
}

std::map<std::uint64_t, std::array<std::uint64_t, causes>> SmtTiming::spent() const {
  std::map<std::uint64_t, std::array<std::uint64_t, causes>> sum;
  for (std::size_t i = 0; i < spent_.size(); ++i) sum[buckets_[i]] = spent_[i];
  for (const Edge& edge : edges_)
    for (const SmtSpent& one : edge.spent)
      sum[buckets_[one.bucket]][static_cast<std::size_t>(one.cause)] += one.cycles * edge.times;
  std::erase_if(sum, [](const auto& of) { return of.second == std::array<std::uint64_t, causes>{}; });
  return sum;
}

std::map<std::uint64_t, std::uint64_t> SmtTiming::instructions() const {
  std::map<std::uint64_t, std::uint64_t> sum;
  for (const CodeRun& run : code_runs_)
    for (const std::uint64_t address : run.addresses) sum[address] += run.times;
  return sum;
}

// --- A node ---------------------------------------------------------------------------------------------

SmtTimer::SmtTimer(SmtTiming& timing)
    : timing_(timing),
      pipeline_(timing.node_, timing.threads_, timing.instructions_),
      begun_(pipeline_),
      credit_(most_credit),
      unremembered_(0),
      backoff_(first_backoff) {
  state_ = timing_.know(pipeline_);
  pipeline_state_ = state_;
  timing_.timers_.push_back(this);
}

SmtTimer::~SmtTimer() { std::erase(timing_.timers_, this); }

void SmtTimer::start(unsigned thread) {
  DOJO_ENSURE(!running(thread));
  if (under_way_) cut(now_);
  input({thread, SmtTiming::start_input});
}

void SmtTimer::finish(unsigned thread) { input({thread, SmtTiming::finish_input}); }

void SmtTimer::input(const SmtTiming::Input& input) {
  DOJO_ENSURE(!under_way_ && (hungry_ == 0 || input.what != SmtTiming::no_input));
  if (follow(input)) return;
  if (state_ == nullptr && --unremembered_ < 0) {
    state_ = timing_.know(pipeline_);
    pipeline_state_ = state_;
    credit_ = cost_in_vain * backoff_ / credit_share;
    backoff_ = std::min(2 * backoff_, most_backoff);
  }
  if (state_ == nullptr || !remember(input)) run_unremembered(input);
}

// Makes an edge for the input. False if that is not worth while.
bool SmtTimer::remember(const SmtTiming::Input& input) {
  if (timing_.states() > timing_.most_states_) timing_.renew();
  load_pipeline();
  credit_ -= cost_in_vain;
  if (credit_ < 0) {
    state_ = nullptr;
    unremembered_ = backoff_;
    return false;
  }
  // Known are the edges of a state that was come to without being looked at.
  pipeline_state_ = state_;
  if (SmtTiming::find(*state_, input) == nullptr)
    pipeline_state_ = timing_.make(*state_, input, pipeline_)->to;
  DOJO_ENSURE(follow(input));
  return true;
}

void SmtTimer::run_unremembered(const SmtTiming::Input& input) {
  timing_.apply(pipeline_, input);
  running_ = pipeline_.running();
  hungry_ = pipeline_.hungry();
  if (hungry_ != 0 || running_ == 0) return;
  if (running_ != (1u << timing_.threads_) - 1) begun_ = pipeline_;
  const Cycle begin = pipeline_.now();
  stopping_ = pipeline_.run(no_limit);
  due_ = now_ + pipeline_.now() - begin;
  under_way_ = true;
}

void SmtTimer::load_pipeline() {
  if (pipeline_state_ != state_) pipeline_.resume(timing_.words(*state_));
  pipeline_state_ = nullptr;
}

void SmtTimer::count_spent() {
  pipeline_.take_spent(spent_);
  timing_.add(spent_, 1);
}

unsigned SmtTimer::advance_otherwise(Cycle to) {
  DOJO_ENSURE(to >= now_ && hungry_ == 0);
  if (to == now_) return 0;
  if (!under_way_) {
    DOJO_ENSURE(running_ == 0);
    if (state_ != nullptr) load_pipeline();
    pipeline_.pass_to(pipeline_.now() + to - now_);
    now_ = to;
    if (state_ != nullptr) pipeline_state_ = state_ = timing_.know(pipeline_);
    return 0;
  }
  if (to < due_) {
    cut(to);
    return 0;
  }
  DOJO_ENSURE(to == due_ && state_ == nullptr);
  now_ = to;
  under_way_ = false;
  running_ = pipeline_.running();
  hungry_ = pipeline_.hungry();
  count_spent();
  return stopping_;
}

// The time under way ends at `to` already, since a thread starts there.
void SmtTimer::cut(Cycle to) {
  under_way_ = false;
  if (state_ != nullptr) {
    load_pipeline();
    timing_.apply(pipeline_, edge_->input);
  } else {
    DOJO_ENSURE(running_ != (1u << timing_.threads_) - 1);
    std::swap(pipeline_, begun_);
  }
  if (to > now_) {
    DOJO_ENSURE(pipeline_.run(to - now_) == 0 && pipeline_.hungry() == 0);
    now_ = to;
    count_spent();
  }
  if (state_ == nullptr) return;
  edge_ = nullptr;
  adopt(timing_.know(pipeline_));
  pipeline_state_ = state_;
}

}  // namespace dojo::node
