// What the pass of spread_batch.h knows while it walks a graph.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "graph/name_index.h"
#include "graph/spread_batch.h"

namespace dojo::graph {

// What the samples meet that cannot be spread; becomes the refusal.
class NotSpread : public UserError {
  using UserError::UserError;
};

class Spreading {
public:
  Spreading(const Graph& source, const std::map<std::string, SamplePlace>& samples);
  SpreadBatch run();  // throws NotSpread
  Graph take_graph() { return std::move(graph_); }
  std::int64_t samples() const { return samples_; }

private:
  template <typename... Arguments>
  [[noreturn]] static void stop(const std::string& where, fmt::format_string<Arguments...> format,
                                Arguments&&... arguments) {
    throw NotSpread(where, fmt::format(format, std::forward<Arguments>(arguments)...));
  }

  // spread_batch.cpp: the walk
  void take(const std::string& name, const SamplePlace& place);
  void rewrite(StructuredOp op);
  std::optional<SampleAxis> batch_axis(StructuredOp& op) const;
  void read_along(const StructuredOp& op, Access& read, std::size_t axis);
  void write_along(StructuredOp& op, std::size_t axis);
  void finish();
  void remove_replaced();
  const std::string& name_of(const Access& access) const { return graph_.at(access.tensor).name; }

  // spread_versions.cpp: tensors that are made beside those of the graph
  void receive_whole(TensorId id);
  TensorId widened(TensorId id);
  void read_unspread(const StructuredOp& op, Access& read, std::size_t axis);
  std::optional<SamplePlace> place_of(const Access& read, std::size_t axis) const;
  bool read_the_same(const StructuredOp& op, Access& read, std::size_t axis);
  bool read_numbered(const StructuredOp& op, Access& read, std::size_t axis);
  TensorId version_with(TensorId id, const SamplePlace& place);
  TensorId spread_constant(TensorId id, const SamplePlace& place);
  TensorId version_without(TensorId id, const SamplePlace& place);
  TensorId remake(StructuredOp op, const SamplePlace& place);
  TensorId add_version(TensorId of, std::string_view ending, std::vector<std::int64_t> shape);
  StructuredOp copied(TensorId from, TensorId to) const;

  static std::size_t index(TensorId id) { return static_cast<std::size_t>(id); }

  Graph graph_;                                     // as it was, with the versions, until finish()
  std::vector<std::optional<SamplePlace>> places_;  // by tensor: where it holds samples
  std::int64_t samples_ = 0;
  std::map<TensorId, StructuredOp> makers_;                        // as they were
  std::vector<StructuredOp> ops_;                                  // as they become
  std::map<std::pair<TensorId, SamplePlace>, TensorId> versions_;  // without samples there
  std::map<std::pair<TensorId, SamplePlace>, TensorId> numbered_;  // with samples there
  std::map<TensorId, TensorId> wide_;
  std::set<TensorId> replaced_;
  FreshNames fresh_;
  SpreadBatch result_;
};

// Reads of the body and of the epilogue.
std::vector<Access*> reads_of(StructuredOp& op);

// The dimensions whose index has the axis in it.
std::vector<std::size_t> dimensions_along(const Access& access, std::size_t axis);

}  // namespace dojo::graph
