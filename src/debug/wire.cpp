#include "debug/wire.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "debug/packet.h"

namespace dojo::debug {

bool wait_for(int socket, const std::function<bool()>& given_up) {
  constexpr int wait_milliseconds = 100;
  pollfd input{.fd = socket, .events = POLLIN, .revents = 0};
  while (!given_up())
    if (::poll(&input, 1, wait_milliseconds) > 0) return true;
  return false;
}

Wire::~Wire() { close(socket_); }

// Takes in what has come. False if nothing has, or nothing will any more.
bool Wire::fill(bool wait) {
  char buffer[4096];
  while (!gone_) {
    if (wait && !wait_for(socket_, given_up_)) return false;
    const ssize_t count = recv(socket_, buffer, sizeof buffer, wait ? 0 : MSG_DONTWAIT);
    if (count > 0) {
      received_.append(buffer, static_cast<std::size_t>(count));
      return true;
    }
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return false;
    gone_ = true;
  }
  return false;
}

void Wire::write(std::string_view bytes) {
  while (!bytes.empty() && !gone_) {
    const ssize_t count = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) {
      gone_ = true;
      return;
    }
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
}

std::optional<std::string> Wire::receive() {
  for (;;) {
    const Frame frame = first_frame(received_);
    switch (frame.kind) {
      case FrameKind::incomplete:
        if (!fill(true)) return std::nullopt;
        break;
      case FrameKind::packet: {
        std::string payload(frame.payload);
        received_.erase(0, frame.bytes);
        if (acknowledges_) write("+");
        return payload;
      }
      case FrameKind::damaged:
        received_.erase(0, frame.bytes);
        if (acknowledges_) write("-");
        break;
      case FrameKind::refused:
        received_.erase(0, frame.bytes);
        if (acknowledges_) write(sent_);
        break;
      case FrameKind::acknowledged:
      case FrameKind::interrupt:  // nothing runs
      case FrameKind::noise:
        received_.erase(0, frame.bytes);
        break;
    }
  }
}

void Wire::send(std::string_view payload) {
  sent_ = to_frame(payload);
  write(sent_);
}

// Acknowledgements of what was sent before may come first; a packet does not come while the guest runs.
bool Wire::interrupted() {
  fill(false);
  while (!received_.empty()) {
    const Frame frame = first_frame(received_);
    if (frame.kind == FrameKind::incomplete || frame.kind == FrameKind::packet) break;
    received_.erase(0, frame.bytes);
    if (frame.kind == FrameKind::interrupt) return true;
  }
  return gone_;
}

}  // namespace dojo::debug
