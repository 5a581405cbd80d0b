#include "debug/stub.h"

#include <fmt/format.h>

#include <algorithm>

#include "debug/packet.h"

namespace dojo::debug {

namespace {

using system::ThreadState;

constexpr std::string_view ok = "OK", no_such = "E01", bad_request = "E16", cannot = "E0e";
constexpr std::size_t threads_per_id = 4;  // as in mhartid

std::string slice_of(std::string_view whole, const Request& request) {
  if (request.address > whole.size()) return std::string(no_such);
  const std::size_t most = std::min<std::uint64_t>(request.count, most_frame_bytes / 2);
  const std::string_view part = whole.substr(request.address, most);
  const bool last = request.address + part.size() == whole.size();
  return fmt::format("{}{}", last ? "l" : "m", part);
}

std::string xml_escaped(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '<')
      escaped += "&lt;";
    else if (c == '>')
      escaped += "&gt;";
    else if (c == '&')
      escaped += "&amp;";
    else if (c == '"')
      escaped += "&quot;";
    else
      escaped += c;
  }
  return escaped;
}

}  // namespace

Stub::Stub(system::Debuggee& debuggee, std::function<bool()> interrupted,
           std::function<void(std::string_view)> say)
    : debuggee_(debuggee),
      say_(std::move(say)),
      registers_(debuggee.hart(0).vlen_bits),
      run_control_(debuggee, std::move(interrupted)) {}

std::int64_t Stub::id_of(std::size_t thread) const {
  const std::size_t per_node = debuggee_.threads_per_node();
  return static_cast<std::int64_t>(thread / per_node * threads_per_id + thread % per_node + 1);
}

bool Stub::find(std::int64_t id, std::size_t& thread) const {
  if (id < 1) return false;
  const auto index = static_cast<std::size_t>(id - 1);
  const std::size_t per_node = debuggee_.threads_per_node();
  if (index % threads_per_id >= per_node) return false;
  thread = index / threads_per_id * per_node + index % threads_per_id;
  return thread < debuggee_.threads();
}

std::string Stub::answer(std::string_view payload) { return answer(parse_request(payload)); }

std::string Stub::answer(const Request& request) {
  std::size_t thread = 0;
  switch (request.kind) {
    case RequestKind::unknown:
      return {};
    case RequestKind::malformed:
      return std::string(bad_request);
    case RequestKind::why_stopped:
      return stop_words();
    case RequestKind::read_registers:
      return read_general();
    case RequestKind::write_registers:
      return write_general(request.bytes);
    case RequestKind::read_register: {
      const std::optional<std::string> bytes = registers_.read(hart(), request.number);
      return bytes ? to_hex(*bytes) : std::string(no_such);
    }
    case RequestKind::write_register:
      return std::string(registers_.write(hart(), request.number, request.bytes) ? ok : no_such);
    case RequestKind::read_memory:
      return read_memory(request);
    case RequestKind::write_memory:
      return write_memory(request);
    case RequestKind::insert_point:
    case RequestKind::remove_point:
      return point(request);
    case RequestKind::select_thread:
      return select(request);
    case RequestKind::select_resumed:
    case RequestKind::kill:
    case RequestKind::detach:
      return request.kind == RequestKind::select_resumed ? std::string(ok)
                                                         : leave(request.kind == RequestKind::kill);
    case RequestKind::is_alive:
      return std::string(
          find(request.thread, thread) && debuggee_.state(thread) != ThreadState::ended ? ok : no_such);
    case RequestKind::resume:
      return resume(request.actions);
    case RequestKind::how_to_resume:
      return "vCont;c;C;s;S;t";
    case RequestKind::supported:
      return fmt::format(
          "PacketSize={:x};QStartNoAckMode+;vContSupported+;swbreak+;hwbreak+;qXfer:features:read+;"
          "qXfer:threads:read+",
          most_frame_bytes);
    case RequestKind::no_acknowledgement:
      acknowledges_ = false;
      return std::string(ok);
    case RequestKind::current_thread:
      return fmt::format("QC{:x}", id_of(selected_));
    case RequestKind::first_threads:
      return thread_list();
    case RequestKind::more_threads:
      return "l";
    case RequestKind::thread_words:
      return find(request.thread, thread) ? to_hex(thread_words(thread)) : std::string(no_such);
    case RequestKind::is_attached:
      return "0";  // gdb started it: what gdb leaves without a word is killed
    case RequestKind::transfer:
      return transfer(request);
    case RequestKind::monitor:
      return to_hex(monitor(request.bytes));
  }
  return {};
}

std::string Stub::read_general() const {
  std::string digits;
  for (std::size_t number = 0; number < general_registers; ++number)
    digits += to_hex(*registers_.read(hart(), number));
  return digits;
}

// As many of the general registers as came.
std::string Stub::write_general(std::string_view bytes) {
  std::size_t at = 0;
  for (std::size_t number = 0; number < general_registers && at + 8 <= bytes.size(); ++number, at += 8)
    registers_.write(hart(), number, bytes.substr(at, 8));
  return std::string(ok);
}

// What can be read of it from the front on, as the protocol allows.
std::string Stub::read_memory(const Request& request) const {
  const isa::Memory& memory = hart().memory;
  std::uint64_t count = std::min<std::uint64_t>(request.count, most_frame_bytes / 2 - 8);
  if (count == 0) return {};
  while (count > 0 && memory.readable(request.address, count) == nullptr) count /= 2;
  if (count == 0) return std::string(cannot);
  const std::byte* bytes = memory.readable(request.address, count);
  return to_hex({reinterpret_cast<const char*>(bytes), count});
}

// Text stays as it is: all nodes share its decoded form.
std::string Stub::write_memory(const Request& request) {
  if (request.bytes.empty()) return std::string(ok);
  std::byte* bytes = hart().memory.writable(request.address, request.bytes.size());
  if (bytes == nullptr) return std::string(cannot);
  std::ranges::copy(std::as_bytes(std::span(request.bytes)), bytes);
  return std::string(ok);
}

std::string Stub::point(const Request& request) {
  const auto kind = static_cast<Point>(request.number);
  if (request.kind == RequestKind::insert_point)
    run_control_.points().insert(kind, request.address, request.count);
  else
    run_control_.points().remove(kind, request.address, request.count);
  return std::string(ok);
}

std::string Stub::select(const Request& request) {
  if (request.thread == any_thread || request.thread == all_threads) return std::string(ok);
  std::size_t thread = 0;
  if (!find(request.thread, thread)) return std::string(no_such);
  selected_ = thread;
  return std::string(ok);
}

std::string Stub::thread_list() const {
  std::string list = "m";
  for (std::size_t thread = 0; thread < debuggee_.threads(); ++thread)
    list += fmt::format("{}{:x}", thread == 0 ? "" : ",", id_of(thread));
  return list.size() < most_frame_bytes - 4 ? list : list.substr(0, list.rfind(',', most_frame_bytes - 4));
}

std::string Stub::thread_words(std::size_t thread) const {
  switch (debuggee_.state(thread)) {
    case ThreadState::runnable:
      return "can go on";
    case ThreadState::ended:
      return fmt::format("ended with {}", debuggee_.exit_code(thread));
    case ThreadState::waiting:
    case ThreadState::trapped:
    case ThreadState::too_long:
      return debuggee_.stranded(thread).reason;
  }
  return {};
}

std::string Stub::transfer(const Request& request) const {
  if (request.name == "features" && request.annex == "target.xml")
    return slice_of(registers_.description(), request);
  if (request.name == "threads") return slice_of(threads_xml(), request);
  return request.name == "features" ? std::string(no_such) : std::string();
}

std::string Stub::threads_xml() const {
  std::string text = "<?xml version=\"1.0\"?>\n<threads>\n";
  for (std::size_t thread = 0; thread < debuggee_.threads(); ++thread) {
    if (debuggee_.state(thread) == ThreadState::ended && thread != selected_) continue;
    const isa::Hart& one = debuggee_.hart(thread);
    text += fmt::format("<thread id=\"{:x}\" core=\"{}\" name=\"node {} thread {}\">{}</thread>\n",
                        id_of(thread), one.node, one.node, one.thread, xml_escaped(thread_words(thread)));
  }
  return text + "</threads>\n";
}

std::string Stub::leave(bool kill) {
  if (kill) debuggee_.interrupt();
  over_ = true;
  return std::string(ok);
}

}  // namespace dojo::debug
