// A connection to gdb: frames in, frames out.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace dojo::debug {

class Wire {
public:
  // Owns the socket from now on.
  explicit Wire(int socket) : socket_(socket) {}
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
  std::string received_, sent_;  // not yet looked at; the last frame, should it be wanted again
  bool acknowledges_ = true, gone_ = false;
};

}  // namespace dojo::debug
