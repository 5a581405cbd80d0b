// What gdb asks: the payload of a packet, taken apart. Source: "Debugging with GDB", appendix "GDB Remote
// Serial Protocol", sections "Packets", "General Query Packets".
//
// A pure function over bytes that anybody may have sent. Numbers are checked to fit, bytes to be as many as
// announced; whether an address or a register exists is for the stub to say.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace dojo::debug {

enum class RequestKind : std::uint8_t {
  unknown,    // answered by an empty packet, as the protocol wants it
  malformed,  // a known packet with wrong contents
  why_stopped,
  read_registers,   // g
  write_registers,  // G: bytes
  read_register,    // p: number
  write_register,   // P: number, bytes
  read_memory,      // m: address, count
  write_memory,     // M, X: address, bytes
  insert_point,     // Z: number is the kind of point, address, count
  remove_point,     // z
  select_thread,    // Hg: thread
  select_resumed,   // Hc: thread
  is_alive,         // T: thread
  resume,           // vCont, c, s, C, S: actions
  how_to_resume,    // vCont?
  kill,
  detach,
  supported,
  no_acknowledgement,
  current_thread,
  first_threads,
  more_threads,
  thread_words,  // qThreadExtraInfo: thread
  is_attached,
  transfer,  // qXfer object:read: name, annex, address (offset), count
  monitor,   // qRcmd: bytes
};

// Threads as the protocol numbers them: from 1; these two stand for many.
constexpr std::int64_t any_thread = 0, all_threads = -1;

// Kinds of points in Z and z packets.
enum class Point : std::uint8_t { software_break, hardware_break, write_watch, read_watch, access_watch };

enum class Resume : std::uint8_t { go_on, step, stop };
struct Action {
  Resume resume = Resume::go_on;
  std::uint8_t signal = 0;  // delivered to the thread; 0: none
  std::int64_t thread = all_threads;
};

struct Request {
  RequestKind kind = RequestKind::unknown;
  std::uint64_t address = 0, count = 0, number = 0;
  std::int64_t thread = any_thread;
  std::string bytes{}, name{}, annex{};
  std::vector<Action> actions{};
};

Request parse_request(std::string_view payload);

}  // namespace dojo::debug
