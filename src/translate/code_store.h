// Memory that holds code written at run time: seen twice, once to write and once to execute, so that no page
// is ever both.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace dojo::translate {

class CodeStore {
public:
  // Without memory where the host has none to execute; then everything is refused.
  explicit CodeStore(std::size_t capacity);
  ~CodeStore();
  CodeStore(const CodeStore&) = delete;
  CodeStore& operator=(const CodeStore&) = delete;

  // Where the copy may be called; nullptr when there is no room, from then on for anything. Not for two
  // threads at once.
  const void* add(std::span<const std::uint8_t> code);
  bool is_full() const { return is_full_; }

private:
  std::byte *writable_ = nullptr, *executable_ = nullptr;
  std::size_t capacity_ = 0, used_ = 0;
  bool is_full_ = false;
};

}  // namespace dojo::translate
