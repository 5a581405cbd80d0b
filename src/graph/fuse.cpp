// Three rewrites, tried on every pair of an op and a reader of its result until none applies:
//
//   inline:    an elementwise op's body moves into its reader, whose maps take the place of its axes;
//   epilogue:  an elementwise reader of a reduction becomes the reduction's epilogue;
//   turn:      a sum over the batch is written where a copy of it, as a whole, would go.
//
// All keep every FP32 operation and its operands. Ops with computed indices stay as they are. The one trap
// is a sum whose body would get a product at its root: that is a chain of fma by definition, where before
// there was a rounded product and an addition.
#include "graph/fuse.h"

#include <algorithm>
#include <bit>
#include <optional>
#include <set>

#include "base/error.h"
#include "graph/expression.h"

namespace dojo::graph {
namespace {

using Node = Formula::Node;

// More reads than this would not fit the vector registers of a node together with intermediate values.
constexpr std::size_t most_reads = 8;
// A kernel with a longer expression than this takes the nodes' compiler minutes, or its stack.
constexpr std::size_t most_operations = 256;

// To the bit: what is read outside may be no number, which is not equal to itself.
bool same(const Access& a, const Access& b) {
  return a.tensor == b.tensor && a.map == b.map &&
         std::bit_cast<std::uint32_t>(a.outside) == std::bit_cast<std::uint32_t>(b.outside);
}

bool is_constant(const AffineIndex& index) {
  return std::all_of(index.coefficients.begin(), index.coefficients.end(),
                     [](std::int64_t k) { return k == 0; });
}

bool is_copy(const StructuredOp& op) {
  return op.body.nodes.size() == 1 && op.body.nodes[0].op == Scalar::input;
}

// Adds the access unless an equal one is there; returns its number.
std::int32_t join(std::vector<Access>& accesses, Access access) {
  const auto known = std::find_if(accesses.begin(), accesses.end(),
                                  [&](const Access& other) { return same(access, other); });
  if (known == accesses.end()) {
    accesses.push_back(std::move(access));
    return static_cast<std::int32_t>(accesses.size() - 1);
  }
  return static_cast<std::int32_t>(known - accesses.begin());
}

class Fusion {
public:
  Fusion(Graph& graph, bool keep_gradients) : graph_(graph), keep_gradients_(keep_gradients) {}

  void run() {
    do {
      eliminate_dead_ops(graph_, keep_gradients_);
      count_uses();
    } while (pass());
  }

private:
  void count_uses() {
    producer_.assign(graph_.tensors.size(), nullptr);
    readers_.assign(graph_.tensors.size(), {});
    pinned_.assign(graph_.tensors.size(), false);
    for (StructuredOp& op : graph_.ops) {
      producer_[index(op.out.tensor)] = &op;
      for (const TensorId id : inputs_of(op)) readers_[index(id)].insert(&op);
    }
    for (const TensorId id : graph_.outputs) pinned_[index(id)] = true;
    for (const auto& [from, to] : graph_.update) pinned_[index(to)] = true;
    if (!keep_gradients_) return;
    for (const auto& [from, to] : graph_.gradient) pinned_[index(to)] = true;
  }

  // One sweep; an op that has changed is not touched again in it. Whether anything was done.
  bool pass() {
    bool any = false;
    std::set<const StructuredOp*> touched;
    for (StructuredOp& reader : graph_.ops) {
      if (touched.contains(&reader) || has_computed_index(reader)) continue;
      for (std::size_t k = 0; k < reader.in.size(); ++k) {
        StructuredOp* producer = producer_[index(reader.in[k].tensor)];
        if (!producer || touched.contains(producer) || has_computed_index(*producer)) continue;
        const bool inlined = try_inline(*producer, reader, k);
        if (!inlined && !try_epilogue(*producer, reader, k) && !try_turn(*producer, reader)) continue;
        touched.insert({producer, &reader});
        any = true;
        break;
      }
    }
    return any;
  }

  bool only_copied(TensorId tensor) const {
    const std::set<const StructuredOp*>& readers = readers_[index(tensor)];
    return !pinned_[index(tensor)] && !readers.empty() &&
           std::ranges::all_of(readers, [](const StructuredOp* op) { return is_copy(*op); });
  }

  bool only_reader(TensorId tensor) const {
    return readers_[index(tensor)].size() == 1 && !pinned_[index(tensor)];
  }

  bool try_inline(const StructuredOp& producer, StructuredOp& reader, std::size_t k) const {
    const auto& shape = graph_.at(producer.out.tensor).shape;
    if (producer.reduction != Reduction::none || !producer.epilogue.empty()) return false;
    if (!is_whole(producer.out, producer.box, shape) || !stays_inside(reader.in[k], reader.box, shape))
      return false;
    if (!is_copy(producer)) {
      if (!only_reader(producer.out.tensor) || points(producer) != points(reader)) return false;
      if (reader.reduction == Reduction::sum && (is_product(reader.body) || is_product(producer.body)))
        return false;
    }
    StructuredOp fused = reader;
    fused.in.clear();
    Formula f;
    std::vector<Node> arguments;
    for (const Access& access : reader.in) {
      if (access.tensor != producer.out.tensor || !same(access, reader.in[k])) {
        arguments.push_back(f.input(join(fused.in, access)));
        continue;
      }
      std::vector<Node> inner;
      for (const Access& deep : producer.in)
        inner.push_back(f.input(join(fused.in, compose(producer, deep, access, reader.box.size()))));
      arguments.push_back(f.insert(producer.body, inner));
    }
    if (fused.in.size() > most_reads) return false;
    fused.body = f.finish(f.insert(reader.body, arguments));
    if (fused.body.nodes.size() > most_operations) return false;
    reader = std::move(fused);
    return true;
  }

  // Where `deep`, a read of the producer, lies for the reader, whose box has `axes` axes and which reads the
  // producer's result through `outer`.
  static Access compose(const StructuredOp& producer, const Access& deep, const Access& outer,
                        std::size_t axes) {
    Access result{deep.tensor, {}, deep.outside};
    for (const AffineIndex& inner : deep.map) {
      AffineIndex composed{std::vector<std::int64_t>(axes, 0), inner.offset};
      for (std::size_t d = 0; d < producer.out.map.size(); ++d) {
        for (std::size_t a = 0; a < producer.box.size(); ++a) {
          const std::int64_t k = producer.out.map[d].coefficients[a] * inner.coefficients[a];
          composed.offset += k * outer.map[d].offset;
          for (std::size_t b = 0; b < axes; ++b) composed.coefficients[b] += k * outer.map[d].coefficients[b];
        }
      }
      result.map.push_back(std::move(composed));
    }
    return result;
  }

  // The reader leaves the graph; the producer takes its result and its place in the order.
  bool try_epilogue(StructuredOp& producer, StructuredOp& reader, std::size_t k) const {
    const Access& read = reader.in[k];
    if (reader.reduction != Reduction::none || !reader.epilogue.empty() || !only_reader(read.tensor))
      return false;
    if (producer.reduction == Reduction::none || reduces_batch(producer)) return false;
    if (graph_.at(read.tensor).shape != graph_.at(reader.out.tensor).shape) return false;
    if (!is_whole(reader.out, reader.box, graph_.at(reader.out.tensor).shape)) return false;
    StructuredOp fused = producer;
    Formula f;
    std::vector<Node> inside = {f.input(0)}, arguments;
    for (std::size_t j = 0; j < fused.extra.size(); ++j)
      inside.push_back(f.input(static_cast<std::int32_t>(j) + 1));
    const Node value = fused.epilogue.empty() ? inside[0] : f.insert(fused.epilogue, inside);
    for (const Access& access : reader.in) {
      if (access.tensor == read.tensor) {
        if (!is_the_element(access, reader)) return false;
        arguments.push_back(value);
        continue;
      }
      Access extra{access.tensor, {}, access.outside};
      if (!stays_inside(access, reader.box, graph_.at(access.tensor).shape)) return false;
      for (const AffineIndex& dimension : access.map) {
        const auto moved = by_element(dimension, reader, producer);
        if (!moved) return false;
        extra.map.push_back(*moved);
      }
      arguments.push_back(f.input(join(fused.extra, std::move(extra)) + 1));
    }
    if (fused.extra.size() + 1 > most_reads) return false;
    fused.epilogue = f.finish(f.insert(reader.body, arguments));
    if (fused.epilogue.nodes.size() > most_operations) return false;
    fused.out.tensor = reader.out.tensor;
    reader = std::move(fused);
    // The old producer now writes what nobody reads.
    return true;
  }

  // A sum over the batch that is only copied, in another order of its dimensions or with others of extent 1,
  // is written in that order: weights' gradients, as matrices give them.
  bool try_turn(const StructuredOp& producer, StructuredOp& reader) const {
    const Access& read = reader.in[0];
    const auto &from = graph_.at(read.tensor).shape, &to = graph_.at(reader.out.tensor).shape;
    if (!is_copy(reader) || reader.reduction != Reduction::none || !reader.epilogue.empty()) return false;
    if (!reduces_batch(producer) || !producer.epilogue.empty() || !only_reader(read.tensor)) return false;
    if (only_copied(reader.out.tensor)) return false;  // these take it in first, and may turn it back
    if (element_count(from) != element_count(to) || !is_whole(read, reader.box, from) ||
        !is_whole(reader.out, reader.box, to) || !stays_inside(producer.out, producer.box, from))
      return false;
    StructuredOp turned = producer;
    turned.out = {reader.out.tensor, {}, 0};
    for (const AffineIndex& dimension : reader.out.map) {
      turned.out.map.push_back({std::vector<std::int64_t>(producer.box.size(), 0), 0});
      for (std::size_t d = 0; d < from.size(); ++d)
        if (!is_constant(dimension) && read.map[d] == dimension) turned.out.map.back() = producer.out.map[d];
    }
    reader = std::move(turned);
    return true;
  }

  // A sum over the batch is completed between nodes; what follows it stays an op of its own.
  static bool reduces_batch(const StructuredOp& op) {
    for (std::size_t a = 0; a < op.box.size(); ++a) {
      if (op.box[a].is_batch && is_chain_axis(op, a)) return true;
    }
    return false;
  }

  static bool is_the_element(const Access& access, const StructuredOp& reader) {
    return access.map == reader.out.map;
  }

  // The reader's index as one over the producer's box, if it is a constant or one of the components of the
  // element.
  static std::optional<AffineIndex> by_element(const AffineIndex& wanted, const StructuredOp& reader,
                                               const StructuredOp& producer) {
    if (is_constant(wanted))
      return AffineIndex{std::vector<std::int64_t>(producer.box.size(), 0), wanted.offset};
    for (std::size_t d = 0; d < reader.out.map.size(); ++d) {
      if (reader.out.map[d] == wanted) return producer.out.map[d];
    }
    return std::nullopt;
  }

  static std::size_t index(TensorId id) { return static_cast<std::size_t>(id); }

  Graph& graph_;
  bool keep_gradients_;
  std::vector<StructuredOp*> producer_;                 // by tensor; null: no op makes it
  std::vector<std::set<const StructuredOp*>> readers_;  // by tensor
  std::vector<bool> pinned_;                            // by tensor: wanted from outside
};

}  // namespace

void fuse(Graph& graph, bool keep_gradients) {
  Fusion(graph, keep_gradients).run();
  validate(graph);
}

}  // namespace dojo::graph
