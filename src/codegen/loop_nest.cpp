#include "codegen/loop_nest.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "base/index.h"

namespace dojo::codegen {
namespace {

// Whether axis `outer` continues where axis `inner` ends, in every index.
bool continues(int outer, int inner, const std::vector<LoopAxis>& axes,
               const std::vector<AffineText>& indices) {
  if (axes[at(inner)].run_time || axes[at(outer)].reversed || axes[at(inner)].reversed) return false;
  return std::all_of(indices.begin(), indices.end(), [&](const AffineText& index) {
    return index.strides[at(outer)] == index.strides[at(inner)] * axes[at(inner)].extent;
  });
}

// Merges pairs of axes, keeping the inner one's name, until nothing changes.
void merge_axes(std::vector<LoopAxis>& axes, std::vector<int>& order,
                const std::vector<AffineText>& indices) {
  for (bool changed = true; changed;) {
    changed = false;
    for (const int inner : order) {
      for (const int outer : order) {
        if (outer == inner || !continues(outer, inner, axes, indices)) continue;
        LoopAxis& kept = axes[at(inner)];
        const LoopAxis& gone = axes[at(outer)];
        kept.count = gone.run_time ? fmt::format("{} * {}", gone.count, kept.extent)
                                   : fmt::format("{}", kept.extent * gone.extent);
        kept.run_time = gone.run_time;
        kept.extent *= gone.extent;
        axes[at(outer)].extent = 1;  // its part of every index is the inner axis's now
        order.erase(std::find(order.begin(), order.end(), outer));
        changed = true;
        break;
      }
      if (changed) break;
    }
  }
}

// A backslash or its trigraph would go on in the next line; the end of a block comment says nothing here, but
// whoever copies the line into one should not find out.
std::string comment_text(std::string_view text) {
  std::string safe;
  char before = 0;
  for (const char c : text) {
    const bool plain = c >= ' ' && c <= '~' && c != '\\' && (c != '/' || (before != '*' && before != '?'));
    safe += plain ? std::string(1, c) : fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    before = c;
  }
  return safe;
}

}  // namespace

void CodeText::comment(std::string_view text) { line("// " + comment_text(text)); }

void CodeText::line(const std::string& text) {
  text_.append(2 * static_cast<std::size_t>(depth_), ' ');
  text_ += text + "\n";
}

void CodeText::open(const std::string& text) {
  line(text + " {");
  ++depth_;
}

void CodeText::open_op(unsigned id, std::string_view parameter) {
  open(fmt::format("DOJO_STEP void op_{}({})", id, parameter));
}

void CodeText::close() {
  --depth_;
  line("}");
}

std::string to_text(const AffineText& affine, const std::vector<LoopAxis>& axes) {
  std::string text = affine.base;
  for (std::size_t a = 0; a < axes.size(); ++a) {
    const std::int64_t stride = affine.strides[a];
    if (stride == 0 || axes[a].extent == 1) continue;
    if (!text.empty()) text += stride < 0 ? " - " : " + ";
    if (text.empty() && stride < 0) text += "-";
    const std::int64_t size = std::abs(stride);
    text += size == 1 ? axes[a].variable : fmt::format("{} * {}", size, axes[a].variable);
  }
  return text.empty() ? "0" : text;
}

int vector_axis(const std::vector<LoopAxis>& axes, const std::vector<int>& candidates,
                const std::vector<AffineText>& indices) {
  const auto merit = [&](int axis) {
    double units = 1;
    for (const AffineText& index : indices) {
      const std::int64_t stride = std::abs(index.strides[at(axis)]);
      units += stride == 0 ? 0.5 : stride == 1 ? 1 : 0;
    }
    return units * static_cast<double>(std::min<std::int64_t>(axes[at(axis)].extent, 128));
  };
  const auto best = std::max_element(candidates.begin(), candidates.end(),
                                     [&](int a, int b) { return merit(a) < merit(b); });
  return best == candidates.end() ? -1 : *best;
}

void write_nest(CodeText& code, std::vector<LoopAxis> axes, std::vector<int> order,
                const std::vector<AffineText>& indices, Order freedom,
                const std::function<void(const std::vector<std::string>&)>& body) {
  std::erase_if(order, [&](int axis) { return axes[at(axis)].extent == 1 && !axes[at(axis)].run_time; });
  if (freedom == Order::free && !order.empty()) {
    merge_axes(axes, order, indices);
    const auto inside = std::find(order.begin(), order.end(), vector_axis(axes, order, indices));
    std::rotate(inside, inside + 1, order.end());
  }
  for (std::size_t k = 0; k < order.size(); ++k) {
    const LoopAxis& axis = axes[at(order[k])];
    if (k + 1 == order.size() && freedom != Order::given && axis.extent > 1) {
      code.line(
          "#pragma clang loop vectorize(assume_safety) vectorize_width(16, scalable) interleave(disable)");
    }
    const std::string& v = axis.variable;
    code.open(axis.reversed ? fmt::format("for (long {0} = {1} - 1; {0} >= 0; --{0})", v, axis.count)
                            : fmt::format("for (long {0} = 0; {0} < {1}; ++{0})", v, axis.count));
  }
  std::vector<std::string> texts;
  for (const AffineText& index : indices) texts.push_back(to_text(index, axes));
  body(texts);
  for (std::size_t k = 0; k < order.size(); ++k) code.close();
}

}  // namespace dojo::codegen
