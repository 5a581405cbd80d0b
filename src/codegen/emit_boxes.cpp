// The C++ of a node whose tensors have their homes in HBM: a function an op, which goes through this node's
// tiles, and the kernels, which ops of equal tiles share.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <map>

#include "base/error.h"
#include "base/index.h"
#include "codegen/emit_parts.h"
#include "codegen/homes.h"
#include "numerics/convert.h"

namespace dojo::codegen {
namespace {

using lowering::Buffer;
using lowering::BufferId;
using lowering::Origin;
using lowering::TilesStep;

constexpr const char* sample_prologue = R"(
// How many of the `most` samples from `first` on the batch has.
static inline long samples_from(long first, long most) {
  const long left = valid_samples - first;
  return left < 0 ? 0 : smaller(left, most);
}
)";

// The bits of an element of the format, in the lowest bytes.
std::uint32_t bits_of(float value, numerics::Format format) {
  if (format == numerics::Format::u8) return static_cast<std::uint8_t>(value);
  switch (numerics::storage_bytes(format)) {
    case 4:
      return std::bit_cast<std::uint32_t>(value);
    case 2: {
      std::uint16_t code = 0;
      numerics::to_bf16({&value, 1}, {&code, 1});
      return code;
    }
    default: {
      std::uint8_t code = 0;
      numerics::to_codes({&value, 1}, numerics::spec_of(format), std::span(&code, 1));
      return code;
    }
  }
}

class BoxEmitter {
public:
  BoxEmitter(const PlannedProgram& planned, const lowering::HbmLayout& hbm)
      : planned_(planned),
        program_(*planned.lowered),
        hbm_(hbm),
        homes_(place_homes(program_, *planned.persistent, hbm)) {}

  std::string run() {
    code_.comment(fmt::format("{}: one node's program; {} nodes share the tiles of every op.", program_.name,
                              program_.mesh.nodes()));
    code_.raw(program_prologue(planned_.steps.size()));
    code_.line("");
    code_.line(fmt::format("static constexpr unsigned long nodes = {};", program_.mesh.nodes()));
    code_.line("static long valid_samples;  // of the batch");
    code_.line("static unsigned node;       // who this is");
    code_.raw(sample_prologue);
    declare_buffers();
    for (std::size_t k = 0; k < planned_.steps.size(); ++k)
      write_function(planned_.steps[k], planned_.memory.kernel_scratch[k]);
    code_.line("");
    code_.open("int main()");
    code_.line("node = dojo::my_pe();");
    for (const PlannedStep& step : planned_.steps)
      if (has_code(step)) code_.line(fmt::format("op_{}();", step.id));
    code_.line("dojo::quiet();");
    code_.line("return 0;");
    code_.close();
    return code_.text();
  }

private:
  // Where there is room for two, the one in use.
  std::string name(BufferId id) const {
    const auto second = halves_.find(program_.root(id));
    if (second == halves_.end()) return buffer_name(program_, id);
    return fmt::format("({} + ({} & 1) * {})", buffer_name(program_, id), second->second,
                       program_.at(second->first).elements_apart());
  }
  static bool has_code(const PlannedStep& step) {
    return !std::holds_alternative<lowering::StoreStep>(*step.step);  // results are where they belong
  }

  void declare_buffers() {
    code_.line("");
    for (std::size_t b = 0; b < program_.buffers.size(); ++b) {
      const auto id = static_cast<BufferId>(b);
      const Buffer& buffer = program_.at(id);
      if (buffer.storage == lowering::Storage::constant) {
        declare_constant(code_, planned_, id);
      } else if (planned_.memory.lifetime[at(program_.root(id))].first < 0) {
        continue;
      } else if (lowering::in_hbm(buffer.storage)) {
        code_.comment(fmt::format("{} {} [{}]", buffer.name, numerics::name(buffer.format),
                                  fmt::join(buffer.shape, ", ")));
        code_.line(fmt::format("static constexpr dojo::HbmArray {}{{0x{:x}, {}}};", home_name(id),
                               homes_[b].begin, homes_[b].interfaces));
      } else {
        code_.line(fmt::format("static {0}* const {1} = reinterpret_cast<{0}*>(0x{2:x});  // [{3}]",
                               element_type(buffer.format), name(id), planned_.memory.address[b],
                               fmt::join(buffer.shape, ", ")));
      }
    }
  }

  void write_function(const PlannedStep& planned, std::uint64_t scratch) {
    if (!has_code(planned)) return;
    scratch_ = scratch;
    code_.line("");
    if (const auto* tiles = std::get_if<TilesStep>(planned.step)) {
      declare_tiles(planned);
      if (tiles->ahead) fetch_function(planned, *tiles);
      code_.comment(tiles->name);
      code_.open_op(planned.id);
      all_tiles(planned, *tiles);
      halves_.clear();
    } else {
      code_.open_op(planned.id);
      code_.line(fmt::format("DOJO_MARK({});", planned.id));
      if (const auto* s = std::get_if<lowering::FetchStep>(planned.step))
        emit_records(code_, planned_, hbm_, *s);
    }
    code_.close();
  }

  // --- What the functions of tiles need: kernels, and the shapes of boxes ---
  void declare_tiles(const PlannedStep& planned) {
    for (const PlannedStep& inner : planned.body) {
      if (const auto* compute = std::get_if<lowering::ComputeStep>(inner.step))
        declare_kernel(*compute, inner);
      if (const auto* s = std::get_if<lowering::FetchBoxStep>(inner.step))
        declare_box(inner.id, s->from, s->buffer);
      if (const auto* s = std::get_if<lowering::StoreBoxStep>(inner.step))
        declare_box(inner.id, s->to, s->buffer);
      if (std::holds_alternative<TilesStep>(*inner.step)) declare_tiles(inner);
    }
  }

  void declare_kernel(const lowering::ComputeStep& compute, const PlannedStep& planned) {
    constexpr const char* any = "kernel";
    const std::string text = write_kernel_function(program_, compute, planned.kernel, any);
    const auto [kernel, is_new] = kernels_.emplace(text, kernels_.size() + 1);
    if (is_new) {
      code_.comment(compute.op.name);
      code_.raw(write_kernel_function(program_, compute, planned.kernel,
                                      fmt::format("{}_{}", any, kernel->second)));
    }
    kernel_of_[planned.id] = kernel->second;
  }

  void declare_box(unsigned id, BufferId whole, BufferId box) {
    const std::size_t rank = program_.at(whole).shape.size();
    if (rank > 8)
      throw UserError(program_.at(whole).name, fmt::format("has {} dimensions", rank), Refusal::not_yet);
    if (rank != 0)
      code_.line(fmt::format("static constexpr int shape_{0}[] = {{{1}}}, extent_{0}[] = {{{2}}};", id,
                             fmt::join(program_.at(whole).shape, ", "),
                             fmt::join(program_.at(box).shape, ", ")));
    code_.line(fmt::format("static constexpr dojo::Box box_{0}{{{1}, {2}, {3}, {4}}};", id,
                           numerics::storage_bytes(program_.at(box).format), rank,
                           rank == 0 ? "nullptr" : fmt::format("shape_{}", id),
                           rank == 0 ? "nullptr" : fmt::format("extent_{}", id)));
  }

  // --- Tiles ---
  void all_tiles(const PlannedStep& planned, const TilesStep& tiles) {
    code_.line(fmt::format("constexpr unsigned long tiles = {};", tiles.tiles()));
    code_.line("const unsigned long first = tiles * node / nodes, end = tiles * (node + 1) / nodes;");
    ahead_ = tiles.ahead ? planned.id : 0;
    if (tiles.ahead) {
      code_.line("unsigned long piece = 0;  // how many have been computed");
      code_.line(fmt::format("if (first < end) fetch_{}(first, 0, 0);", planned.id));
    }
    code_.open("for (unsigned long tile = first; tile < end; ++tile)");
    loops_ = 0;
    declare_turns(tiles, "tile");
    fetching_ = false;
    const bool in_turns = std::ranges::any_of(
        tiles.body, [](const lowering::Step& step) { return std::holds_alternative<TilesStep>(step); });
    if (tiles.ahead && !in_turns) go_on(1);
    body(planned);
    if (tiles.ahead && !in_turns) code_.line("++piece;");
    code_.close();
    code_.line(fmt::format("DOJO_MARK({});", planned.id));
    code_.line("dojo::barrier_all();");
    ahead_ = 0;
  }

  // Fetches what one turn of one tile needs and its turn before did not; `piece`: which it is of all that the
  // node computes.
  void fetch_function(const PlannedStep& planned, const TilesStep& tiles) {
    code_.open(fmt::format(
        "static void fetch_{}(unsigned long tile, int turn, [[maybe_unused]] unsigned long piece)",
        planned.id));
    loops_ = 0;
    declare_turns(tiles, "tile");
    code_.open("if (turn == 0)");
    fetch_boxes(planned, "tile");
    code_.close();
    for (const PlannedStep& inner : planned.body)
      if (const auto* turns = std::get_if<TilesStep>(inner.step)) {
        declare_turns(*turns, "turn");
        fetch_boxes(inner, "piece");
      }
    code_.close();
  }

  // `number`: by its last bit the half of a buffer is chosen.
  void fetch_boxes(const PlannedStep& planned, const std::string& number) {
    for (const PlannedStep& inner : planned.body)
      if (const auto* s = std::get_if<lowering::FetchBoxStep>(inner.step)) {
        halves_[program_.root(s->buffer)] = number;
        code_.line(fmt::format("DOJO_MARK({});", inner.id));
        fetch_box(inner.id, *s);
      }
  }

  // What is computed now has arrived, and what comes next is on its way.
  void go_on(std::int64_t turns) {
    code_.line(fmt::format("DOJO_MARK({});", ahead_));
    code_.line("dojo::quiet();");
    const std::string next_tile = fmt::format("fetch_{}(tile + 1, 0, piece + 1);", ahead_);
    if (turns > 1) {
      code_.line(fmt::format("if (turn + 1 < {}) fetch_{}(tile, turn + 1, piece + 1);", turns, ahead_));
      code_.line("else if (tile + 1 < end) " + next_tile);
    } else {
      code_.line("if (tile + 1 < end) " + next_tile);
    }
  }

  // t0, t1...: where each of the loops stands.
  void declare_turns(const TilesStep& tiles, const std::string& number) {
    std::int64_t inner = tiles.tiles();
    for (const TilesStep::Cut& cut : tiles.cuts) {
      inner /= cut.count;
      code_.line(fmt::format("[[maybe_unused]] const int t{} = static_cast<int>({} / {} % {});", loops_++,
                             number, inner, cut.count));
    }
  }

  void body(const PlannedStep& planned) {
    for (const PlannedStep& inner : planned.body) {
      if (const auto* s = std::get_if<TilesStep>(inner.step)) {
        turns(inner, *s);
        continue;
      }
      if (ahead_ != 0 && std::holds_alternative<lowering::FetchBoxStep>(*inner.step)) continue;
      code_.line(fmt::format("DOJO_MARK({});", inner.id));
      if (const auto* s = std::get_if<lowering::FetchBoxStep>(inner.step)) fetch_box(inner.id, *s);
      if (const auto* s = std::get_if<lowering::StoreBoxStep>(inner.step)) store_box(inner.id, *s);
      if (const auto* s = std::get_if<lowering::FillStep>(inner.step))
        code_.line(fmt::format("dojo::fill({}, {:a}f, {});", name(s->buffer), s->value,
                               program_.at(s->buffer).capacity));
      if (const auto* s = std::get_if<lowering::ComputeStep>(inner.step)) compute(inner, *s);
    }
  }

  void turns(const PlannedStep& planned, const TilesStep& step) {
    const unsigned outer = loops_;
    const bool fetches = std::ranges::any_of(step.body, [](const lowering::Step& inner) {
      return std::holds_alternative<lowering::FetchBoxStep>(inner);
    });
    if (!fetches) arrive();
    code_.open(fmt::format("for (int turn = 0; turn < {}; ++turn)", step.tiles()));
    declare_turns(step, "turn");
    if (ahead_ != 0) go_on(step.tiles());
    body(planned);
    if (ahead_ != 0) code_.line("++piece;");
    code_.close();
    loops_ = outer;
  }

  void arrive() {
    if (fetching_) code_.line("dojo::quiet();");
    fetching_ = false;
  }

  std::string place(const Origin& origin) const {
    std::string text = fmt::format("{}", origin.offset);
    for (std::size_t k = 0; k < origin.coefficients.size(); ++k)
      if (origin.coefficients[k] != 0) text += fmt::format(" + {} * t{}", origin.coefficients[k], k);
    return text;
  }

  // The variable that says where a box begins.
  std::string begin_of(unsigned id, const std::vector<Origin>& origin) {
    if (origin.empty()) return "nullptr";
    std::vector<std::string> places;
    for (const Origin& one : origin) places.push_back(place(one));
    code_.line(fmt::format("const int at_{}[] = {{{}}};", id, fmt::join(places, ", ")));
    return fmt::format("at_{}", id);
  }

  void fetch_box(unsigned id, const lowering::FetchBoxStep& step) {
    const std::string begin = begin_of(id, step.origin);
    const bool constant = program_.at(step.from).storage == lowering::Storage::constant;
    code_.line(fmt::format("dojo::fetch_box({}, {}, box_{}, {}, 0x{:x});", name(step.buffer),
                           constant ? name(step.from) : home_name(step.from), id, begin,
                           bits_of(step.outside, program_.at(step.buffer).format)));
    fetching_ = fetching_ || !constant;
  }

  void store_box(unsigned id, const lowering::StoreBoxStep& step) {
    const std::string begin = begin_of(id, step.origin);
    code_.line(fmt::format("dojo::store_box({}, {}, box_{}, {});", home_name(step.to), name(step.buffer), id,
                           begin));
  }

  void compute(const PlannedStep& planned, const lowering::ComputeStep& step) {
    arrive();
    std::vector<std::string> arguments;
    for (const graph::Access& access : step.op.in) arguments.push_back(name(access.tensor));
    for (const graph::Access& access : step.op.extra) arguments.push_back(name(access.tensor));
    arguments.push_back(name(step.op.out.tensor));
    if (planned.kernel.scratch_bytes != 0)
      arguments.push_back(fmt::format("reinterpret_cast<char*>(0x{:x})", scratch_));
    if (step.batch_axis >= 0) {
      DOJO_ENSURE(step.first_sample.has_value());
      arguments.push_back(fmt::format("samples_from({}, {})", place(*step.first_sample),
                                      step.op.box[at(step.batch_axis)].extent));
    }
    code_.line(fmt::format("kernel_{}({});", kernel_of_.at(planned.id), fmt::join(arguments, ", ")));
  }

  const PlannedProgram& planned_;
  const lowering::LoweredProgram& program_;
  const lowering::HbmLayout& hbm_;
  std::vector<HbmArray> homes_;
  CodeText code_;
  std::map<std::string, std::size_t> kernels_;  // by their text
  std::map<unsigned, std::size_t> kernel_of_;   // by step
  std::uint64_t scratch_ = 0;                   // of the step that is written
  unsigned loops_ = 0;                          // that are open around it
  bool fetching_ = false;                       // something is on its way, and must arrive
  unsigned ahead_ = 0;                          // the step that is written, if it fetches ahead
  std::map<BufferId, std::string> halves_;      // of its buffers for two: whose last bit says which one
};

}  // namespace

std::string emit_boxes(const PlannedProgram& planned, const lowering::HbmLayout& hbm) {
  return BoxEmitter(planned, hbm).run();
}

}  // namespace dojo::codegen
