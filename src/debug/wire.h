// A connection to gdb: frames in, frames out.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace dojo::debug {

// Waits until something can be read from a socket, in small pieces, for a signal may reach another thread
// than the one that waits. False once `given_up` says so.
bool wait_for(int socket, const std::function<bool()>& given_up);

class Wire {
public:
  // Owns the socket from now on. `given_up` is asked while it waits: true is as if the other side were gone.
  Wire(int socket, std::function<bool()> given_up) : socket_(socket), given_up_(std::move(given_up)) {}
  ~Wire();
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  // The next packet's payload; waits for it. nullopt if the other side is gone.
  std::optional<std::string> receive();
  void send(std::string_view payload);
  // Whether Ctrl-C has come, or the other side is gone. Does not wait.
  bool interrupted();
  // gdb asked that neither side acknowledges packets any more.
  void stop_acknowledging() { acknowledges_ = false; }

private:
  bool fill(bool wait);
  void write(std::string_view bytes);

  int socket_;
  std::function<bool()> given_up_;
  std::string received_, sent_;  // not yet looked at; the last frame, should it be wanted again
  bool acknowledges_ = true, gone_ = false;
};

}  // namespace dojo::debug
