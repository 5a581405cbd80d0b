// Writing nests of C++ loops whose memory accesses are affine: reordered, merged and with a vectorisable
// innermost loop.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace dojo::codegen {

// Source text that knows its indentation.
class CodeText {
public:
  void line(const std::string& text);
  // "// text" on a line of its own. The one way for the text of a file, such as a name, into what is
  // compiled: it may hold any bytes and ends neither the comment nor its line.
  void comment(std::string_view text);
  void open(const std::string& text);  // "text {", and indents
  // "DOJO_STEP void op_ID(parameter) {", and indents (emit_parts.h).
  void open_op(unsigned id, std::string_view parameter = "");
  void close();
  void raw(const std::string& text) { text_ += text; }
  const std::string& text() const { return text_; }

private:
  std::string text_;
  int depth_ = 0;
};

struct LoopAxis {
  std::string variable;
  std::string count;        // C++ expression: a literal or a run-time bound
  std::int64_t extent = 1;  // the literal, or the largest value of the bound
  bool run_time = false;
  bool reversed = false;  // runs from count - 1 down to 0
};

// base + sum of stride[a] * variable of axis a.
struct AffineText {
  std::vector<std::int64_t> strides;
  std::string base;  // may be empty
};
std::string to_text(const AffineText& affine, const std::vector<LoopAxis>& axes);

// Loops over `axes` around `body`, which gets the text of each of `indices`. `order` names the axes from
// outermost to innermost. Axes that are not in it are fixed by loops around the nest.
enum class Order : std::uint8_t {
  given,       // exactly as named
  vectorised,  // as named; the innermost loop's points are independent of each other
  free,  // all points are independent: axes that continue each other in every index are merged, the best one
         // goes inside
};
void write_nest(CodeText& code, std::vector<LoopAxis> axes, std::vector<int> order,
                const std::vector<AffineText>& indices, Order freedom,
                const std::function<void(const std::vector<std::string>&)>& body);

// The axis best suited as the vector loop: long, with unit strides in the indices. -1 if there is none.
int vector_axis(const std::vector<LoopAxis>& axes, const std::vector<int>& candidates,
                const std::vector<AffineText>& indices);

}  // namespace dojo::codegen
