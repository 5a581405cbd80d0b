// Answers gdb: one payload in, one payload out. Everything but the wire.
//
// gdb's one process is the launch; its threads are the nodes' threads, numbered node * 4 + thread + 1, in the
// order of mhartid. Memory is that of the selected thread's node; breakpoints hold on every node. A guest's
// trap is a signal: SIGILL, SIGSEGV, SIGBUS (misaligned atomics and transfers that cannot be done), SIGTRAP
// (ebreak). Going on without the signal lets the thread try again, behind an ebreak; with the signal it is
// given up, as in a launch without a debugger. A deadlock is SIGABRT, the instruction limit SIGXCPU.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <string_view>

#include "debug/registers.h"
#include "debug/request.h"
#include "debug/run_control.h"
#include "system/debuggee.h"

namespace dojo::debug {

class Stub {
public:
  // `interrupted` is asked while threads run; `say` gets words for gdb's console then.
  Stub(system::Debuggee& debuggee, std::function<bool()> interrupted,
       std::function<void(std::string_view)> say);

  // The answer to a payload as it came, or empty text for what is not known. Runs the guest if asked to.
  // After a kill or a detach, and when the program has ended, `over` holds.
  std::string answer(std::string_view payload);
  bool over() const { return over_; }
  bool acknowledges() const { return acknowledges_; }

private:
  std::string answer(const Request& request);
  std::string read_general() const;
  std::string write_general(std::string_view bytes);
  std::string read_memory(const Request& request) const;
  std::string write_memory(const Request& request);
  std::string point(const Request& request);
  std::string select(const Request& request);
  std::string thread_list() const;
  std::string thread_words(std::size_t thread) const;
  std::string transfer(const Request& request) const;
  std::string threads_xml() const;
  std::string monitor(std::string_view command) const;
  std::string resume(const std::vector<Action>& actions);
  void release(const std::vector<Action>& actions);
  bool goes_alone(const std::vector<Action>& actions, std::size_t& thread) const;
  std::string report(const StopEvent& event);
  std::string ended();
  std::string stop_words() const;
  std::string leave(bool kill);

  std::int64_t id_of(std::size_t thread) const;
  bool find(std::int64_t id, std::size_t& thread) const;
  isa::Hart& hart() const { return debuggee_.hart(selected_); }

  system::Debuggee& debuggee_;
  std::function<void(std::string_view)> say_;
  RegisterSet registers_;
  RunControl run_control_;
  std::size_t selected_ = 0;
  StopEvent last_{StopReason::stepped, 0, {}};
  bool over_ = false, acknowledges_ = true;
};

}  // namespace dojo::debug
