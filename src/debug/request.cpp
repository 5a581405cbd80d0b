#include "debug/request.h"

#include <optional>

#include "debug/packet.h"

namespace dojo::debug {

namespace {

const Request malformed{.kind = RequestKind::malformed};

// Reads a payload from the front. What is asked for and not there makes it fail, for good.
class Cursor {
public:
  explicit Cursor(std::string_view text) : rest_(text) {}

  bool failed() const { return failed_; }
  bool at_end() const { return rest_.empty(); }
  std::string_view rest() const { return rest_; }
  bool done() const { return !failed_ && rest_.empty(); }

  bool skip(std::string_view word) {
    if (!rest_.starts_with(word)) return false;
    rest_.remove_prefix(word.size());
    return true;
  }
  void expect(std::string_view word) { failed_ |= !skip(word); }

  // A number of 1 to 16 hex digits.
  std::uint64_t number() {
    std::uint64_t value = 0;
    std::size_t digits = 0;
    for (; digits < rest_.size() && hex_digit(rest_[digits]) >= 0; ++digits) {
      if (digits == 16) failed_ = true;
      value = value << 4 | static_cast<std::uint64_t>(hex_digit(rest_[digits]));
    }
    failed_ |= digits == 0;
    rest_.remove_prefix(digits);
    return value;
  }

  std::int64_t thread() {
    if (skip("-1")) return all_threads;
    const std::uint64_t value = number();
    failed_ |= value > 0x7fffffff;
    return static_cast<std::int64_t>(value);
  }

  std::string_view until(char end) {
    const std::string_view word = rest_.substr(0, rest_.find(end));
    rest_.remove_prefix(word.size());
    return word;
  }

  std::string hex_bytes() {
    std::optional<std::string> bytes = from_hex(rest_);
    failed_ |= !bytes;
    rest_ = {};
    return bytes.value_or("");
  }

  std::string escaped_bytes() {
    std::optional<std::string> bytes = unescape(rest_);
    failed_ |= !bytes;
    rest_ = {};
    return bytes.value_or("");
  }

private:
  std::string_view rest_;
  bool failed_ = false;
};

Request checked(Request request, const Cursor& cursor) {
  if (!cursor.done()) return malformed;
  return request;
}

// ADDR,COUNT and, with bytes behind a colon, exactly COUNT of them.
Request memory(RequestKind kind, Cursor cursor, std::string (Cursor::*bytes)()) {
  Request request{.kind = kind};
  request.address = cursor.number();
  cursor.expect(",");
  request.count = cursor.number();
  if (bytes != nullptr) {
    cursor.expect(":");
    request.bytes = (cursor.*bytes)();
    if (request.bytes.size() != request.count) return malformed;
  }
  return checked(std::move(request), cursor);
}

// TYPE,ADDR,KIND; what follows behind a semicolon (conditions, commands) was not announced and is refused.
Request point(RequestKind kind, Cursor cursor) {
  Request request{.kind = kind};
  request.number = cursor.number();
  cursor.expect(",");
  request.address = cursor.number();
  cursor.expect(",");
  request.count = cursor.number();
  if (request.number > static_cast<unsigned>(Point::access_watch)) return {};
  return checked(std::move(request), cursor);
}

Request registers(RequestKind kind, Cursor cursor) {
  Request request{.kind = kind};
  if (kind == RequestKind::read_register || kind == RequestKind::write_register)
    request.number = cursor.number();
  if (kind == RequestKind::write_register) cursor.expect("=");
  if (kind != RequestKind::read_register) request.bytes = cursor.hex_bytes();
  return checked(std::move(request), cursor);
}

Request with_thread(RequestKind kind, Cursor cursor) {
  Request request{.kind = kind};
  request.thread = cursor.thread();
  return checked(std::move(request), cursor);
}

// The old packets for all threads: c, s [ADDR]; C, S SIGNAL[;ADDR]. Going on elsewhere is refused: gdb writes
// the pc instead.
Request old_resume(char letter, Cursor cursor) {
  Action action{.resume = letter == 's' || letter == 'S' ? Resume::step : Resume::go_on};
  if (letter == 'C' || letter == 'S') action.signal = static_cast<std::uint8_t>(cursor.number());
  return checked({.kind = RequestKind::resume, .actions = {action}}, cursor);
}

// vCont;ACTION[:THREAD];... with ACTION c, s, t, C SIGNAL or S SIGNAL.
Request resume(Cursor cursor) {
  Request request{.kind = RequestKind::resume};
  while (cursor.skip(";")) {
    Action action;
    if (cursor.skip("c") || cursor.skip("C"))
      action.resume = Resume::go_on;
    else if (cursor.skip("s") || cursor.skip("S"))
      action.resume = Resume::step;
    else if (cursor.skip("t"))
      action.resume = Resume::stop;
    else
      return malformed;
    if (!cursor.at_end() && hex_digit(cursor.rest().front()) >= 0)
      action.signal = static_cast<std::uint8_t>(cursor.number());
    if (cursor.skip(":")) action.thread = cursor.thread();
    request.actions.push_back(action);
  }
  if (request.actions.empty()) return malformed;
  return checked(std::move(request), cursor);
}

// qXfer:OBJECT:read:ANNEX:OFFSET,COUNT
Request transfer(Cursor cursor) {
  Request request{.kind = RequestKind::transfer};
  request.name = cursor.until(':');
  if (!cursor.skip(":read:")) return {};
  request.annex = cursor.until(':');
  cursor.expect(":");
  request.address = cursor.number();
  cursor.expect(",");
  request.count = cursor.number();
  return checked(std::move(request), cursor);
}

Request monitor(Cursor cursor) {
  Request request{.kind = RequestKind::monitor};
  request.bytes = cursor.hex_bytes();
  return checked(std::move(request), cursor);
}

Request query(std::string_view payload) {
  Cursor cursor(payload);
  if (cursor.skip("qXfer:")) return transfer(cursor);
  if (cursor.skip("qRcmd,")) return monitor(cursor);
  if (cursor.skip("qThreadExtraInfo,")) return with_thread(RequestKind::thread_words, cursor);
  if (cursor.skip("qSupported")) return {.kind = RequestKind::supported};
  if (cursor.skip("qAttached")) return {.kind = RequestKind::is_attached};
  if (payload == "qC") return {.kind = RequestKind::current_thread};
  if (payload == "qfThreadInfo") return {.kind = RequestKind::first_threads};
  if (payload == "qsThreadInfo") return {.kind = RequestKind::more_threads};
  if (payload == "QStartNoAckMode") return {.kind = RequestKind::no_acknowledgement};
  return {};
}

Request words(std::string_view payload) {
  Cursor cursor(payload);
  if (payload == "vCont?") return {.kind = RequestKind::how_to_resume};
  if (cursor.skip("vCont")) return resume(cursor);
  if (cursor.skip("vKill")) return {.kind = RequestKind::kill};
  return {};
}

}  // namespace

Request parse_request(std::string_view payload) {
  if (payload.empty()) return {};
  const Cursor rest(payload.substr(1));
  switch (payload.front()) {
    case '?':
      return checked({.kind = RequestKind::why_stopped}, rest);
    case 'g':
      return checked({.kind = RequestKind::read_registers}, rest);
    case 'G':
      return registers(RequestKind::write_registers, rest);
    case 'p':
      return registers(RequestKind::read_register, rest);
    case 'P':
      return registers(RequestKind::write_register, rest);
    case 'm':
      return memory(RequestKind::read_memory, rest, nullptr);
    case 'M':
      return memory(RequestKind::write_memory, rest, &Cursor::hex_bytes);
    case 'X':
      return memory(RequestKind::write_memory, rest, &Cursor::escaped_bytes);
    case 'Z':
      return point(RequestKind::insert_point, rest);
    case 'z':
      return point(RequestKind::remove_point, rest);
    case 'T':
      return with_thread(RequestKind::is_alive, rest);
    case 'H':
      if (payload.starts_with("Hg"))
        return with_thread(RequestKind::select_thread, Cursor(payload.substr(2)));
      if (payload.starts_with("Hc"))
        return with_thread(RequestKind::select_resumed, Cursor(payload.substr(2)));
      return {};
    case 'c':
    case 's':
    case 'C':
    case 'S':
      return old_resume(payload.front(), rest);
    case 'k':
      return {.kind = RequestKind::kill};
    case 'D':
      return {.kind = RequestKind::detach};
    case 'q':
    case 'Q':
      return query(payload);
    case 'v':
      return words(payload);
    default:
      return {};
  }
}

}  // namespace dojo::debug
