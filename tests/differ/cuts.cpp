#include "cuts.h"

#include <utility>

namespace dojo::differ {
namespace {

class Cuts {
public:
  explicit Cuts(const Program& program) : program_(program) { cut(program_.items); }
  std::vector<Program> take() { return std::move(cuts_); }

private:
  void keep() { cuts_.push_back(program_); }

  void cut(std::vector<Item>& items) {
    for (std::size_t count = items.size() / 2; count >= 1; count /= 2)
      for (std::size_t from = 0; from + count <= items.size(); from += count) cut_range(items, from, count);
    for (std::size_t i = 0; i < items.size(); ++i) cut_inside(items, i);
  }
  void cut_range(std::vector<Item>& items, std::size_t from, std::size_t count) {
    const auto first = items.begin() + static_cast<std::ptrdiff_t>(from);
    const auto whole = items;
    items.erase(first, first + static_cast<std::ptrdiff_t>(count));
    keep();
    items = whole;
  }
  void cut_inside(std::vector<Item>& items, std::size_t i) {
    if (items[i].kind == Item::Kind::straight) {
      const auto words = items[i].words;
      for (std::size_t w = 0; w < words.size() && words.size() > 1; ++w) {
        items[i].words.erase(items[i].words.begin() + static_cast<std::ptrdiff_t>(w));
        keep();
        items[i].words = words;
      }
      return;
    }
    const auto whole = items;
    const auto body = items[i].body;
    items.erase(items.begin() + static_cast<std::ptrdiff_t>(i));
    items.insert(items.begin() + static_cast<std::ptrdiff_t>(i), body.begin(), body.end());
    keep();
    items = whole;
    if (items[i].times > 1) {
      items[i].times -= 1;
      keep();
      items[i].times += 1;
    }
    cut(items[i].body);
  }

  Program program_;
  std::vector<Program> cuts_;
};

}  // namespace

std::vector<Program> cuts_of(const Program& program) { return Cuts(program).take(); }

}  // namespace dojo::differ
