// Noting, and what is made of it; then running.
#include "node/smt_trace.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <utility>

#include "base/error.h"
#include "node/path.h"

namespace dojo::node {

namespace {

// So many turns tell whether a short loop is in another, which comes again as a whole.
constexpr std::size_t long_enough = 64, most_turns = 1024, least_turns = 8;
constexpr std::size_t most_turns_of_all = std::size_t{1} << 18;
// A trace that runs fewer blocks than this on average costs more than it saves.
constexpr std::uint64_t runs_on_trial = 64, least_blocks = 8;
// Between two looks at what else there is to do.
constexpr std::uint64_t most_blocks = 1 << 14;
constexpr std::int32_t never = std::numeric_limits<std::int32_t>::max(), attempts_apart = 16;

}  // namespace

SmtTraces::SmtTraces(CodeImage& image, SmtTiming& timing, std::int32_t after)
    : image_(image), timing_(timing), next_attempt_(attempts_apart * (after + 1)) {
  timing.countdown_ = after;
}

// --- Noting ---------------------------------------------------------------------------------------------

void SmtTraces::note(const SmtTimer& timer, const State* before, const isa::Hart& hart,
                     const Transition& transition, std::uint32_t code_run) {
  if (renewals_ != timing_.renewals_) return renew();
  Noting& n = noting_;
  if (timer.state_ == nullptr || !add_turn(before, hart, transition, code_run)) return end_note();
  if (n.at == n.head) n.returned = n.turns.size();
  const std::size_t period = note_period();
  const bool comes_again = n.turns.size() >= std::max(long_enough, 2 * period);
  if (comes_again) n.returned = period;
  if (comes_again || n.turns.size() == most_turns) end_note();
}

// The fewest turns after which all those noted so far have come again: their number less that of the longest
// run of turns that they both begin and end with, which follows from the longest ones of their beginnings
// (Knuth, Morris, Pratt 1977).
std::size_t SmtTraces::note_period() {
  const std::vector<Turn>& turns = noting_.turns;
  std::vector<std::size_t>& same = noting_.same;
  const SmtTiming::Edge* last = turns.back().edge;
  std::size_t length = same.empty() ? 0 : same.back();
  while (length != 0 && turns[length].edge != last) length = same[length - 1];
  same.push_back(same.empty() ? 0 : length + (turns[length].edge == last));
  return turns.size() - same.back();
}

// False: no trace goes through it.
bool SmtTraces::add_turn(const State* before, const isa::Hart& hart, const Transition& transition,
                         std::uint32_t code_run) {
  const auto earlier = std::find_if(noting_.turns.rbegin(), noting_.turns.rend(),
                                    [&](const Turn& turn) { return turn.thread == hart.thread; });
  const bool leads_here = earlier == noting_.turns.rend() ||
                          (earlier->target == static_cast<const CodeBlock*>(transition.block)->block.pc &&
                           earlier->op == hart.op);
  if (before != noting_.at || !leads_here) return false;
  SmtTiming::Edge* edge = SmtTiming::find(*before, {hart.thread, code_run});
  const CodeBlock& block = *static_cast<const CodeBlock*>(transition.block);
  const Translation* translation = block.translation(ConfigWord{transition.config});
  if (edge == nullptr || edge->stopped != 0 || translation == nullptr ||
      !may_be_passed(block, transition.exit))
    return false;
  const void* code = image_.turn(*translation, hart.vlen_bits);
  if (code == nullptr) return false;
  noting_.turns.push_back({.from = noting_.at,
                           .edge = edge,
                           .transition = &transition,
                           .translation = translation,
                           .code = code,
                           .code_run = code_run,
                           .op = hart.op,
                           .thread = hart.thread,
                           .target = hart.pc});
  noting_.at = edge->to;
  return true;
}

// With what there is.
void SmtTraces::end_note() {
  Noting n = std::exchange(noting_, {});
  n.head->countdown = next_attempt_;
  if (n.returned != 0) n.turns.resize(n.returned);
  if (n.turns.size() >= least_turns && turns_ + n.turns.size() <= most_turns_of_all)
    keep(std::move(n.turns), n.returned != 0);
}

void SmtTraces::keep(std::vector<Turn> turns, bool loops) {
  SmtTrace& trace = traces_.emplace_back(plan(std::move(turns), loops));
  turns_ += trace.turns.size();
  for (std::size_t i = 0; i < trace.turns.size(); ++i) {
    State& state = *trace.turns[i].from;
    if (state.trace != 0) continue;
    state.trace = static_cast<std::uint32_t>(traces_.size());
    state.turn = static_cast<std::uint32_t>(i);
    state.countdown = 0;
  }
}

SmtTraces::SmtTrace SmtTraces::plan(std::vector<Turn> turns, bool loops) const {
  SmtTrace trace;
  const std::size_t count = turns.size();
  trace.boundaries.resize(count + 1);
  // A loop twice around, so that its beginning knows what came before it.
  int floats = -1;
  for (unsigned round = 0; round < 2; ++round) {
    Cycle cycles = 0;
    for (std::size_t i = 0; i < count; ++i) {
      trace.boundaries[i].cycles = cycles;
      trace.boundaries[i].floats = floats;
      cycles += turns[i].edge->cycles;
      if (turns[i].block().block.floats) floats = static_cast<int>(turns[i].thread);
    }
    trace.boundaries[count].cycles = cycles;
    trace.boundaries[count].floats = floats;
    if (!loops) break;
  }
  for (const Turn& turn : turns) {
    trace.threads |= 1u << turn.thread;
    trace.floats |= std::uint32_t{turn.block().block.floats} << turn.thread;
    trace.op[turn.thread] = turn.op;
    trace.instructions[turn.thread] += turn.block().block.count;
    trace.boundaries[count].pc[turn.thread] = turn.target;
  }
  for (std::size_t i = count; i-- > 0;) {
    trace.boundaries[i].pc = trace.boundaries[i + 1].pc;
    trace.boundaries[i].pc[turns[i].thread] = turns[i].block().block.pc;
  }
  for (std::size_t i = 0; i < count; ++i) {
    const Turn& turn = turns[i];
    const bool changes =
        turn.block().block.floats && trace.boundaries[i].floats != static_cast<int>(turn.thread);
    trace.code.push_back({.entry = changes ? image_.turn_of_floats() : turn.code,
                          .code = turn.code,
                          .target = turn.target,
                          .way = static_cast<std::uint32_t>(turn.transition->exit),
                          .hart = turn.thread * static_cast<std::uint32_t>(sizeof(isa::Hart*))});
  }
  trace.code.push_back({.entry = image_.turns_end(), .hart = trace.code[0].hart});
  trace.loops = loops && trace.boundaries[0].pc == trace.boundaries[count].pc;
  trace.turns = std::move(turns);
  return trace;
}

void SmtTraces::retire(const SmtTrace& trace) {
  for (const Turn& turn : trace.turns) {
    if (turn.from->trace == 0 || &traces_[turn.from->trace - 1] != &trace) continue;
    turn.from->trace = 0;
    turn.from->countdown = never;
  }
}

// The states are gone, and with them what began there.
void SmtTraces::renew() {
  renewals_ = timing_.renewals_;
  traces_.clear();
  turns_ = 0;
  noting_ = {};
}

// --- Running --------------------------------------------------------------------------------------------

SmtTraces::Ran SmtTraces::next(SmtTimer& timer, const SmtThreads& threads, unsigned able,
                               isa::FloatTurns& floats, Cycle end, std::uint64_t most_instructions,
                               Slice& slice) {
  if (renewals_ != timing_.renewals_) renew();
  if (notes(timer)) return {};  // what has a trace may be part of a longer one
  State& state = *timer.state_;
  if (state.trace == 0) {
    state.countdown = next_attempt_;
    if (noting_.timer == nullptr)
      noting_ = {.timer = &timer, .head = &state, .at = &state, .turns = {}, .same = {}};
    return {};
  }
  state.countdown = 0;
  SmtTrace& trace = traces_[state.trace - 1];
  const std::size_t from = state.turn;
  const Boundary& boundary = trace.boundaries[from];
  if (!may_begin(trace, boundary, threads, able)) return {};
  const std::int64_t most = passes(trace, boundary, threads, end - timer.now_, most_instructions);
  if (most <= 0) return {};

  translate::TurnsRun run{
      .at = &trace.code[from], .passes = most, .first = trace.code.data(), .floats = &floats, .harts = {}};
  std::uint32_t shared_flags = 0xffffffff;
  for (unsigned t = 0; t < threads.size(); ++t) {
    if ((trace.threads >> t & 1) == 0) continue;
    run.harts[t] = threads[t].hart;
    threads[t].hart->stop = isa::Stop::none;
    if ((trace.floats >> t & 1) != 0) shared_flags &= isa::mxcsr_flags(threads[t].hart->fflags);
  }
  if (trace.floats != 0) {
    const unsigned last = boundary.floats >= 0 ? static_cast<unsigned>(boundary.floats)
                                               : static_cast<unsigned>(std::countr_zero(trace.floats));
    floats.begin(*threads[last].hart);
    run.telling_flags = isa::mxcsr_flags(0x1f) & ~shared_flags;
  }
  image_.run(run);
  const auto to = static_cast<std::size_t>(run.at - trace.code.data());
  const bool left = run.begun != 0;
  Ran ran = account(trace, from, to, static_cast<std::uint64_t>(most - run.passes), left, timer, threads);
  if (left) {
    const Turn& turn = trace.turns[to];
    ran.left = static_cast<int>(turn.thread);
    ran.transition =
        threads[turn.thread].core->left(*threads[turn.thread].hart, floats, slice, *turn.translation);
  }
  return ran;
}

bool SmtTraces::may_begin(const SmtTrace& trace, const Boundary& boundary, const SmtThreads& threads,
                          unsigned able) const {
  if ((trace.threads & ~able) != 0) return false;
  int rounding = -1;
  for (unsigned t = 0; t < threads.size(); ++t) {
    if ((trace.threads >> t & 1) == 0) continue;
    const isa::Hart& hart = *threads[t].hart;
    if (hart.pc != boundary.pc[t] || !threads[t].core->takes_turns(hart, trace.op[t])) return false;
    if ((trace.floats >> t & 1) == 0) continue;
    if (rounding >= 0 && rounding != hart.frm) return false;
    rounding = hart.frm;
  }
  return true;
}

// How often the end may be come to within `left` cycles, excluding the last of them.
std::int64_t SmtTraces::passes(const SmtTrace& trace, const Boundary& boundary, const SmtThreads& threads,
                               Cycle left, std::uint64_t most_instructions) {
  const Cycle all = trace.boundaries.back().cycles;
  const Cycle behind_first = left - 1 - (all - boundary.cycles);
  if (behind_first < 0) return 0;
  std::uint64_t most = 1;
  if (trace.loops) {
    DOJO_ENSURE(all > 0);
    most = std::min(1 + static_cast<std::uint64_t>(behind_first / all), 1 + most_blocks / trace.turns.size());
  }
  for (unsigned t = 0; t < threads.size(); ++t) {
    if (trace.instructions[t] == 0) continue;
    const std::uint64_t there = threads[t].hart->instructions;
    const std::uint64_t room = most_instructions > there ? most_instructions - 1 - there : 0;
    most = std::min(most, room / trace.instructions[t]);
  }
  return static_cast<std::int64_t>(most);
}

// What turns `from` up to `to` come to, if the end was come to `ends` times on the way. `left`: the turn `to`
// has run, in another way.
SmtTraces::Ran SmtTraces::account(SmtTrace& trace, std::size_t from, std::size_t to, std::uint64_t ends,
                                  bool left, SmtTimer& timer, const SmtThreads& threads) {
  const std::size_t count = trace.turns.size();
  const auto times = [&](std::size_t i) { return ends + (i < to) - (i < from) - (to == count); };
  Ran ran;
  const bool around = ends > std::uint64_t{to == count};
  for (std::size_t i = around ? 0 : from; i < (around ? count : to); ++i) {
    const Turn& turn = trace.turns[i];
    const std::uint64_t n = times(i);
    if (n == 0) continue;
    threads[turn.thread].core->add(*threads[turn.thread].hart, *turn.transition, n);
    turn.edge->times += n;
    timing_.code_runs_[turn.code_run].times += n;
    ran.threads |= 1u << turn.thread;
    ran.blocks += n;
  }
  for (unsigned t = 0; t < threads.size(); ++t)
    if ((ran.threads >> t & 1) != 0 && !(left && trace.turns[to].thread == t))
      threads[t].hart->pc = trace.boundaries[to].pc[t];

  const auto rounds = static_cast<Cycle>(ends - (to == count));
  timer.now_ +=
      rounds * trace.boundaries[count].cycles + trace.boundaries[to].cycles - trace.boundaries[from].cycles;
  timer.adopt(to == count ? trace.turns.back().edge->to : trace.turns[to].from);
  timer.credit_ = std::min(SmtTimer::most_credit, timer.credit_ + static_cast<std::int64_t>(ran.blocks));
  if (timer.credit_ == SmtTimer::most_credit) timer.backoff_ = SmtTimer::first_backoff;

  blocks_ += ran.blocks;
  trace.blocks += ran.blocks;
  if (++trace.runs == runs_on_trial) {
    if (trace.blocks < runs_on_trial * least_blocks) retire(trace);
    trace.runs = trace.blocks = 0;
  }
  return ran;
}

}  // namespace dojo::node
